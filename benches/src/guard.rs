//! Inserts into a replay guard and into its alternative: new requests in chronological order, as in
//! a service. Only inserts are timed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verifier,
};
use cortexkey_core::replay::{
    GuardRefusal, MemoryGuard, MemoryGuardConfig, Quota, ReplayGuard, Start, VerifiedUse,
};

use crate::KEY;

/// How many entries guard and map have when measuring starts. The map grows by half as many; the
/// guard forgets old ones.
pub const LIVE: u64 = 1 << 20;
/// Inserts in one measurement: few, so that their data is in a near cache, as in a service that has
/// just verified the request; and enough to read the clock seldom.
pub const CHUNK: u64 = 1 << 8;
const NOW_MS: u64 = 1_790_611_732_512;

/// Inserts new uses, chunk by chunk.
pub struct Inserting {
    signer: Signer,
    stored: StoredKey,
    quota: Option<Quota>,
    guard: MemoryGuard,
    next: u64,
}

/// Only a verifier creates a guard's input; this records it.
#[derive(Default)]
struct Recorder(RefCell<Vec<VerifiedUse>>);

impl ReplayGuard for Recorder {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        self.0.borrow_mut().push(*verified);
        Ok(())
    }
}

impl Inserting {
    /// With a guard that has room for two million, half full.
    ///
    /// # Panics
    /// If the system returns no random bytes.
    #[must_use]
    pub fn new(quota: Option<Quota>) -> Self {
        let id = KeyId::new(7).expect("not 0");
        let key = Key::new(KEY.as_bytes()).expect("a key");
        let signer = Signer::new(id, Level::Advanced, key);
        let stored = StoredKey::new(id, Level::Advanced, key);
        let mut inserting = Self { signer, stored, quota, guard: guard(quota), next: 0 };
        inserting.fill();
        inserting
    }

    fn fill(&mut self) {
        self.guard = guard(self.quota);
        self.next = 0;
        while self.next < LIVE {
            self.chunk();
        }
    }

    /// How long one chunk took.
    ///
    /// # Panics
    /// If the guard refuses a new request.
    pub fn chunk(&mut self) -> Duration {
        let uses = self.uses();
        let start = Instant::now();
        for verified in &uses {
            assert!(self.guard.check_and_insert(black_box(verified)).is_ok());
        }
        start.elapsed()
    }

    fn uses(&mut self) -> Vec<VerifiedUse> {
        let recorder = Recorder::default();
        for number in self.next..self.next + CHUNK {
            let nonce = Nonce::new(format!("{number:064}").as_bytes()).expect("64 digits");
            // A million in a minute, one after another, so that a million are live.
            let signed_ms = NOW_MS + number * 60_000 / LIVE;
            let now = Timestamp::from_ms(signed_ms).expect("13 digits");
            let headers = self.signer.sign_with(nonce, now);
            let request = Request::from_values(&headers.values(), NonceLengths::EXACT);
            let request = request.expect("we accept what we sign");
            let answer = Verifier::new().verify(&request, Some(&self.stored), signed_ms, &recorder);
            assert!(answer.is_ok());
        }
        self.next += CHUNK;
        recorder.0.into_inner()
    }
}

fn guard(quota: Option<Quota>) -> MemoryGuard {
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: usize::try_from(2 * LIVE).expect("fits"),
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: MemoryGuardConfig::secret_from_system().expect("the system has randomness"),
    });
    match quota {
        Some(quota) => guard.with_quota(quota),
        None => guard,
    }
}

/// The alternative to a guard: a map from the nonce to the time, behind a lock.
#[derive(Default)]
pub struct LockedMap {
    map: Mutex<HashMap<String, u64>>,
    next: u64,
}

impl LockedMap {
    /// With as many entries as the guard.
    #[must_use]
    pub fn new() -> Self {
        let mut map = Self::default();
        map.fill();
        map
    }

    fn fill(&mut self) {
        while self.next < LIVE {
            self.chunk();
        }
    }

    /// How long one chunk took.
    ///
    /// # Panics
    /// If the map has an entry that is new.
    pub fn chunk(&mut self) -> Duration {
        if self.next + CHUNK > LIVE + LIVE / 2 {
            *self = Self::new();
        }
        let nonces: Vec<_> = (self.next..self.next + CHUNK).map(|n| format!("{n:064}")).collect();
        self.next += CHUNK;
        let start = Instant::now();
        for nonce in nonces {
            let mut map = self.map.lock().expect("nobody panics");
            assert!(map.insert(black_box(nonce), NOW_MS).is_none());
        }
        start.elapsed()
    }
}
