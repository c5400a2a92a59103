//! The apply step: compares a staged tree with its index once more, all of it
//! and nothing beside it, and lets `active/<line>` name it. The link is replaced
//! by one call of the file system, so that after a crash it names the tree from
//! before or the new one, and both are whole (T-64).

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, MetadataExt as _};
use patchmesh_content::id::ContentId;
use patchmesh_content::index::{FileEntry, FileKind, ReleaseIndex};
use patchmesh_core::record::ReleaseState;
use patchmesh_pack::verify::FileCheck;

use crate::chunks::contents::Contents;

use crate::staged::STAGING;

/// Name of the folder of links to the releases in use, in the state folder.
pub(crate) const ACTIVE: &str = "active";
/// Lines whose release in use is shown.
const LINES_SHOWN_MAX: usize = 1_024;
/// Bytes read at once.
const BLOCK: usize = 256 * 1024;

/// Why a release was not put into use; what was in use before still is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// Something in the staged tree is not what was signed.
    #[error("StagedAltered: {path} {how}; `patchmesh fetch` stages it anew")]
    Altered {
        /// The path within the release.
        path: String,
        /// What differs.
        how: &'static str,
    },
    /// The disk failed or is full.
    #[error("failed to apply {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl ApplyError {
    /// The stable code of a refusal; `None` where the disk failed.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Altered { .. } => Some("StagedAltered"),
            Self::Io { .. } => None,
        }
    }
}

fn at(path: &str) -> impl FnOnce(io::Error) -> ApplyError {
    let path = path.to_owned();
    move |source| ApplyError::Io { path, source }
}

/// Puts the staged tree of a release into use below this state folder.
pub(crate) fn apply(index: &ReleaseIndex, state: &Path) -> Result<(), ApplyError> {
    let tree = state.join(STAGING).join(&index.line).join(&index.id);
    let tree = Dir::open_ambient_dir(tree, ambient_authority()).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            altered(&index.id, "is gone")
        } else {
            at(&index.id)(error)
        }
    })?;
    check(&tree, index)?;
    switch(index, state).map_err(at(&index.line))
}

/// Which staged tree a line has in use: its release id.
pub(crate) fn active(line: &str, state: &Path) -> Option<String> {
    let found = std::fs::read_link(state.join(ACTIVE).join(line)).ok()?;
    let id = found.file_name()?.to_str()?.to_owned();
    (found == target(line, &id)).then_some(id)
}

/// Lines that have a release in use, with its id; at most [`LINES_SHOWN_MAX`].
pub(crate) fn all_active(state: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(state.join(ACTIVE)).into_iter().flatten();
    let lines = entries.flatten().take(LINES_SHOWN_MAX);
    let names = lines.filter_map(|entry| {
        let line = entry.file_name().into_string().ok()?;
        let id = active(&line, state)?;
        Some((line, id))
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The states that the disk shows: a release is in use if its line's link names
/// its tree, whatever was written down before a crash.
pub(crate) fn as_on_disk(
    releases: &mut [(ContentId, ReleaseState)],
    contents: &Contents,
    state: &Path,
) {
    for (content, found) in releases {
        let Some(known) = contents.get(content) else {
            continue;
        };
        let index = &known.index;
        let in_use = active(&index.line, state).is_some_and(|id| id == index.id);
        *found = match *found {
            ReleaseState::Applying | ReleaseState::Good | ReleaseState::Staged if in_use => {
                ReleaseState::Good
            }
            ReleaseState::Applying | ReleaseState::Good => ReleaseState::Staged,
            other @ (ReleaseState::Known
            | ReleaseState::Fetching
            | ReleaseState::Staged
            | ReleaseState::Failed) => other,
        };
    }
}

/// Relative, so that a state folder that is moved stays whole.
fn target(line: &str, id: &str) -> PathBuf {
    Path::new("..").join(STAGING).join(line).join(id)
}

fn switch(index: &ReleaseIndex, state: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    let state = Dir::open_ambient_dir(state, ambient_authority())?;
    match state.create_dir_with(ACTIVE, &builder) {
        Ok(()) => sync(&state)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let links = state.open_dir(ACTIVE)?;
    // A leading dot keeps the name apart from every line.
    let new = format!(".{}.new", index.line);
    match links.remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    links.symlink_contents(target(&index.line, &index.id), &new)?;
    links.rename(&new, &links, &index.line)?;
    sync(&links)
}

fn sync(dir: &Dir) -> io::Result<()> {
    dir.open(".")?.sync_all()
}

/// Every entry of the index, and nothing else, is there as it was signed.
fn check(tree: &Dir, index: &ReleaseIndex) -> Result<(), ApplyError> {
    let entries = index.files.iter();
    let mut expected: BTreeMap<&str, Option<&FileEntry>> = BTreeMap::new();
    for entry in entries {
        // A folder above a file need not be an entry of its own.
        let slashes = entry.path.match_indices('/');
        for (end, _) in slashes {
            expected.entry(&entry.path[..end]).or_insert(None);
        }
        expected.insert(&entry.path, Some(entry));
    }
    refuse_strange(tree, "", &expected)?;
    for (path, entry) in &expected {
        match entry {
            Some(entry) => one(tree, entry)?,
            None => folder(tree, path)?,
        }
    }
    sync(tree).map_err(at(&index.id))
}

/// Goes through the tree without following a link.
fn refuse_strange(
    dir: &Dir,
    above: &str,
    expected: &BTreeMap<&str, Option<&FileEntry>>,
) -> Result<(), ApplyError> {
    for found in dir.entries().map_err(at(above))? {
        let found = found.map_err(at(above))?;
        let name = found.file_name().to_string_lossy().into_owned();
        let path = if above.is_empty() {
            name
        } else {
            format!("{above}/{name}")
        };
        if !expected.contains_key(path.as_str()) {
            return Err(altered(&path, "is no part of the release"));
        }
        if found.file_type().map_err(at(&path))?.is_dir() {
            let inner = found.open_dir().map_err(at(&path))?;
            refuse_strange(&inner, &path, expected)?;
        }
    }
    Ok(())
}

fn one(tree: &Dir, entry: &FileEntry) -> Result<(), ApplyError> {
    let path = &entry.path;
    let found = tree.symlink_metadata(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            altered(path, "is gone")
        } else {
            at(path)(error)
        }
    })?;
    let same_mode = found.mode() & 0o7777 == entry.mode;
    match &entry.kind {
        FileKind::Directory if !found.is_dir() => Err(altered(path, "is no folder")),
        FileKind::Directory if !same_mode => Err(altered(path, "has other permissions")),
        FileKind::Directory => folder(tree, path),
        FileKind::Link(target) => {
            let own = found.is_symlink().then(|| tree.read_link_contents(path));
            match own.transpose().map_err(at(path))? {
                Some(own) if own == Path::new(target) => Ok(()),
                Some(_) | None => Err(altered(path, "is another link")),
            }
        }
        FileKind::File { .. } if !found.is_file() => Err(altered(path, "is no file")),
        FileKind::File { .. } if !same_mode => Err(altered(path, "has other permissions")),
        FileKind::File { .. } => file(tree, entry),
    }
}

/// A folder is durable before it is in use.
fn folder(tree: &Dir, path: &str) -> Result<(), ApplyError> {
    let dir = tree.open_dir(path).map_err(at(path))?;
    sync(&dir).map_err(at(path))
}

fn file(tree: &Dir, entry: &FileEntry) -> Result<(), ApplyError> {
    let path = &entry.path;
    let mut check = FileCheck::new(entry).expect("the entry is a regular file");
    let mut file = tree.open(path).map_err(at(path))?;
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(len) => check.update(&block[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(at(path)(error)),
        }
    }
    if check.finish() {
        Ok(())
    } else {
        Err(altered(path, "has other bytes"))
    }
}

fn altered(path: &str, how: &'static str) -> ApplyError {
    ApplyError::Altered {
        path: path.to_owned(),
        how,
    }
}

#[cfg(test)]
mod tests;
