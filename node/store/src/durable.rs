//! Small files that are durable on return, and files taken out of the way.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, write_all};
use crate::layout::{Layout, TEMPORARY};

/// Damaged files kept for a person to look at; further ones are only removed.
const QUARANTINED_MAX: usize = 64;

/// Writes a file: temporary name, write, fsync, rename, fsync of the folder.
/// On an error the file has its old or its new content, and may be written again.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = with_suffix(path, TEMPORARY);
    let written = disk.create(&temporary).and_then(|mut file| {
        write_all(file.as_mut(), bytes)?;
        file.sync()
    });
    if let Err(error) = written.and_then(|()| disk.rename(&temporary, path)) {
        // The next start removes it if this does not.
        disk.remove(&temporary).ok();
        return Err(error);
    }
    disk.sync_dir(parent(path))
}

/// Removes a file durably; one that is not there is fine.
pub(crate) fn erase(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => disk.sync_dir(parent(path)),
    }
}

/// Takes a damaged file away: into `quarantine/`, or, when that is full or
/// cannot be written, by removing it.
pub(crate) fn quarantine(disk: &dyn Disk, layout: &Layout, path: &Path) -> io::Result<()> {
    let name = path.file_name().expect("a file of the store has a name");
    let kept = disk
        .list(&layout.quarantine())
        .map_or(usize::MAX, |names| names.len());
    if kept < QUARANTINED_MAX && disk.rename(path, &layout.quarantine().join(name)).is_ok() {
        return Ok(());
    }
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().expect("a file of the store lies in a folder")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}
