//! The lock file, which only the tools write.

use super::FieldKind::{Fields, Flag, List, Map, Moment, Number, Text};
use super::{Mapping, kind, optional, required, version};

/// The kind of a lock file.
pub const LOCK_KIND: &str = "Lock";

/// A lock file.
#[rustfmt::skip]
pub static LOCK: Mapping = Mapping::of(&[
    version(),
    kind(LOCK_KIND),
    optional("tenants", Map(&Fields(&TENANT)), "{}", "The keys of each tenant."),
]);

#[rustfmt::skip]
static TENANT: Mapping = Mapping::of(&[
    required("host", Text, "api-acme.xdr.us.paloaltonetworks.com", "The host of the tenant's API."),
    optional("keys", Map(&Fields(&LOCKED)), "{}", "The keys, by the names of their definitions."),
]);

#[rustfmt::skip]
pub(crate) static LOCKED: Mapping = Mapping::of(&[
    optional("id", Number, "7", "The id of the key."),
    optional("applied", Text, "9f2c…", "A digest of the definition as it was last applied."),
    optional("unreferenced", Flag, "false",
        "The value last sent for cases and issues that reference no known object."),
    optional("pending", Fields(&PENDING), "{}", "A new key that is being generated."),
    optional("doubtful", List(&Number), "[]", "Keys of interrupted runs that may be in use."),
    optional("retiring", List(&Fields(&RETIRING)), "[]", "Replaced keys in their grace period."),
]);

#[rustfmt::skip]
static PENDING: Mapping = Mapping::of(&[
    required("expires", Number, "1803895200123", "When the new key expires, in milliseconds."),
    optional("requested", Text, "9f2c…", "A digest of its level, roles and comment."),
    optional("asked", Text, "9f2c…", "The old name of `requested`."),
    required("by", Number, "7", "The id of the key that signs the request."),
    optional("besides", List(&Number), "[]", "Keys that had the same expiry before."),
    optional("id", Number, "8", "Its id, once it is known."),
    optional("delivering", Flag, "true", "Whether it may have been delivered."),
]);

#[rustfmt::skip]
static RETIRING: Mapping = Mapping::of(&[
    required("id", Number, "7", "The id of the key."),
    required("after", Moment, "\"2027-03-01T00:00:00Z\"", "When it is to be deleted."),
]);
