//! One publisher at a time: two would write different documents under one version.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::Context as _;

use crate::failure::Failure;

/// Name of the lock file in a repository.
const LOCK_FILE: &str = ".lock";

/// Held until dropped; the system ends it if the process dies.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held for its lock")] File);

/// Takes the lock of a repository, or ends with exit 11.
pub(crate) fn take(repository: &Path) -> anyhow::Result<Lock> {
    let path = repository.join(LOCK_FILE);
    let failed = || format!("failed to lock {}", path.display());
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run publishes into {}", repository.display());
            Err(Failure::busy(message).into())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}
