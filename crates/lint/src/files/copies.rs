//! Reads the copies of remote policies, and checks them against their lock file.
//!
//! Nothing is fetched. A copy that is missing, changed, or not in the lock file is an error.

use std::collections::BTreeMap;
use std::path::Path;

use cortexkey_manifest::policy::pinned::{LOCK, PolicyLock};
use sha2::{Digest as _, Sha256};

use super::{Options, RunError, companions};

/// The copies of one policy, with the locks that were read.
#[derive(Default)]
pub(super) struct Copies {
    /// By the folder that they are below.
    locks: BTreeMap<String, Result<PolicyLock, RunError>>,
}

impl Copies {
    /// The bytes of a copy. `base` is the folder of the policy that extends it.
    pub(super) fn read(
        &mut self,
        options: &Options,
        home: &Path,
        base: &str,
        path: &str,
    ) -> Result<Vec<u8>, RunError> {
        let read_lock = || lock(options, home, base);
        let lock = self.locks.entry(base.to_owned()).or_insert_with(read_lock);
        let lock = lock.as_ref().map_err(Clone::clone)?;
        let copy = path.strip_prefix(base).unwrap_or(path);
        let expected = lock.digests.get(copy).ok_or_else(|| {
            RunError::new(format!(
                "this policy is not fetched yet: {base}{LOCK} does not list {copy}"
            ))
        })?;
        let bytes = companions::read_inside(options, home, &options.folder.join(path));
        let bytes = bytes.map_err(|why| why.message(path))?;
        let digest = hex::encode(Sha256::digest(&bytes));
        if digest != *expected {
            let message = format!("{path} was changed: its digest is not the one in {base}{LOCK}");
            return Err(RunError::new(message));
        }
        Ok(bytes)
    }
}

fn lock(options: &Options, home: &Path, base: &str) -> Result<PolicyLock, RunError> {
    let name = format!("{base}{LOCK}");
    let bytes = companions::read_inside(options, home, &options.folder.join(&name));
    let bytes = bytes.map_err(|why| format!("a remote policy: {}", why.message(&name)))?;
    let text = core::str::from_utf8(&bytes).ok().and_then(PolicyLock::parse);
    text.ok_or_else(|| RunError::new(format!("{name} is not a policy lock file")))
}
