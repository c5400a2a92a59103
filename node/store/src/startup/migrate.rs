//! The format version of the store folder.

use std::io;
use std::path::Path;

use crate::disk::Disk;
use crate::durable::replace;
use crate::error::OpenError;
use crate::layout::Layout;

/// Newest format this program reads and writes.
const FORMAT: u32 = 1;
/// First words of the format file.
const HEAD: &str = "patchmesh-store ";
/// Longest format file.
const FORMAT_LEN_MAX: usize = 64;
/// What a store folder may hold, whether its format is written or not.
const NAMES: [&str; 11] = [
    "lock",
    "index",
    "quarantine",
    "incoming",
    "chunks",
    "trust",
    "indexes",
    "releases",
    "format",
    "format.tmp",
    "lost+found",
];

/// Refuses a folder of a newer format and one that holds something else; a
/// newer one is never written to. Whether the format is still to be written.
pub(crate) fn check(disk: &dyn Disk, layout: &Layout) -> Result<bool, OpenError> {
    let path = layout.format();
    let dir = || layout.dir().to_owned();
    let io_error = |path: &Path, source| OpenError::Io {
        action: "reading",
        path: path.to_owned(),
        source,
    };
    let text = match disk.read(&path, FORMAT_LEN_MAX) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // Longer than any format file.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(Vec::new()),
        Err(error) => return Err(io_error(&path, error)),
    };
    match text.as_deref().map(version) {
        Some(Some(FORMAT)) => return Ok(false),
        Some(Some(found)) if found > FORMAT => {
            return Err(OpenError::Newer {
                dir: dir(),
                found,
                known: FORMAT,
            });
        }
        Some(_) | None => {}
    }
    let names = disk
        .list(layout.dir())
        .map_err(|error| io_error(layout.dir(), error))?;
    if !names.iter().all(|name| NAMES.contains(&name.as_str())) {
        return Err(OpenError::NotAStore { dir: dir() });
    }
    match text {
        None => Ok(true),
        Some(_) => Err(OpenError::Format { dir: dir(), path }),
    }
}

/// Writes the format file; the last step of creating a store.
pub(crate) fn write(disk: &dyn Disk, layout: &Layout) -> io::Result<()> {
    replace(
        disk,
        &layout.format(),
        format!("{HEAD}{FORMAT}\n").as_bytes(),
    )
}

fn version(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    text.strip_prefix(HEAD)?.strip_suffix('\n')?.parse().ok()
}
