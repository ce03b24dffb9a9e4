//! The sources of nonces and times. The time and the nonces of `cxk_nonce()` come from the
//! operating system; the nonces of requests come from a generator per thread that the system seeds.

use std::time::SystemTime;

use cortexkey_core::auth::{Headers, Level, Nonce, Signer, Timestamp};

use crate::headers::cxk_signature;
use crate::status::{CXK_CLOCK_FAILED, CXK_INTERNAL, CXK_NOT_ADVANCED, CXK_RNG_FAILED, cxk_status};

/// A nonce from the operating system.
pub(crate) fn nonce() -> Result<Nonce, cxk_status> {
    Nonce::from_system().map_err(|_| CXK_RNG_FAILED)
}

/// The system time.
pub(crate) fn now() -> Result<Timestamp, cxk_status> {
    Timestamp::from_system_time(SystemTime::now()).map_err(|_| CXK_CLOCK_FAILED)
}

/// A placeholder for a Standard key, which sends no time.
pub(crate) fn any_time() -> Result<Timestamp, cxk_status> {
    Timestamp::from_ms(1_000_000_000_000).map_err(|_| CXK_INTERNAL)
}

/// Headers with the system time and a new nonce.
pub(crate) fn headers(signer: &Signer) -> Result<Headers<'_>, cxk_status> {
    let time = match signer.level() {
        // A Standard key needs no clock, so a wrong clock is no error.
        Level::Standard => any_time()?,
        Level::Advanced => now()?,
    };
    signer.sign_from_thread(time).map_err(|_| CXK_RNG_FAILED)
}

/// Signs a batch with one system time. The signer must have an Advanced key. If it succeeds, every
/// byte of `out` is written.
pub(crate) fn batch(signer: &Signer, out: &mut [cxk_signature]) -> Result<(), cxk_status> {
    let signer = signer.advanced().ok_or(CXK_NOT_ADVANCED)?;
    let time = now()?;
    let digits = digits(time);
    signer.sign_batch_from_thread(time, out).map_err(|_| CXK_RNG_FAILED)?;
    for place in out {
        place.finish(&digits);
    }
    Ok(())
}

/// The 13 digits of a time, without an allocation.
fn digits(time: Timestamp) -> [u8; 13] {
    let mut digits = [b'0'; 13];
    let mut left = time.as_ms();
    for place in digits.iter_mut().rev() {
        *place += u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    digits
}
