//! [`examine`]: calls the tenant, changes one thing at a time, and reports what helps.

use std::io::Read;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_system::{chain, message_and_help};
use zeroize::Zeroizing;

use super::key::{is_digest, mistakes};
use super::{Cause, Diagnosis, Likelihood};
use crate::settings::{PartialSettings, SettingOrigin, SettingsError};
use crate::transport::proxy_variable;
use crate::{
    CallError, Client, ClientOptions, Environment, ExplicitSettings, Ping, RefusedCall, Retry,
};

/// A larger clock difference is reported.
const CLOCK_OFFSET_MS: u64 = 30_000;

/// What the examination may do.
#[derive(Default)]
pub struct LiveOptions<'a> {
    /// Whether a key that is set as Advanced may be sent unhashed, to test whether it is Standard.
    pub try_standard: bool,
    /// A client with another key that may list keys, to query what a refused key cannot.
    pub helper: Option<&'a Client>,
}

/// Examines the settings and the tenant.
pub fn examine(
    given: &ExplicitSettings,
    environment: &Environment<'_>,
    stdin: &mut dyn Read,
    options: &LiveOptions<'_>,
) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    match CheckedCall::new(given, environment, stdin, &mut diagnosis) {
        Some(patient) => Live { patient, options, environment, to: &mut diagnosis }.run(),
        None => diagnosis.step("the settings are not sufficient for a call"),
    }
    diagnosis.finish()
}

/// The settings of a call.
struct CheckedCall {
    address: Address,
    options: ClientOptions,
    key_id: KeyId,
    level: Option<Level>,
    key: Zeroizing<Vec<u8>>,
}

impl CheckedCall {
    /// Resolves the settings and records what is wrong with them.
    fn new(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
        to: &mut Diagnosis,
    ) -> Option<Self> {
        let settings = |to: &mut Diagnosis, error: &SettingsError| {
            let cause = match error {
                SettingsError::NoKeyId | SettingsError::KeyId { .. } => Cause::MissingKeyId,
                _ => Cause::Settings,
            };
            to.find_error(cause, error);
        };
        let pieces = match PartialSettings::resolve(given, environment, stdin) {
            Ok(pieces) => pieces,
            Err(error) => {
                settings(to, &error);
                return None;
            }
        };
        let key = pieces.key.map(|found| {
            to.step(format!("the key comes from {}", found.origin));
            corrected(found.value, &found.origin, to)
        });
        let level = pieces.level.map_or_else(
            |error| {
                settings(to, &error);
                None
            },
            |found| Some(found.value),
        );
        let mut or_settings = |error: &SettingsError| settings(to, error);
        let address = pieces.address.map_err(|error| or_settings(&error)).ok();
        let options = pieces.options.map_err(|error| or_settings(&error)).ok();
        let key_id = pieces.key_id.map_err(|error| or_settings(&error)).ok();
        let key = key.map_err(|error| or_settings(&error)).ok();
        let address = address?.value;
        to.step(format!("the tenant is {address}"));
        let options = ClientOptions { retry: Retry::NEVER, correct_clock: false, ..options? };
        Some(Self { address, options, key_id: key_id?.value, level, key: key? })
    }

    fn client(&self, level: Level, correct_clock: bool) -> Option<Client> {
        let key = Key::new(&self.key).ok()?;
        let signer = Signer::new(self.key_id, level, key);
        let options = ClientOptions { correct_clock, ..self.options.clone() };
        Some(Client::new(self.address.clone(), signer, options))
    }
}

/// The key without surrounding characters, which are reported.
fn corrected(
    text: Zeroizing<Vec<u8>>,
    origin: &SettingOrigin,
    to: &mut Diagnosis,
) -> Zeroizing<Vec<u8>> {
    // In a file or program output, one line ending is not a mistake.
    let is_variable = matches!(origin, SettingOrigin::Environment(_));
    let ended = text.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    let mut key = match ended.filter(|_| !is_variable) {
        Some(rest) => Zeroizing::new(rest.to_vec()),
        None => text,
    };
    for slip in mistakes(&key.clone()) {
        to.find(slip.cause, Likelihood::Certain, format!("{origin}: {}", slip.evidence));
        key = slip.corrected;
    }
    key
}

struct Live<'a> {
    patient: CheckedCall,
    options: &'a LiveOptions<'a>,
    environment: &'a Environment<'a>,
    to: &'a mut Diagnosis,
}

impl Live<'_> {
    fn run(&mut self) {
        let level = self.patient.level.unwrap_or(Level::Advanced);
        let Some(client) = self.patient.client(level, false) else {
            let evidence = "the given key is invalid: expected 1 to 256 visible ASCII characters";
            return self.to.find(Cause::Settings, Likelihood::Certain, evidence);
        };
        match client.ping() {
            Ok(ping) => self.good(level, &ping),
            Err(error) => self.bad(level, &error),
        }
    }

    fn good(&mut self, level: Level, ping: &Ping) {
        let corrected =
            if self.to.is_healthy() { "" } else { ", after correcting what is reported below" };
        self.to.step(format!("the tenant accepts the key as {level}{corrected}"));
        self.clock(ping.clock_offset_ms, Likelihood::Likely);
    }

    /// Reports a wrong clock, and its difference.
    fn clock(&mut self, offset_ms: Option<i64>, certainty: Likelihood) -> bool {
        let Some(ms) = offset_ms.filter(|ms| ms.unsigned_abs() > CLOCK_OFFSET_MS) else {
            return false;
        };
        let way = if ms > 0 { "behind" } else { "ahead of" };
        let seconds = ms.unsigned_abs() / 1000;
        let evidence = format!("this machine's clock is {seconds} s {way} the tenant's");
        self.to.find(Cause::ClockOff, certainty, evidence);
        true
    }

    fn bad(&mut self, level: Level, error: &CallError) {
        let (evidence, _) = message_and_help(error);
        let evidence = evidence.lines().next().unwrap_or_default().to_owned();
        let certain = |cause| (cause, Likelihood::Certain);
        let (cause, certainty) = match error {
            CallError::Refused(refused) if refused.status == 401 => {
                return self.unauthorized(level, refused);
            }
            CallError::Refused(refused) => match refused.status {
                402 => certain(Cause::NoLicence),
                403 => certain(Cause::MissingPermission),
                404 | 405 => self.not_the_api(),
                407 => certain(Cause::NoConnection),
                _ => certain(Cause::TenantUnavailable),
            },
            CallError::Tls { .. } => certain(Cause::Tls),
            CallError::Redirected { .. }
            | CallError::NotJson { .. }
            | CallError::UnexpectedShape { .. }
            | CallError::UnexpectedAnswer { .. }
            | CallError::NotHttp { .. } => self.not_the_api(),
            CallError::UnknownHost { .. }
            | CallError::Unreachable { .. }
            | CallError::ConnectTimeout { .. }
            | CallError::Timeout { .. }
            | CallError::Broken { .. }
            | CallError::Proxy { .. }
            | CallError::UnusableProxy { .. } => certain(Cause::NoConnection),
            _ => certain(Cause::Settings),
        };
        self.to.find(cause, certainty, evidence);
    }

    /// Reports a response that is not from the API: the console answers if the host lacks `api-`.
    fn not_the_api(&self) -> (Cause, Likelihood) {
        let host = self.patient.address.host();
        let is_name = host.contains(|c: char| c.is_ascii_alphabetic()) && !host.starts_with('[');
        if is_name && !host.starts_with("api-") {
            (Cause::ConsoleHost, Likelihood::Certain)
        } else {
            (Cause::NotTheApi, Likelihood::Certain)
        }
    }

    /// The response that every authentication error gets.
    fn unauthorized(&mut self, level: Level, refused: &RefusedCall) {
        if let Some(verdict) = &refused.headers.verdict {
            self.to.step(format!("the tenant refuses the key as {level}, with a reason"));
            return self.find_refusal(verdict, refused.clock_offset_ms);
        }
        self.to.step(format!("the tenant refuses the key as {level}, without a reason"));
        let off = refused.clock_offset_ms;
        if level == Level::Advanced && off.is_some_and(|ms| ms.unsigned_abs() > CLOCK_OFFSET_MS) {
            let corrected = self.patient.client(level, true).map(|client| client.ping());
            let helps = matches!(corrected, Some(Ok(_)));
            let helped = if helps { "helps" } else { "does not help by itself" };
            self.to.step(format!("signing with the tenant's time {helped}"));
            self.clock(off, if helps { Likelihood::Certain } else { Likelihood::Likely });
            if helps {
                return;
            }
        }
        if self.other_level(level) || self.asked_helper(level, off) {
            return;
        }
        self.guesses(level);
    }

    /// A tenant that explains refusals.
    fn find_refusal(&mut self, verdict: &str, offset_ms: Option<i64>) {
        let cause = match verdict {
            "missing-header" | "duplicate-header" | "bad-key-id" | "bad-nonce"
            | "bad-timestamp" | "bad-authorization" => Cause::HeadersStripped,
            "unknown-key" | "key-revoked" => Cause::WrongTenant,
            "level-mismatch" => Cause::LevelMismatch,
            "wrong-signature" => Cause::WrongKey,
            "key-expired" => Cause::Expired,
            "timestamp-stale" | "timestamp-future" => Cause::ClockOff,
            "replayed" => Cause::ReusedNonce,
            _ => Cause::TenantUnavailable,
        };
        if cause == Cause::ClockOff && self.clock(offset_ms, Likelihood::Certain) {
            return;
        }
        let evidence = match cause {
            Cause::HeadersStripped => {
                format!("all headers were sent, and the tenant reports {verdict}")
            }
            _ => format!("the tenant reports {verdict}"),
        };
        self.to.find(cause, Likelihood::Certain, evidence);
        if cause == Cause::WrongKey {
            self.digest_for_key();
        }
    }

    /// Whether the key works when it is used as the other level.
    fn other_level(&mut self, level: Level) -> bool {
        let other = match level {
            Level::Standard => Level::Advanced,
            Level::Advanced if self.options.try_standard => Level::Standard,
            Level::Advanced => {
                self.to.step(
                    "not tested whether the key is Standard: that would send it in the clear",
                );
                return false;
            }
        };
        let Some(Ok(_)) = self.patient.client(other, true).map(|client| client.ping()) else {
            self.to.step(format!("the tenant refuses the key as {other}, too"));
            return false;
        };
        let evidence = format!("the tenant accepts the key as {other}");
        self.to.find(Cause::LevelMismatch, Likelihood::Certain, evidence);
        true
    }

    /// What a key that may list keys can find out about this one.
    fn asked_helper(&mut self, level: Level, clock_offset_ms: Option<i64>) -> bool {
        let Some(helper) = self.options.helper else { return false };
        let id = self.patient.key_id;
        if helper.address() != &self.patient.address {
            self.to.step("the other profile belongs to another tenant and was not used");
            return false;
        }
        let found = match helper.find_key(id) {
            Ok(found) => found,
            Err(error) => {
                let error = chain(&error);
                let first = error.lines().next().unwrap_or_default();
                self.to.step(format!("the other key may not list keys: {first}"));
                return false;
            }
        };
        let Some(record) = found else {
            let evidence = format!("the tenant lists no key {id}");
            self.to.find(Cause::WrongTenant, Likelihood::Certain, evidence);
            return true;
        };
        // The tenant's time if it differs; it has whole seconds only.
        let off = clock_offset_ms.filter(|ms| ms.unsigned_abs() > CLOCK_OFFSET_MS);
        let now_ms = crate::transport::now_ms().saturating_add(off.unwrap_or(0));
        let is_over =
            record.expiration.is_some_and(|ms| i64::try_from(ms).is_ok_and(|ms| ms <= now_ms));
        let (cause, evidence) = if is_over {
            (Cause::Expired, format!("the tenant lists key {id} as expired"))
        } else if Level::from(record.security_level) != level {
            let listed = Level::from(record.security_level);
            (Cause::LevelMismatch, format!("the tenant lists key {id} as {listed}"))
        } else {
            let evidence = format!("the tenant lists key {id} as {level} and not expired");
            (Cause::WrongKey, evidence)
        };
        self.to.find(cause, Likelihood::Certain, evidence);
        if cause == Cause::WrongKey {
            self.digest_for_key();
        }
        true
    }

    /// The setting contains a digest instead of the key.
    fn digest_for_key(&mut self) {
        if is_digest(&self.patient.key) {
            let evidence = "the given key is 64 hexadecimal digits, like a SHA-256 digest";
            self.to.find(Cause::HashedStandardKey, Likelihood::Certain, evidence);
        }
    }

    /// The causes that cannot be distinguished from here, the most likely first.
    fn guesses(&mut self, level: Level) {
        use Likelihood::{Likely, Possible};
        if is_digest(&self.patient.key) {
            let evidence = "the given key is 64 hexadecimal digits, like a SHA-256 digest";
            self.to.find(Cause::HashedStandardKey, Likely, evidence);
        }
        if level == Level::Advanced && !self.options.try_standard {
            self.to.find(
                Cause::LevelMismatch,
                Possible,
                "not tested; --try-standard tests it by sending the key in the clear",
            );
        }
        let unseen = "only a key that may list keys can determine it (--ask PROFILE)";
        self.to.find(Cause::Expired, Possible, unseen);
        self.to.find(Cause::WrongTenant, Possible, unseen);
        self.to.find(Cause::WrongKey, Possible, unseen);
        if !self.patient.address.is_loopback()
            && let Some(variable) = proxy_variable(&self.patient.address, self.environment)
        {
            let evidence = format!("calls go through the proxy that {variable} names");
            self.to.find(Cause::HeadersStripped, Possible, evidence);
        }
    }
}
