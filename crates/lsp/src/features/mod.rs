//! The server's features, one file each.

pub(crate) mod actions;
mod catalog;
pub(crate) mod completion;
pub(crate) mod diagnostics;
pub(crate) mod hints;
pub(crate) mod hover;
pub(crate) mod lens;
pub(crate) mod links;
pub(crate) mod names;
mod subject;
pub(crate) mod symbols;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cortexkey_lint::{Finding, KeyDocument, Report};
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::pinned::is_copy;
use lsp_types::{
    DocumentChanges, Location, OneOf, OptionalVersionedTextDocumentIdentifier, Range,
    TextDocumentEdit, TextEdit, Url, WorkspaceEdit,
};

use crate::position::{Encoding, Text};
use crate::workspace::Root;

/// Returns the URI of a file.
pub(crate) type Uris<'a> = Box<dyn Fn(&Path) -> Option<Url> + 'a>;

/// Returns the version of a document that the editor has open.
pub(crate) type Versions<'a> = Box<dyn Fn(&Url) -> Option<i32> + 'a>;

/// An open document.
pub(crate) struct OpenDocument<'a> {
    pub(crate) root: &'a Root,
    pub(crate) path: PathBuf,
    pub(crate) uri: Url,
    pub(crate) text: Text<'a>,
    pub(crate) encoding: Encoding,
    /// The URI of a file.
    pub(crate) uris: Uris<'a>,
    /// The versions of documents, if the editor compares those of an edit with its own.
    pub(crate) versions: Option<Versions<'a>>,
}

impl OpenDocument<'_> {
    /// Whether it is the copy of a remote policy, which is changed in its own repository.
    fn is_remote(&self) -> bool {
        let path = self.path.strip_prefix(&self.root.folder).unwrap_or(&self.path);
        is_copy(&path.to_string_lossy())
    }

    /// The findings of the document.
    fn findings(&self) -> Vec<(&Finding, &Report)> {
        self.root.findings(&self.path)
    }

    fn documents(&self) -> &[KeyDocument] {
        self.root.file(&self.path).map_or(&[], |file| &file.documents)
    }

    fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.documents().iter().filter_map(|document| document.definition.as_ref())
    }

    /// An edit of these documents. An editor that knows versions does not apply it to a text that has
    /// changed in the meantime.
    fn workspace_edit(&self, changes: HashMap<Url, Vec<TextEdit>>) -> WorkspaceEdit {
        let Some(version) = &self.versions else { return WorkspaceEdit::new(changes) };
        let of_document = |(uri, edits): (Url, Vec<TextEdit>)| TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { version: version(&uri), uri },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        };
        let edits = changes.into_iter().map(of_document).collect();
        let document_changes = Some(DocumentChanges::Edits(edits));
        WorkspaceEdit { document_changes, ..WorkspaceEdit::default() }
    }

    /// A location in another file.
    fn location(
        &self,
        path: &Path,
        text: &str,
        span: cortexkey_manifest::Span,
    ) -> Option<Location> {
        let range = Text::new(text, self.encoding).range(span);
        Some(Location::new((self.uris)(path)?, range))
    }
}

fn overlap(one: Range, other: Range) -> bool {
    one.start <= other.end && other.start <= one.end
}
