//! [`Cause`]: what may lie behind a refusal, each with its remedy.
//!
//! It refuses causes without a remedy.

use core::fmt;

use serde::{Serialize, Serializer};

/// What may lie behind a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A setting is missing or cannot stand.
    Settings,
    /// No key id goes with the request.
    MissingKeyId,
    /// Another authentication header is missing.
    MissingHeader,
    /// `Bearer` stands before the key.
    BearerPrefix,
    /// Quotes stand round the key.
    QuotesRoundKey,
    /// A space or line end stands round the key.
    SpaceRoundKey,
    /// The key is Advanced and is used as Standard, or the reverse.
    LevelMismatch,
    /// The SHA-256 of a Standard key is sent in place of the key.
    HashedStandardKey,
    /// The timestamp is in seconds.
    SecondsForMilliseconds,
    /// The clock is off.
    ClockOff,
    /// A nonce is used twice.
    ReusedNonce,
    /// The digest has upper-case digits.
    UpperCaseDigest,
    /// The key itself is sent, with nonce and timestamp.
    KeyForDigest,
    /// The timestamp is neither in milliseconds nor in seconds.
    TimestampForm,
    /// The digest is made of something else than key, nonce and timestamp.
    OtherDigest,
    /// The nonce is not 64 letters and digits.
    OddNonce,
    /// The key has expired.
    Expired,
    /// The tenant has no such key.
    WrongTenant,
    /// The key is another than that of the id.
    WrongKey,
    /// The host is the console's, not the API's.
    ConsoleHost,
    /// Something on the way takes headers away.
    HeadersStripped,
    /// There is no trust in who answers.
    Tls,
    /// There is no connection.
    NoConnection,
    /// What answers is not the API.
    NotTheApi,
    /// The key is good, and its roles lack the permission.
    MissingPermission,
    /// The key is good, and the tenant's licence does not cover the call.
    NoLicence,
    /// The tenant is busy or broken.
    TenantTrouble,
}

impl Cause {
    /// All of them, from the nearest to the farthest.
    pub const ALL: [Self; 27] = [
        Self::Settings,
        Self::MissingKeyId,
        Self::MissingHeader,
        Self::BearerPrefix,
        Self::QuotesRoundKey,
        Self::SpaceRoundKey,
        Self::LevelMismatch,
        Self::HashedStandardKey,
        Self::SecondsForMilliseconds,
        Self::ClockOff,
        Self::ReusedNonce,
        Self::UpperCaseDigest,
        Self::KeyForDigest,
        Self::TimestampForm,
        Self::OtherDigest,
        Self::OddNonce,
        Self::Expired,
        Self::WrongTenant,
        Self::WrongKey,
        Self::ConsoleHost,
        Self::HeadersStripped,
        Self::Tls,
        Self::NoConnection,
        Self::NotTheApi,
        Self::MissingPermission,
        Self::NoLicence,
        Self::TenantTrouble,
    ];

    /// The stable name, such as `level-mismatch`.
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// What it is, in a few words.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> (Self, &'static str, &'static str, &'static str) {
        ROWS[self as usize]
    }
}

/// Code, title and remedy, in the order of the causes.
const ROWS: [(Cause, &str, &str, &str); Cause::ALL.len()] = [
    (
        Cause::Settings,
        "settings",
        "a setting is missing or cannot stand",
        "`cortexkey config explain` shows where each setting comes from",
    ),
    (
        Cause::MissingKeyId,
        "missing-key-id",
        "no key id goes with the request",
        "send x-xdr-auth-id with the number in the column ID of the API Keys table",
    ),
    (
        Cause::MissingHeader,
        "missing-header",
        "an authentication header is missing",
        "send x-xdr-auth-id and Authorization; with an Advanced key x-xdr-nonce and \
         x-xdr-timestamp as well",
    ),
    (
        Cause::BearerPrefix,
        "bearer-prefix",
        "`Bearer` stands before the key",
        "send the key, or the digest, alone in Authorization",
    ),
    (
        Cause::QuotesRoundKey,
        "quotes-round-key",
        "quotes stand round the key",
        "take them out of the variable, file or secret store",
    ),
    (
        Cause::SpaceRoundKey,
        "space-round-key",
        "a space or line end stands round the key",
        "store the key alone, and see that nothing adds a line end (echo does, printf does \
         not)",
    ),
    (
        Cause::LevelMismatch,
        "level-mismatch",
        "the key is of the other security level",
        "set the key type to what the column Security Level of the API Keys table shows",
    ),
    (
        Cause::HashedStandardKey,
        "hashed-standard-key",
        "the SHA-256 of a Standard key is used in place of the key",
        "send a Standard key as it is; only Advanced keys are hashed, with nonce and time",
    ),
    (
        Cause::SecondsForMilliseconds,
        "seconds-for-milliseconds",
        "the timestamp is in seconds",
        "send Unix time in milliseconds, 13 digits, and hash the same digits",
    ),
    (Cause::ClockOff, "clock-off", "the clock is off", "set the clock, by NTP if it can be had"),
    (
        Cause::ReusedNonce,
        "reused-nonce",
        "a nonce is used twice",
        "draw a nonce and take the time anew for every attempt, retries included",
    ),
    (
        Cause::UpperCaseDigest,
        "upper-case-digest",
        "the digest has upper-case digits",
        "write the digest in lower case",
    ),
    (
        Cause::KeyForDigest,
        "key-for-digest",
        "the key is sent in place of its digest",
        "hash key, nonce and timestamp, and send the digest; an Advanced key that was sent is no \
         secret any more, so rotate it",
    ),
    (
        Cause::TimestampForm,
        "timestamp-form",
        "the timestamp is not in milliseconds",
        "send Unix time in milliseconds, 13 digits, and hash the same digits",
    ),
    (
        Cause::OtherDigest,
        "other-digest",
        "the digest is made in another way",
        "hash key, nonce and timestamp, in this order, with nothing between, by plain \
         SHA-256",
    ),
    (
        Cause::OddNonce,
        "odd-nonce",
        "the nonce is not 64 letters and digits",
        "draw 64 characters of A-Z, a-z and 0-9",
    ),
    (
        Cause::Expired,
        "expired",
        "the key has expired",
        "make a new key (`cortexkey keys rotate`, with another key); an expiry cannot be \
         moved by the API",
    ),
    (
        Cause::WrongTenant,
        "wrong-tenant",
        "this tenant has no key of this id",
        "compare tenant and id with the API Keys table; the key may have been deleted",
    ),
    (
        Cause::WrongKey,
        "wrong-key",
        "the key does not belong to the id",
        "compare the id with the one shown when the key was made; else make a new key",
    ),
    (
        Cause::ConsoleHost,
        "console-host",
        "the host is the console's, not the API's",
        "use what the button Copy API URL gives: the host begins with api-",
    ),
    (
        Cause::HeadersStripped,
        "headers-stripped",
        "something on the way takes headers away",
        "have the proxy let x-xdr-* and Authorization through, or name the host in NO_PROXY",
    ),
    (
        Cause::Tls,
        "tls",
        "there is no trust in who answers",
        "check the host; where a proxy breaks TLS open on purpose, give its authority with \
         --ca-file",
    ),
    (
        Cause::NoConnection,
        "no-connection",
        "there is no connection",
        "check host and port, firewall and proxy",
    ),
    (
        Cause::NotTheApi,
        "not-the-api",
        "what answers is not the API",
        "check the address, and whether a proxy or a login page answers in its place",
    ),
    (
        Cause::MissingPermission,
        "missing-permission",
        "the key is good, and its roles lack the permission",
        "give it a role with the component that the call belongs to",
    ),
    (
        Cause::NoLicence,
        "no-licence",
        "the key is good, and the tenant's licence does not cover the call",
        "ask who administers the tenant, or the account team at Palo Alto Networks, which licence \
         the call needs and whether it has run out; another key changes nothing",
    ),
    (
        Cause::TenantTrouble,
        "tenant-trouble",
        "the tenant is busy or broken",
        "wait, and try again; make fewer calls at once",
    ),
];

/// As its code.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_cause_is_in_the_list() {
        let mut codes: Vec<_> = Cause::ALL.iter().map(|cause| cause.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Cause::ALL.len());
        assert_eq!(Cause::ALL.len(), Cause::TenantTrouble as usize + 1);
        for (at, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!((cause as usize, ROWS[at].0), (at, cause));
        }
    }
}
