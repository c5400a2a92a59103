//! Files and folders: read with a cap, written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Failure;

/// Mode of files that everybody may read.
pub(crate) const MODE_PUBLIC: u32 = 0o644;
/// Mode of files with a secret.
pub(crate) const MODE_SECRET: u32 = 0o600;

/// Scratch files of killed runs that are passed over.
const SCRATCHES_MAX: u32 = 1_000;

/// Reads a file of at most `len_max` bytes.
pub(crate) fn read(path: &Path, len_max: usize) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("failed to read {}", path.display());
    let file = File::open(path).with_context(failed)?;
    let mut bytes = Vec::new();
    let cap = u64::try_from(len_max).unwrap_or(u64::MAX);
    let mut capped = file.take(cap.saturating_add(1));
    capped.read_to_end(&mut bytes).with_context(failed)?;
    if bytes.len() > len_max {
        let message = format!("{} is longer than {len_max} bytes", path.display());
        return Err(Failure::trust("E_TRUST_TOO_LARGE", message).into());
    }
    Ok(bytes)
}

/// As [`read`]; `None` if there is no such file.
pub(crate) fn read_if_there(path: &Path, len_max: usize) -> anyhow::Result<Option<Vec<u8>>> {
    if path.exists() {
        read(path, len_max).map(Some)
    } else {
        Ok(None)
    }
}

/// Writes a file whole or not at all, durably, in place of what stood there.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let mut writing = Writing::begin(path, mode).with_context(failed)?;
    writing.file.write_all(bytes).with_context(failed)?;
    writing.finish().with_context(failed)
}

/// As [`write()`], for a path at which nothing may stand yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    refuse_existing(path)?;
    write(path, bytes, mode)
}

/// Refuses a path at which something stands.
pub(crate) fn refuse_existing(path: &Path) -> anyhow::Result<()> {
    if path.symlink_metadata().is_ok() {
        let message = format!("{} exists already", path.display());
        let failure = Failure::failed("E_EXISTS", message);
        return Err(failure
            .hint("move it away, or choose another place with --out")
            .into());
    }
    Ok(())
}

/// Makes a folder and what is missing above it.
pub(crate) fn make_folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(mode);
    builder
        .create(path)
        .with_context(|| format!("failed to make the folder {}", path.display()))
}

/// Makes a folder durable that has a new name in it.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A file that appears under its name only once it is complete and durable.
#[derive(Debug)]
pub(crate) struct Writing {
    /// Where to write.
    pub(crate) file: File,
    scratch: PathBuf,
    path: PathBuf,
    done: bool,
}

impl Writing {
    /// Begins a file beside its later name. A killed run may have left its
    /// scratch file, and in a container the next run has the same number: that
    /// file stays, since it may as well be another container's, at work.
    pub(crate) fn begin(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut number = 0;
        let (file, scratch) = loop {
            let mut scratch = name.to_owned();
            scratch.push(format!(".tmp{}-{number}", std::process::id()));
            let scratch = path.with_file_name(scratch);
            let mut options = OpenOptions::new();
            let options = options.write(true).create_new(true).mode(mode);
            match options.open(&scratch) {
                Err(error) if is_taken(&error) && number < SCRATCHES_MAX => number += 1,
                opened => break (opened?, scratch),
            }
        };
        Ok(Self {
            file,
            scratch,
            path: path.to_owned(),
            done: false,
        })
    }

    /// Makes the bytes durable, then the name.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.scratch, &self.path)?;
        self.done = true;
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty());
        sync_folder(folder.unwrap_or_else(|| Path::new(".")))
    }
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.done {
            // A scratch file that stays does no harm, it only takes room.
            drop(fs::remove_file(&self.scratch));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scratch_file_of_a_killed_run_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.json");
        let killed = Writing::begin(&path, MODE_PUBLIC).unwrap();
        let left = killed.scratch.clone();
        std::mem::forget(killed);
        write(&path, b"new", MODE_PUBLIC).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(&left).unwrap(), b"");
    }
}
