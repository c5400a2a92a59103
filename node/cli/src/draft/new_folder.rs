//! A folder that appears under its name only once it is complete. What an
//! interrupted run left under the temporary name is taken away by the next.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Failure;
use crate::files;

/// A folder that is being filled.
#[derive(Debug)]
pub(crate) struct NewFolder {
    scratch: PathBuf,
    path: PathBuf,
    /// Held for its lock: the system ends it if the process dies.
    _lock: File,
    done: bool,
}

impl NewFolder {
    /// Begins a folder beside its later name, at which nothing stands.
    pub(crate) fn begin(path: &Path) -> anyhow::Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        let last = path.file_name().ok_or_else(|| {
            let message = format!("{} is no name for a new folder", path.display());
            Failure::usage(message)
        });
        name.push(last?);
        name.push(".new");
        let scratch = path.with_file_name(name);
        files::make_folder(&scratch, 0o755)?;
        let failed = || format!("failed to prepare {}", scratch.display());
        let lock = File::open(&scratch).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(path).into()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        // A run that ended in between has given the folder its name.
        let locked = lock.metadata().with_context(failed)?.ino();
        if fs::metadata(&scratch).map_or(0, |found| found.ino()) != locked {
            return Err(busy(path).into());
        }
        for entry in fs::read_dir(&scratch).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let folder = entry.file_type().with_context(failed)?.is_dir();
            let remove = if folder {
                fs::remove_dir_all
            } else {
                fs::remove_file
            };
            remove(entry.path()).with_context(failed)?;
        }
        Ok(Self {
            scratch,
            path: path.to_owned(),
            _lock: lock,
            done: false,
        })
    }

    /// Where to write.
    pub(crate) fn place(&self) -> &Path {
        &self.scratch
    }

    /// Gives the folder its name.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let failed = || format!("failed to write {}", self.path.display());
        files::refuse_existing(&self.path)?;
        files::sync_folder(&self.scratch).with_context(failed)?;
        fs::rename(&self.scratch, &self.path).with_context(failed)?;
        self.done = true;
        let parent = self.path.parent().filter(|p| !p.as_os_str().is_empty());
        files::sync_folder(parent.unwrap_or_else(|| Path::new("."))).with_context(failed)
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.done {
            // The run has failed already; the next one clears what stays.
            drop(fs::remove_dir_all(&self.scratch));
        }
    }
}

fn busy(path: &Path) -> Failure {
    Failure::busy(format!("another run writes {}", path.display()))
}
