//! The lock file `cortexkey.lock`: which definition is which key id of which tenant.
//!
//! Read with the strictness of definitions. It holds no secret, and refuses a field for one.
//!
//! ```yaml
//! apiVersion: cortexkey/v1
//! kind: Lock
//! keys:
//!   - { tenant: prod-eu, name: svc-siem-export-prod, id: 56 }
//! ```

use crate::reader::{Reader, into_list};
use crate::yaml::{Document, Tree};
use crate::{Field, Problem, Span};

/// The kind of a lock file.
pub const KIND: &str = "Lock";

/// One key of a tenant.
#[derive(Clone, Debug)]
pub struct LockedKey {
    /// Where it stands.
    pub span: Span,
    /// The tenant, where the policy has more than one.
    pub tenant: Field<String>,
    /// Name of the definition.
    pub name: Field<String>,
    /// The key's id in the tenant.
    pub id: Field<u64>,
}

/// What came of a lock file's document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its keys.
    pub keys: Vec<LockedKey>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}

/// Reads one document as a lock file.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let keys = keys(&mut reader, document).unwrap_or_default();
    Lowered { keys, problems: reader.problems }
}

fn keys(reader: &mut Reader<'_>, document: Document) -> Option<Vec<LockedKey>> {
    let place = crate::definition::top_place(reader.tree, document.root);
    let fields = reader.mapping(document.root, place, "", &["apiVersion", "kind", "keys"])?;
    if !crate::definition::header(reader, &fields, KIND) {
        return None;
    }
    let keys = reader.list(&fields, "keys", |reader, id, path| {
        let fields = reader.mapping(id, reader.span(id), path, &["tenant", "name", "id"])?;
        let tenant = reader.filled_text(&fields, "tenant");
        let name = reader.text(&fields, "name");
        let name = reader.required(name, &fields, "name", "name: svc-siem-export-prod");
        let id = reader.number(&fields, "id");
        let id = reader.required(id, &fields, "id", "id: 56");
        Some(LockedKey { span: fields.span, tenant, name, id })
    });
    Some(into_list(reader.filled(keys, &fields, "keys")))
}
