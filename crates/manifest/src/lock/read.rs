//! Reads a document as a lock file and collects all of its mistakes.

use core::num::NonZeroU64;
use core::str::FromStr;

use cortexkey_core::auth::KeyId;

use super::{Lock, LockedKey, LockedTenant, Lowered, PendingKey, Retiring};
use crate::format::{LOCK, LOCKED};
use crate::reader::{Fields, Reader};
use crate::time::{TimeError, moment};
use crate::yaml::{Document, NodeId, Tree};
use crate::{ProblemKind, Spanned, quote_refused};

const EXPIRES: &str = "cortexkey writes this field; restore the file from version control";

/// Reads one document as a lock file.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let fields = reader.document(document, &LOCK);
    let lock = fields.map(|fields| {
        let tenants = reader.named_mappings(&fields, "tenants", tenant);
        Lock { tenants: tenants.into_iter().map(|(name, tenant)| (name.value, tenant)).collect() }
    });
    Lowered { lock, problems: reader.problems }
}

fn tenant<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<LockedTenant> {
    let host = reader.text(fields, "host");
    let keys = reader.entries(fields, "keys", key);
    let keys = keys.into_iter().map(|(name, key)| (name.value, key)).collect();
    Some(LockedTenant { host: host.get()?.clone(), keys })
}

fn key(
    reader: &mut Reader<'_>,
    name: &Spanned<String>,
    id: NodeId,
    path: &str,
) -> Option<LockedKey> {
    let before = reader.problems.len();
    let fields = reader.mapping(id, reader.span(id), path, &LOCKED)?;
    let pending = reader.child(&fields, "pending");
    let key = LockedKey {
        place: name.span,
        id: key_id(reader, &fields, "id"),
        applied: reader.text(&fields, "applied").get().cloned(),
        unreferenced: reader.choice(&fields, "unreferenced").get().copied(),
        pending: pending.get().and_then(|fields| self::pending(reader, fields)),
        doubtful: reader.list(&fields, "doubtful", id_at).into_list(),
        retiring: reader.mappings(&fields, "retiring", retiring).into_list(),
    };
    if key.is_empty() && reader.problems.len() == before {
        reader.report_missing(&fields, "id");
    }
    // An incomplete entry would make a key look unmanaged, or lose a replaced key.
    (reader.problems.len() == before).then_some(key)
}

fn pending<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<PendingKey> {
    let request_digest = requested(reader, fields);
    let expires = reader.field(fields, "expires", |reader, entry, path| {
        number_at::<NonZeroU64>(
            reader,
            entry.value,
            path,
            "a time in milliseconds since 1970",
            EXPIRES,
        )
    });
    let by = key_id(reader, fields, "by");
    Some(PendingKey {
        expires_ms: expires.get()?.get(),
        request_digest: request_digest?,
        by: by?,
        besides: reader.list(fields, "besides", id_at).into_list(),
        id: key_id(reader, fields, "id"),
        delivering: reader.choice(fields, "delivering").get().copied().unwrap_or(false),
    })
}

/// The digest of the request, under its name or the old one.
fn requested<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<String> {
    let before = reader.problems.len();
    let old = reader.text(fields, "asked").get().cloned();
    let digest = reader.text(fields, "requested").get().cloned().or(old);
    if digest.is_none() && reader.problems.len() == before {
        reader.report_missing(fields, "requested");
    }
    digest
}

fn retiring<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<Retiring> {
    let key = key_id(reader, fields, "id");
    let after = reader.time(fields, "after", ProblemKind::BadValue, |text| {
        let time = moment(text)?;
        u64::try_from(time.as_millisecond()).map_err(|_| TimeError::out_of_range())
    });
    Some(Retiring { id: key?, after_ms: *after.get()? })
}

fn key_id<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>, name: &str) -> Option<KeyId> {
    let field = reader.field(fields, name, |reader, entry, path| id_at(reader, entry.value, path));
    field.get().copied()
}

fn id_at(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<KeyId> {
    let help = "a key id is the number in the ID column of the API Keys table";
    number_at(reader, id, path, "a key id", help)
}

/// A number from 1. `what` and the hint are for the error message.
fn number_at<T: FromStr>(
    reader: &mut Reader<'_>,
    id: NodeId,
    path: &str,
    what: &str,
    help: &str,
) -> Option<T> {
    let text = reader.text_at(id, path)?;
    let number = text.parse().ok();
    if number.is_none() {
        let message = format!("{} is not {what}", quote_refused(text));
        reader.report_help(ProblemKind::BadValue, reader.span(id), message, help);
    }
    number
}
