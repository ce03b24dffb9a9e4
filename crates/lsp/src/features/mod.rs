//! The server's features, one file each.

pub(crate) mod actions;
mod catalogue;
pub(crate) mod completion;
pub(crate) mod diagnostics;
pub(crate) mod hints;
pub(crate) mod hover;
pub(crate) mod lens;
pub(crate) mod links;
pub(crate) mod names;
mod subject;
pub(crate) mod symbols;

use std::path::{Path, PathBuf};

use cortexkey_lint::{Finding, KeyDocument, Report};
use cortexkey_manifest::definition::Definition;
use lsp_types::{Location, Range, Url};

use crate::position::{Encoding, Text};
use crate::workspace::Root;

/// Returns the URI of a file.
pub(crate) type Uris<'a> = Box<dyn Fn(&Path) -> Option<Url> + 'a>;

/// An open document.
pub(crate) struct OpenDocument<'a> {
    pub(crate) root: &'a Root,
    pub(crate) path: PathBuf,
    pub(crate) uri: Url,
    pub(crate) text: Text<'a>,
    pub(crate) encoding: Encoding,
    /// The URI of a file.
    pub(crate) uris: Uris<'a>,
}

impl OpenDocument<'_> {
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
