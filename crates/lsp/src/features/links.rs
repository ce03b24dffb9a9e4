//! Links from the names of rules, in policies and comments, to the pages of the rules.

use cortexkey_lint::rules::{find, page_url};
use cortexkey_manifest::Span;
use lsp_types::{DocumentLink, Url};

use super::{OpenDocument, names};

pub(crate) fn document_links(place: &OpenDocument<'_>) -> Vec<DocumentLink> {
    let comments = place.root.file(&place.path).into_iter().flat_map(names::suppressed);
    let comments = comments.map(|(written, span)| (written.to_owned(), span));
    let named = comments.chain(names::rules_here(place));
    named.filter_map(|(written, span)| link(place, &written, span)).collect()
}

fn link(place: &OpenDocument<'_>, written: &str, span: Span) -> Option<DocumentLink> {
    let rule = find(written)?;
    Some(DocumentLink {
        range: place.text.range(span),
        target: Some(Url::parse(&page_url(rule.name)).ok()?),
        tooltip: Some(rule.summary.to_owned()),
        data: None,
    })
}
