//! Walks a folder. What cannot stand in a release is refused by name; nothing
//! is left out silently.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_content::path::folded;
use patchmesh_pack::name;
use patchmesh_proto::limits::INDEX_FILES_MAX;

use crate::failure::Failure;
use crate::text::safe;

/// One entry of the tree.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Path in the release.
    pub(crate) path: String,
    /// Permission bits.
    pub(crate) mode: u32,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What an entry is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Where it lies.
        place: PathBuf,
        /// Length in bytes when it was seen.
        len: u64,
        /// Device and inode when it was seen.
        identity: (u64, u64),
    },
    /// A symbolic link with this target.
    Link(String),
}

/// Mode of every link: systems disagree, and none uses it.
const LINK_MODE: u32 = 0o777;

/// All entries below a folder, or one file, in ascending byte order of their
/// paths.
pub(crate) fn walk(root: &Path) -> anyhow::Result<Vec<Entry>> {
    let failed = || format!("failed to read {}", root.display());
    let metadata = fs::metadata(root).with_context(failed)?;
    let mut entries = Vec::new();
    if metadata.is_dir() {
        let mut folders = vec![(root.to_owned(), Vec::new())];
        while let Some((folder, prefix)) = folders.pop() {
            walk_folder(&folder, &prefix, &mut entries, &mut folders)?;
        }
    } else {
        let name = root.file_name().unwrap_or_default().as_bytes();
        entries.push(entry(root, name, &metadata)?);
    }
    if entries.is_empty() {
        let message = format!("{} is empty", root.display());
        return Err(Failure::failed("E_TREE_EMPTY", message).into());
    }
    entries.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    refuse_clash(&entries)?;
    Ok(entries)
}

/// The index refuses such a pair too, but does not say which one it is.
fn refuse_clash(entries: &[Entry]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for entry in entries {
        if let Some(other) = seen.insert(folded(&entry.path), &entry.path) {
            let message = format!(
                "{} and {} are one name where case or Unicode normalisation is ignored",
                safe(other),
                safe(&entry.path)
            );
            let hint = "a file system of macOS or Windows would keep one of them: rename the other";
            return Err(Failure::failed("E_TREE_NAME", message).hint(hint).into());
        }
    }
    Ok(())
}

fn walk_folder(
    folder: &Path,
    prefix: &[u8],
    entries: &mut Vec<Entry>,
    folders: &mut Vec<(PathBuf, Vec<u8>)>,
) -> anyhow::Result<()> {
    let failed = || format!("failed to read {}", folder.display());
    for found in fs::read_dir(folder).with_context(failed)? {
        let found = found.with_context(failed)?;
        let mut path = prefix.to_vec();
        path.extend_from_slice(found.file_name().as_bytes());
        let place = found.path();
        let metadata = fs::symlink_metadata(&place)
            .with_context(|| format!("failed to look at {}", place.display()))?;
        if entries.len() == INDEX_FILES_MAX {
            let message = format!("more than {INDEX_FILES_MAX} files");
            return Err(Failure::failed("E_TREE_TOO_LARGE", message).into());
        }
        entries.push(entry(&place, &path, &metadata)?);
        if metadata.is_dir() {
            path.push(b'/');
            folders.push((place, path));
        }
    }
    Ok(())
}

fn entry(place: &Path, path: &[u8], metadata: &Metadata) -> anyhow::Result<Entry> {
    let path = name::checked_path(path)
        .map_err(|error| Failure::failed("E_TREE_NAME", error.to_string()))?;
    let kind = metadata.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(place)
            .with_context(|| format!("failed to read the link {}", place.display()))?;
        let target = name::checked_target(&path, target.as_os_str().as_bytes())
            .map_err(|error| Failure::failed("E_TREE_LINK", error.to_string()))?;
        return Ok(Entry {
            path,
            mode: LINK_MODE,
            kind: Kind::Link(target),
        });
    }
    let mode = permissions(&path, metadata)?;
    if kind.is_dir() {
        return Ok(Entry {
            path,
            mode,
            kind: Kind::Directory,
        });
    }
    if kind.is_file() {
        let kind = Kind::File {
            place: place.to_owned(),
            len: metadata.len(),
            identity: (metadata.dev(), metadata.ino()),
        };
        return Ok(Entry { path, mode, kind });
    }
    let what = if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    let message = format!(
        "{} is {what}; only files, folders and links are released",
        safe(&path)
    );
    Err(Failure::failed("E_TREE_KIND", message).into())
}

fn permissions(path: &str, metadata: &Metadata) -> anyhow::Result<u32> {
    let mode = metadata.mode() & 0o7777;
    if mode > 0o777 {
        let message = format!(
            "{} has mode {mode:o}; set-uid, set-gid and sticky bits are not released",
            safe(path)
        );
        let failure = Failure::failed("E_TREE_MODE", message);
        return Err(failure
            .hint("take the bit away: chmod u-s,g-s,-t PATH")
            .into());
    }
    Ok(mode)
}

/// Opens a file, if it is still the one that was seen.
pub(crate) fn open(place: &Path, identity: (u64, u64)) -> anyhow::Result<File> {
    let failed = || format!("failed to open {}", place.display());
    let file = File::open(place).with_context(failed)?;
    let metadata = file.metadata().with_context(failed)?;
    if !metadata.is_file() || (metadata.dev(), metadata.ino()) != identity {
        let message = format!("{} was replaced while it was read", place.display());
        return Err(Failure::failed("E_TREE_CHANGED", message).into());
    }
    Ok(file)
}
