//! The causes of a refusal that the doctor can name, each with its remedy.

use core::fmt;

use serde::{Serialize, Serializer};

/// A cause of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A setting is missing or invalid.
    Settings,
    /// The request has no key id.
    MissingKeyId,
    /// Another authentication header is missing.
    MissingHeader,
    /// `Bearer` precedes the key.
    BearerPrefix,
    /// The key is in quotes.
    QuotesRoundKey,
    /// A space or line end surrounds the key.
    SpaceRoundKey,
    /// The key is Advanced and is used as Standard, or the reverse.
    LevelMismatch,
    /// The SHA-256 of a Standard key is sent in place of the key.
    HashedStandardKey,
    /// The timestamp is in seconds.
    SecondsForMilliseconds,
    /// The clock is wrong.
    ClockOff,
    /// A nonce is used twice.
    ReusedNonce,
    /// The digest is in upper case.
    UpperCaseDigest,
    /// The key itself is sent, with nonce and timestamp.
    KeyForDigest,
    /// The timestamp is neither in milliseconds nor in seconds.
    TimestampForm,
    /// The digest covers something other than key, nonce and timestamp.
    OtherDigest,
    /// The nonce is not 64 letters and digits.
    OddNonce,
    /// The key has expired.
    Expired,
    /// The tenant has no such key.
    WrongTenant,
    /// The key belongs to another id.
    WrongKey,
    /// The host is the console's, not the API's.
    ConsoleHost,
    /// A proxy removes headers.
    HeadersStripped,
    /// The server's certificate is not trusted.
    Tls,
    /// The connection failed.
    NoConnection,
    /// The answer is not from the API.
    NotTheApi,
    /// The key is valid, but its roles lack the permission.
    MissingPermission,
    /// The key is valid, but the tenant's licence does not cover the call.
    NoLicence,
    /// The tenant is busy or failing.
    TenantTrouble,
}

impl Cause {
    /// All causes, those on this machine first.
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

    /// A short description.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// How to fix it.
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
        "a setting is missing or invalid",
        "run `cortexkey config explain`: it shows where each setting comes from",
    ),
    (
        Cause::MissingKeyId,
        "missing-key-id",
        "the request has no key id",
        "send x-xdr-auth-id with the number from the ID column of the API Keys table",
    ),
    (
        Cause::MissingHeader,
        "missing-header",
        "an authentication header is missing",
        "send x-xdr-auth-id and Authorization; with an Advanced key also x-xdr-nonce and \
         x-xdr-timestamp",
    ),
    (
        Cause::BearerPrefix,
        "bearer-prefix",
        "`Bearer` precedes the key",
        "send only the key or the digest in Authorization",
    ),
    (
        Cause::QuotesRoundKey,
        "quotes-round-key",
        "the key is in quotes",
        "remove the quotes from the variable, file or secret store",
    ),
    (
        Cause::SpaceRoundKey,
        "space-round-key",
        "a space or line end surrounds the key",
        "store only the key; printf adds no line end, echo does",
    ),
    (
        Cause::LevelMismatch,
        "level-mismatch",
        "the key has the other security level",
        "set the key type to the Security Level that the API Keys table shows",
    ),
    (
        Cause::HashedStandardKey,
        "hashed-standard-key",
        "a Standard key was hashed",
        "send a Standard key unchanged; only Advanced keys are hashed, with nonce and timestamp",
    ),
    (
        Cause::SecondsForMilliseconds,
        "seconds-for-milliseconds",
        "the timestamp is in seconds",
        "send Unix time in milliseconds, 13 digits, and hash the same digits",
    ),
    (Cause::ClockOff, "clock-off", "the clock is wrong", "set the clock, with NTP if possible"),
    (
        Cause::ReusedNonce,
        "reused-nonce",
        "a nonce was used twice",
        "draw a new nonce and read the clock for every attempt, including retries",
    ),
    (
        Cause::UpperCaseDigest,
        "upper-case-digest",
        "the digest is in upper case",
        "write the digest in lower case",
    ),
    (
        Cause::KeyForDigest,
        "key-for-digest",
        "the key was sent in place of its digest",
        "hash the key, nonce and timestamp, and send the digest; rotate the Advanced key, which \
         is no longer secret after it was sent",
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
        "the digest was computed in another way",
        "compute plain SHA-256 of the key, nonce and timestamp in this order, without separators",
    ),
    (
        Cause::OddNonce,
        "odd-nonce",
        "the nonce is not 64 letters and digits",
        "draw 64 characters from A-Z, a-z and 0-9",
    ),
    (
        Cause::Expired,
        "expired",
        "the key has expired",
        "replace the key (`cortexkey keys rotate` with another key); the API cannot change an \
         expiry",
    ),
    (
        Cause::WrongTenant,
        "wrong-tenant",
        "this tenant has no key with this id",
        "compare the tenant and the id with the API Keys table; the key may have been deleted",
    ),
    (
        Cause::WrongKey,
        "wrong-key",
        "the key does not belong to the id",
        "compare the id with the one shown when the key was generated; otherwise generate a new \
         key",
    ),
    (
        Cause::ConsoleHost,
        "console-host",
        "the host is the console's, not the API's",
        "use the address from Copy API URL; its host begins with api-",
    ),
    (
        Cause::HeadersStripped,
        "headers-stripped",
        "a proxy removes headers",
        "configure the proxy to pass x-xdr-* and Authorization, or add the host to NO_PROXY",
    ),
    (
        Cause::Tls,
        "tls",
        "the server's certificate is not trusted",
        "check the host; if a proxy inspects TLS on purpose, pass its CA certificate with \
         --ca-file",
    ),
    (
        Cause::NoConnection,
        "no-connection",
        "the connection failed",
        "check the host, port, firewall and proxy",
    ),
    (
        Cause::NotTheApi,
        "not-the-api",
        "the answer is not from the API",
        "check the address, and whether a proxy or login page answers instead",
    ),
    (
        Cause::MissingPermission,
        "missing-permission",
        "the key is valid, but its roles lack the permission",
        "give it a role with the component that the call needs",
    ),
    (
        Cause::NoLicence,
        "no-licence",
        "the key is valid, but the tenant's licence does not cover the call",
        "ask the tenant's administrator or your Palo Alto Networks account team which licence \
         the call needs and whether it has expired; another key does not help",
    ),
    (
        Cause::TenantTrouble,
        "tenant-trouble",
        "the tenant is busy or failing",
        "wait and try again; make fewer calls at once",
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
