//! Shared by the commands that create and replace keys: finds a key, and the path of their state.

use std::path::PathBuf;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_client::{Client, StateError, StatePlaces, state_folder};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::KeyRecord;

use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
pub(super) use crate::renewal::{lock_failure, nearest_lock_file, on_step, renew_failure};

/// A key of the tenant.
pub(super) fn find(client: &Client, id: KeyId) -> Result<(ApiKeyRecord, KeyRecord), Failure> {
    let found = client.find_key(id).map_err(|error| call_failure(&error))?;
    found.and_then(|key| key.row().map(|row| (key, row))).ok_or_else(|| no_such_key(client, id))
}

pub(super) const LIST_KEYS: &str = "`cortexkey keys list` lists the tenant's keys";

pub(super) fn no_such_key(client: &Client, id: KeyId) -> Failure {
    Failure::new(Exit::Findings, format!("{} has no key {id}", client.address())).help(LIST_KEYS)
}

/// Stops a command that would store a secret where everyone who may list keys reads it.
pub(super) fn check_comment(comment: Option<&str>) -> Result<(), Failure> {
    let checked = comment.map_or(Ok(()), cortexkey_client::check_comment);
    checked.map_err(|error| Failure::from_error(Exit::UsageError, &error))
}

/// The folder that keeps unfinished work between runs.
pub(super) fn places(lock_file: Option<PathBuf>) -> StatePlaces {
    StatePlaces { lock_file, state_folder: state_folder(&|name: &str| std::env::var_os(name)) }
}

pub(super) fn state_failure(error: &StateError) -> Failure {
    match error {
        StateError::Lock(error) => lock_failure(error),
        StateError::NoFolder => Failure::from_error(Exit::UsageError, error)
            .help("set one of them to a folder that you own"),
        error => Failure::from_error(Exit::UsageError, error),
    }
}
