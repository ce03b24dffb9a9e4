//! Where nonces and times come from: the operating system.
//!
//! It refuses a fallback: without random bytes or a sane clock nothing is signed.

use std::time::SystemTime;

use cortexkey_core::auth::{Headers, Level, Nonce, Signer, Timestamp};

use crate::headers::cxk_signature;
use crate::status::{CXK_CLOCK_FAILED, CXK_INTERNAL, CXK_RNG_FAILED, cxk_status};

/// A nonce.
pub(crate) fn nonce() -> Result<Nonce, cxk_status> {
    Nonce::from_system().map_err(|_| CXK_RNG_FAILED)
}

/// The machine's time.
pub(crate) fn now() -> Result<Timestamp, cxk_status> {
    Timestamp::from_system_time(SystemTime::now()).map_err(|_| CXK_CLOCK_FAILED)
}

/// For a Standard key, which sends no time.
pub(crate) fn any_time() -> Result<Timestamp, cxk_status> {
    Timestamp::from_ms(1_000_000_000_000).map_err(|_| CXK_INTERNAL)
}

/// Headers with the machine's time and a fresh nonce.
pub(crate) fn headers(signer: &Signer) -> Result<Headers<'_>, cxk_status> {
    let time = match signer.level() {
        // A Standard key works where the clock does not.
        Level::Standard => any_time()?,
        Level::Advanced => now()?,
    };
    signer.sign_from_system(time).map_err(|_| CXK_RNG_FAILED)
}

/// Signs all places of a batch at one time of the machine, with an Advanced key.
pub(crate) fn batch(signer: &Signer, out: &mut [cxk_signature]) -> Result<(), cxk_status> {
    let time = now()?;
    for place in out {
        place.put(&signer.sign_from_system(time).map_err(|_| CXK_RNG_FAILED)?)?;
    }
    Ok(())
}
