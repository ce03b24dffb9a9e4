//! [`Verdict`]: the result of a check. Its table of codes, numbers and texts is the only one, for
//! Rust, the C header, Go, JSON and the documents. A published number never changes its meaning.

use core::fmt;

/// Fills the enum and its table from one list.
macro_rules! verdicts {
    ($($variant:ident $code:literal $number:literal
        $message:literal
        cause $cause:literal
        remedy $remedy:literal)*) => {
        /// The result of checking a request.
        ///
        /// A client sees the same answer for every refusal; the code is for the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Verdict {
            $(#[doc = concat!("`", $code, "`: ", $message, ".")] $variant,)*
        }

        impl Verdict {
            /// All verdicts, in the order of a verifier's checks.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code in logs and JSON, such as `timestamp-stale`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The number in the C ABI: 0 accepts, refusals are negative. Numbers are never reused.
            pub const fn number(self) -> i32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The result in a few words.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// The usual cause.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause,)* }
            }

            /// How to fix it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

verdicts! {
    Accept "accept" 0
        "the request is authentic"
        cause "the headers match the key"
        remedy "nothing to do"
    DuplicateHeader "duplicate-header" -101
        "an authentication header occurs more than once"
        cause "a proxy or the client added the header again"
        remedy "send each authentication header exactly once"
    MissingHeader "missing-header" -102
        "an authentication header is missing"
        cause "the key id is missing, only one of nonce and timestamp was sent, or a proxy removed a header"
        remedy "send x-xdr-auth-id and Authorization; with an Advanced key also x-xdr-nonce and x-xdr-timestamp"
    BadKeyId "bad-key-id" -103
        "x-xdr-auth-id is not a key id"
        cause "the header contains characters other than decimal digits, or starts with 0"
        remedy "send the number in the ID column of the API Keys table"
    BadNonce "bad-nonce" -104
        "x-xdr-nonce is not 64 letters and digits"
        cause "the client draws another length or alphabet, or an attacker extended a captured request"
        remedy "draw 64 new characters of A-Z, a-z and 0-9 for each request"
    BadTimestamp "bad-timestamp" -105
        "x-xdr-timestamp is not 13 digits"
        cause "seconds were sent instead of milliseconds, or the number has a sign, a fraction or a leading zero"
        remedy "send Unix time in milliseconds, in decimal"
    BadAuthorization "bad-authorization" -106
        "Authorization is neither a digest nor a key"
        cause "a Bearer prefix, upper-case digits, quotes or a line ending around the value"
        remedy "send 64 lower-case hexadecimal digits (Advanced) or the key itself (Standard), with no prefix"
    UnknownKey "unknown-key" -107
        "no key has this id"
        cause "the key was deleted, belongs to another tenant, or the id is mistyped"
        remedy "compare the id with the API Keys table of this tenant"
    LevelMismatch "level-mismatch" -108
        "the request is not signed as the key's security level requires"
        cause "an Advanced key was sent unhashed, or a Standard key was signed"
        remedy "set the client's key type to the Security Level that the API Keys table shows"
    WrongSignature "wrong-signature" -109
        "the digest or key does not match"
        cause "another or a mistyped key, or a different order or separators in the digest"
        remedy "check the key; the digest is SHA-256 of key, nonce and timestamp without separators"
    KeyRevoked "key-revoked" -110
        "the key is revoked"
        cause "it was revoked"
        remedy "generate a new key"
    KeyExpired "key-expired" -111
        "the key has expired"
        cause "its expiration date has passed"
        remedy "generate a new key; an expiration date cannot be moved"
    TimestampStale "timestamp-stale" -112
        "the timestamp is too old"
        cause "the client's clock is behind, or the request waited or was captured"
        remedy "set the client's clock, and sign each attempt just before it is sent"
    TimestampFuture "timestamp-future" -113
        "the timestamp is in the future"
        cause "the client's clock is ahead"
        remedy "set the client's clock"
    Replayed "replayed" -114
        "the request was accepted before"
        cause "a retry sent the headers of the first attempt, or an attacker replayed them"
        remedy "sign each attempt again"
    ReplayGuardStarting "replay-guard-starting" -115
        "the verifier has just started and does not know whether the request was accepted before"
        cause "the replay guard started empty"
        remedy "wait for the clock skew that the verifier allows, then sign again and resend"
    ReplayGuardFull "replay-guard-full" -116
        "the replay guard is full"
        cause "more requests arrived within the window than the guard was sized for"
        remedy "give the guard more entries: requests per second times twice the skew in seconds; set a quota, so that one key cannot fill it"
    ReplayGuardQuota "replay-guard-quota" -118
        "the key has reached its quota of the replay guard"
        cause "one key sent more requests within the window than the guard stores for one key"
        remedy "send fewer requests with one key, or raise the quota of uses per key"
    ReplayGuardUnavailable "replay-guard-unavailable" -117
        "the replay guard is unavailable"
        cause "its store is unreachable or rejects writes"
        remedy "bring the store back; until then no request can be accepted"
}

impl Verdict {
    /// Whether the request is accepted.
    pub const fn is_accept(self) -> bool {
        matches!(self, Self::Accept)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn verdict_codes_and_numbers_are_unique_and_in_range() {
        let codes: BTreeSet<_> = Verdict::ALL.iter().map(|v| v.code()).collect();
        let numbers: BTreeSet<_> = Verdict::ALL.iter().map(|v| v.number()).collect();
        assert_eq!(codes.len(), Verdict::ALL.len());
        assert_eq!(numbers.len(), Verdict::ALL.len());
        for verdict in Verdict::ALL {
            let in_band = (-199..=-100).contains(&verdict.number());
            assert_eq!(in_band, !verdict.is_accept(), "{verdict}");
        }
    }
}
