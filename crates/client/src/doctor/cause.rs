//! The causes of a refusal that the doctor can name, each with its remedy.

use core::fmt;

use serde::{Serialize, Serializer};

/// Declares the causes, each with its code, title and remedy.
macro_rules! causes {
    ($($cause:ident $code:literal $title:literal $remedy:literal,)+) => {
        /// A cause of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(#[doc = $title] $cause,)+
        }

        impl Cause {
            /// All causes, those on this machine first.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$cause),+];

            /// The stable name, such as `level-mismatch`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$cause => $code,)+ }
            }

            /// A short description.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$cause => $title,)+ }
            }

            /// How to fix it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$cause => $remedy,)+ }
            }
        }
    };
}

causes! {
    Settings "settings"
        "a setting is missing or invalid"
        "run `cortexkey config explain`: it shows where each setting comes from",
    MissingKeyId "missing-key-id"
        "the request has no key id"
        "send x-xdr-auth-id with the number from the ID column of the API Keys table",
    MissingHeader "missing-header"
        "an authentication header is missing"
        "send x-xdr-auth-id and Authorization; with an Advanced key also x-xdr-nonce and \
         x-xdr-timestamp",
    BearerPrefix "bearer-prefix"
        "`Bearer` precedes the key"
        "send only the key or the digest in Authorization",
    QuotedKey "quoted-key"
        "the key is in quotes"
        "remove the quotes from the variable, file or secret store",
    WhitespaceAroundKey "whitespace-around-key"
        "a space or line ending surrounds the key"
        "store only the key; printf adds no line ending, echo does",
    LevelMismatch "level-mismatch"
        "the key has the other security level"
        "set the key type to the Security Level that the API Keys table shows",
    HashedStandardKey "hashed-standard-key"
        "a Standard key was hashed"
        "send a Standard key unchanged; only Advanced keys are hashed, with nonce and timestamp",
    SecondsForMilliseconds "seconds-for-milliseconds"
        "the timestamp is in seconds"
        "send Unix time in milliseconds, 13 digits, and hash the same digits",
    ClockOff "clock-off"
        "the clock is wrong"
        "set the clock, with NTP if possible",
    ReusedNonce "reused-nonce"
        "a nonce was used twice"
        "draw a new nonce and read the clock for every attempt, including retries",
    UpperCaseDigest "upper-case-digest"
        "the digest is in upper case"
        "write the digest in lower case",
    KeyForDigest "key-for-digest"
        "the key was sent in place of its digest"
        "hash the key, nonce and timestamp, and send the digest; rotate the Advanced key, which \
         is no longer secret after it was sent",
    TimestampForm "timestamp-form"
        "the timestamp is not in milliseconds"
        "send Unix time in milliseconds, 13 digits, and hash the same digits",
    OtherDigest "other-digest"
        "the digest was computed in another way"
        "compute plain SHA-256 of the key, nonce and timestamp in this order, without separators",
    InvalidNonce "invalid-nonce"
        "the nonce is not 64 letters and digits"
        "draw 64 characters from A-Z, a-z and 0-9",
    Expired "expired"
        "the key has expired"
        "replace the key (`cortexkey keys rotate` with another key); the API cannot change an \
         expiry",
    WrongTenant "wrong-tenant"
        "this tenant has no key with this id"
        "compare the tenant and the id with the API Keys table; the key may have been deleted",
    WrongKey "wrong-key"
        "the key does not belong to the id"
        "compare the id with the one shown when the key was generated; otherwise generate a new \
         key",
    ConsoleHost "console-host"
        "the host is the console's, not the API's"
        "use the address from Copy API URL; its host begins with api-",
    HeadersStripped "headers-stripped"
        "a proxy removes headers"
        "configure the proxy to pass x-xdr-* and Authorization, or add the host to NO_PROXY",
    Tls "tls"
        "the TLS connection failed: the certificate is not trusted, or this is not a TLS port"
        "check the host and port; if a proxy inspects TLS on purpose, pass its CA certificate with \
         --ca-file",
    NoConnection "no-connection"
        "the connection failed"
        "check the host, port, firewall and proxy",
    NotTheApi "not-the-api"
        "the answer is not from the API"
        "check the address, and whether a proxy or login page answers instead",
    MissingPermission "missing-permission"
        "the key is valid, but its roles lack the permission"
        "give it a role with the component that the call needs",
    NoLicence "no-licence"
        "the key is valid, but the tenant's licence does not cover the call"
        "ask the tenant's administrator or your Palo Alto Networks account team which licence \
         the call needs and whether it has expired; another key does not help",
    TenantUnavailable "tenant-unavailable"
        "the tenant is busy or failing"
        "wait and try again; make fewer calls at once",
}

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
    fn codes_are_unique() {
        let mut codes: Vec<_> = Cause::ALL.iter().map(|cause| cause.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Cause::ALL.len());
    }
}
