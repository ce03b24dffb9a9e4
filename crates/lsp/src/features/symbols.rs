//! The keys of a file as symbols.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::OpenDocument;

pub(crate) fn document_symbols(place: &OpenDocument<'_>) -> Vec<DocumentSymbol> {
    let symbol = |definition: &cortexkey_manifest::definition::Definition| {
        let name = definition.metadata.as_ref().and_then(|metadata| metadata.name.spanned());
        let selection = name.map_or(definition.place, |name| name.span);
        #[allow(deprecated, reason = "the field has no other way to be left out")]
        DocumentSymbol {
            name: name.map_or_else(|| "(no name)".to_owned(), |name| name.value.clone()),
            detail: Some(
                definition
                    .roles()
                    .iter()
                    .map(|role| role.value.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            kind: SymbolKind::KEY,
            tags: None,
            deprecated: None,
            range: place.text.range(definition.span),
            selection_range: place.text.range(selection),
            children: None,
        }
    };
    place.definitions().map(symbol).collect()
}
