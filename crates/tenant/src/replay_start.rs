//! Sets up replay protection at the start: the guard that the options select, and the floor of the
//! disk.

use std::sync::{Arc, RwLock};

use cortexkey_core::replay::Start;
use tokio::runtime::Handle;

use crate::options::{Options, ReplayMode};
use crate::own_guard::{GuardSize, OwnGuard};
use crate::redis_guard::{RedisFault, RedisGuard, RedisGuardError};
use crate::replay::{Floor, Memory, Replay};
use crate::start_error::StartError;
use crate::store::Disk;

/// How replays are handled.
pub(crate) fn replay(
    options: &Options,
    runtime: &Handle,
    disk: Option<&Arc<Disk>>,
    now_ms: u64,
) -> Result<Replay, StartError> {
    let is_shared = options.replay_server.is_some() && options.replay != ReplayMode::Off;
    let opened = disk.map(|disk| Floor::open(Arc::clone(disk), is_shared)).transpose()?;
    let (floor, floor_ms) = opened.unzip();
    let memory = match &options.replay_server {
        _ if options.replay == ReplayMode::Off => Memory::None,
        Some(url) => Memory::Shared(shared_guard(url, options, runtime, disk, now_ms)?),
        None => {
            // A fresh guard refuses timestamps up to its start plus the skew, so it starts that
            // much before the floor.
            let at_ms = floor_ms.map_or(now_ms, |ms: u64| ms.saturating_sub(options.skew.as_ms()));
            let size = GuardSize::new(options);
            let guard = OwnGuard { guard: size.guard(Start::Fresh { at_ms })?, since_ms: 0 };
            Memory::Own(RwLock::new(Box::new(guard)), size)
        }
    };
    Ok(Replay::new(options.replay, memory, floor))
}

fn shared_guard(
    url: &str,
    options: &Options,
    runtime: &Handle,
    disk: Option<&Arc<Disk>>,
    now_ms: u64,
) -> Result<RedisGuard, StartError> {
    let clock = options.clock.clone();
    let skew_ms = options.skew.as_ms();
    let connect = RedisGuard::connect(url, clock, now_ms, skew_ms, disk);
    // On its own thread: the caller may be within a runtime, where blocking is not allowed.
    let connected = std::thread::scope(|scope| {
        let connected = scope.spawn(|| runtime.block_on(connect)).join();
        connected.unwrap_or(Err(RedisGuardError::Server(RedisFault::Strange)))
    });
    connected.map_err(|error| match error {
        RedisGuardError::Server(fault) => StartError::ReplayServer(fault),
        RedisGuardError::Disk(error) => StartError::Disk(error),
    })
}
