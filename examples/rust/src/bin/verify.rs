//! Verifies a request, and refuses the same headers when they are sent again.

#![allow(clippy::print_stdout, reason = "the outcome is the program's output")]

use std::error::Error;
use std::time::SystemTime;

use cortexkey_core::auth::{
    Key, KeyId, Level, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict, Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Start};

fn main() -> Result<(), Box<dyn Error>> {
    let id = KeyId::new(7).ok_or("a key id is never 0")?;
    let key = b"a-key-of-the-example";
    let now = Timestamp::from_system_time(SystemTime::now())?;

    // What the service stores: the key, and one guard for all keys.
    let stored = StoredKey::new(id, Level::Advanced, Key::new(key)?);
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 12_000, // 100 requests per second, for twice the skew of 60 seconds
        skew: Skew::DEFAULT,
        start: Start::First, // after a restart: `Start::Fresh`, which refuses what it may have forgotten
        secret: MemoryGuardConfig::secret_from_system()?,
    });
    let verifier = Verifier::new();

    // What a client sent.
    let signer = Signer::new(id, Level::Advanced, Key::new(key)?);
    let headers = signer.sign_from_system(now)?;

    for attempt in 1..=2 {
        let request = Request::parse(headers.iter(), NonceLengths::EXACT);
        // `None` for an unknown id: the verifier does the same work and refuses.
        let outcome = request
            .and_then(|request| verifier.verify(&request, Some(&stored), now.as_ms(), &guard));
        match (attempt, outcome) {
            (1, Ok(principal)) => println!("accepted: key {}", principal.key_id()),
            // The verdict is for the log. The client gets the same 401 for every refusal.
            (2, Err(Verdict::Replayed)) => println!("refused: {}", Verdict::Replayed),
            (_, Ok(_)) => return Err("the second request was accepted".into()),
            (_, Err(verdict)) => return Err(verdict.message().into()),
        }
    }
    Ok(())
}
