//! What a Rust program does where a C program calls the library, for `cargo xtask speed-abi`: the
//! same work with the core's own types, and nothing checked or laid out for C.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signature, Signer, StoredKey, Timestamp,
    Verifier,
};
use cortexkey_core::replay::{GuardRefusal, ReplayGuard, VerifiedUse};

/// The C side measures with the same.
const KEY: [u8; 128] = [b'k'; 128];
const TIME_MS: u64 = 1_700_000_000_000;

struct Data {
    signer: Signer,
    keys: HashMap<KeyId, StoredKey>,
    verifier: Verifier,
    /// Name and value of each header of a request.
    headers: Vec<(&'static str, String)>,
}

static DATA: LazyLock<Data> = LazyLock::new(|| {
    let id = KeyId::new(7).expect("not 0");
    let key = || Key::new(&KEY).expect("visible ASCII");
    let signer = Signer::new(id, Level::Advanced, key());
    let nonce = Nonce::new(&[b'n'; 64]).expect("letters");
    let time = Timestamp::from_ms(TIME_MS).expect("13 digits");
    let signed = signer.sign_with(nonce, time);
    let headers = signed.iter().map(|(name, value)| (name, value.to_owned())).collect();
    let keys = HashMap::from([(id, StoredKey::new(id, Level::Advanced, key()))]);
    Data { signer, keys, verifier: Verifier::new(), headers }
});

static BATCH: Mutex<[Signature; 1024]> = Mutex::new([Signature::EMPTY; 1024]);

/// Signs one request, with a nonce of the thread's and the machine's time.
#[unsafe(no_mangle)]
pub extern "C" fn direct_sign_one() {
    let _ = black_box(DATA.signer.sign_from_thread(now()));
}

/// Signs 64 requests at once.
#[unsafe(no_mangle)]
pub extern "C" fn direct_sign_64() {
    sign(64);
}

/// Signs 1,024 requests at once.
#[unsafe(no_mangle)]
pub extern "C" fn direct_sign_1024() {
    sign(1024);
}

/// Verifies one request by its headers, and takes from it what a guard of one's own needs.
#[unsafe(no_mangle)]
pub extern "C" fn direct_verify_one() {
    let pairs = DATA.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let request = Request::parse(pairs, NonceLengths::EXACT).expect("well formed");
    let stored = DATA.keys.get(&request.key_id());
    let principal = DATA.verifier.verify(&request, stored, TIME_MS, &Tags);
    let _ = black_box(principal.expect("authentic"));
}

fn sign(count: usize) {
    let mut batch = BATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let signer = DATA.signer.advanced().expect("an Advanced key");
    let places = batch.get_mut(..count).expect("room");
    signer.sign_batch_from_thread(now(), places).expect("random bytes");
}

fn now() -> Timestamp {
    Timestamp::from_system_time(SystemTime::now()).expect("a sane clock")
}

struct Tags;

impl ReplayGuard for Tags {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        black_box((verified.shared_tag(), verified.remember_until_ms()));
        Ok(())
    }
}
