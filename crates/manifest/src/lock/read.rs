//! A document becomes a lock file; all mistakes on the way are collected.

use super::{Lock, LockedKey, LockedTenant, Lowered, Pending, Retiring};
use crate::definition::{header, moment, top_place};
use crate::reader::{Fields, Reader, into_list};
use crate::yaml::{Document, NodeId, Tree};
use crate::{Field, ProblemKind, quote_refused};

/// The kind of a lock file.
pub const KIND: &str = "Lock";

/// Reads one document as a lock file.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let lock = lock(&mut reader, document.root);
    Lowered { lock, problems: reader.problems }
}

fn lock(reader: &mut Reader<'_>, root: NodeId) -> Option<Lock> {
    let place = top_place(reader.tree, root);
    let fields = reader.mapping(root, place, "", &["apiVersion", "kind", "tenants"])?;
    if !header(reader, &fields, KIND) {
        return None;
    }
    let tenants =
        reader.entries(&fields, "tenants", |reader, _, id, path| tenant(reader, id, path));
    let tenants = tenants.into_iter().map(|(name, tenant)| (name.value, tenant));
    Some(Lock { tenants: tenants.collect() })
}

fn tenant(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<LockedTenant> {
    let fields = reader.mapping(id, reader.span(id), path, &["host", "keys"])?;
    let host = reader.text(&fields, "host");
    let example = "host: api-acme.xdr.us.paloaltonetworks.com";
    let host = reader.required(host, &fields, "host", example);
    let keys = reader.entries(&fields, "keys", |reader, _, id, path| key(reader, id, path));
    let keys =
        keys.into_iter().map(|(name, key)| (name.value, LockedKey { place: name.span, ..key }));
    Some(LockedTenant { host: host.get()?.clone(), keys: keys.collect() })
}

fn key(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<LockedKey> {
    let known = ["id", "applied", "unreferenced", "pending", "doubtful", "retiring"];
    let before = reader.problems.len();
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let mut key = LockedKey {
        id: key_id(reader, &fields, "id"),
        applied: reader.filled_text(&fields, "applied").get().cloned(),
        unreferenced: reader.flag(&fields, "unreferenced").get().copied(),
        ..LockedKey::default()
    };
    let known = ["expires", "asked", "by", "besides", "id", "delivering"];
    let inner = reader.child(&fields, "pending", &known);
    let inner = reader.filled(inner, &fields, "pending");
    key.pending = inner.get().and_then(|fields| pending(reader, fields));
    key.doubtful = ids(reader, &fields, "doubtful");
    let list = reader.list(&fields, "retiring", retiring);
    key.retiring = into_list(reader.filled(list, &fields, "retiring"));
    if key.is_empty() && reader.problems.len() == before {
        let missing = Field::<u64>::Absent;
        reader.required(missing, &fields, "id", "id: 7");
    }
    // Half an entry would make a key look unmanaged, or an old one forgotten.
    (reader.problems.len() == before).then_some(key)
}

fn pending<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<Pending> {
    let asked = reader.text(fields, "asked");
    let asked = reader.required(asked, fields, "asked", "asked: 9f2c…");
    let number = |reader: &mut Reader<'t>, name: &'static str, example| {
        let number = key_id(reader, fields, name);
        if number.is_none() {
            reader.required(Field::<u64>::Absent, fields, name, example);
        }
        number
    };
    Some(Pending {
        expires_ms: number(reader, "expires", "expires: 1803895200123")?,
        asked: asked.get()?.clone(),
        by: number(reader, "by", "by: 7")?,
        besides: ids(reader, fields, "besides"),
        id: key_id(reader, fields, "id"),
        delivering: reader.flag(fields, "delivering").get().copied().unwrap_or(false),
    })
}

fn ids<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>, name: &'static str) -> Vec<u64> {
    let list = reader.list(fields, name, id_at);
    into_list(reader.filled(list, fields, name))
}

fn retiring(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Retiring> {
    let fields = reader.mapping(id, reader.span(id), path, &["id", "after"])?;
    let key = key_id(reader, &fields, "id");
    if key.is_none() {
        reader.required(Field::<u64>::Absent, &fields, "id", "id: 7");
    }
    let after = reader.field(&fields, "after", |reader, entry, path| {
        let text = reader.text_at(entry.value, path)?;
        let ms = moment(text).ok().and_then(|time| u64::try_from(time.as_millisecond()).ok());
        if ms.is_none() {
            let message = format!("{} is no time in `{path}`", quote_refused(text));
            let help = "write a time with its offset: `2027-03-01T00:00:00Z`";
            reader.report_help(ProblemKind::BadValue, reader.span(entry.value), message, help);
        }
        ms
    });
    let after = reader.required(after, &fields, "after", "after: \"2027-03-01T00:00:00Z\"");
    Some(Retiring { id: key?, after_ms: *after.get()? })
}

fn key_id<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>, name: &str) -> Option<u64> {
    let field = reader.field(fields, name, |reader, entry, path| id_at(reader, entry.value, path));
    reader.filled(field, fields, name).get().copied()
}

/// A key id, which is never 0.
fn id_at(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<u64> {
    let text = reader.text_at(id, path)?;
    let number = text.parse().ok().filter(|id| *id != 0);
    if number.is_none() {
        let message = format!("{} is no key id", quote_refused(text));
        let help = "a key id is the number in the column ID of the API Keys table";
        reader.report_help(ProblemKind::BadValue, reader.span(id), message, help);
    }
    number
}
