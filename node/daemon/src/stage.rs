//! The stage step: builds a release's file tree from held chunks, below a
//! directory handle, and moves it to its place only when every file is equal
//! to its signed hashes.

use std::io::{self, Write as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};
use cap_std::fs::{Permissions, PermissionsExt as _};
use patchmesh_content::index::{FileEntry, FileKind, ReleaseIndex};
use patchmesh_pack::assemble::{AssembleRefusal, FileAssembler};
use patchmesh_pack::compress::{WireRefusal, decode};
use patchmesh_pack::steps::{Step, steps};
use patchmesh_store::{ReadError, Store};
use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;

use tokio_util::sync::CancellationToken;

use crate::room;

/// Why a release was not staged; the staging folder keeps what it had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// A chunk is not in the store.
    #[error("failed to stage {path}: a chunk is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A chunk in the store does not decode.
    #[error("failed to stage {path}: {refusal}")]
    Frame {
        /// The file.
        path: String,
        /// What is wrong with it.
        refusal: WireRefusal,
    },
    /// The file is not what was signed.
    #[error("failed to stage {path}: {refusal}")]
    Assemble {
        /// The file.
        path: String,
        /// What differs.
        refusal: AssembleRefusal,
    },
    /// The store failed.
    #[error("failed to stage {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// It was told to end.
    #[error("ended before it was staged")]
    Ended,
    /// The disk failed or is full.
    #[error("failed to stage {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl StageError {
    /// Whether more free disk space is all that it takes.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => room::is_full(source),
            Self::Ended
            | Self::Missing { .. }
            | Self::Frame { .. }
            | Self::Assemble { .. }
            | Self::Read { .. } => false,
        }
    }

    /// Whether the chunks at rest are the cause.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Frame { .. } | Self::Assemble { .. } => true,
            Self::Read { source, .. } => matches!(source, ReadError::Damaged { .. }),
            Self::Ended | Self::Io { .. } => false,
        }
    }
}

/// Stages a release below `root`; a complete tree already there is replaced.
/// Told to end before the tree is whole, it leaves none.
pub(crate) fn stage(
    store: &Store,
    index: &ReleaseIndex,
    root: &Path,
    ended: &CancellationToken,
) -> Result<(), StageError> {
    let at = |path: &str| {
        let path = path.to_owned();
        move |source| StageError::Io { path, source }
    };
    std::fs::create_dir_all(root.join(&index.line)).map_err(at(&index.line))?;
    let line = Dir::open_ambient_dir(root.join(&index.line), ambient_authority());
    let line = line.map_err(at(&index.line))?;
    // A leading dot keeps the name apart from every release id.
    let scratch = format!(".{}.new", index.id);
    remove_tree(&line, &scratch).map_err(at(&scratch))?;
    make_dir(&line, &scratch).map_err(at(&scratch))?;
    let tree = line.open_dir(&scratch).map_err(at(&scratch))?;
    let mut steps = steps(index).into_iter();
    let built = steps.try_for_each(|step| {
        if ended.is_cancelled() {
            return Err(StageError::Ended);
        }
        do_step(store, index, &tree, step)
    });
    if let Err(error) = built.and_then(|()| sync_dir(&tree).map_err(at(&scratch))) {
        // Half a tree is of no use and may be what fills the disk.
        remove_tree(&line, &scratch).ok();
        return Err(error);
    }
    let old = place(&line, &scratch, &index.id).map_err(at(&index.id))?;
    sync_dir(&line).map_err(at(&index.line))?;
    remove_tree(&line, &old).map_err(at(&old))
}

/// Gives a tree its name, and the one before, if there is one, the name that is
/// returned. A tree that is in use is never missing from its place: the two
/// change places by one call, where the file system can do that.
fn place(line: &Dir, scratch: &str, name: &str) -> io::Result<String> {
    match renameat_with(line, scratch, line, name, RenameFlags::EXCHANGE) {
        Ok(()) => return Ok(scratch.to_owned()),
        Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    let old = format!(".{name}.old");
    remove_tree(line, &old)?;
    match line.rename(name, line, &old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    line.rename(scratch, line, name)?;
    Ok(old)
}

/// Removes a staged release, if it is there.
pub(crate) fn unstage(index: &ReleaseIndex, root: &Path) -> io::Result<()> {
    match Dir::open_ambient_dir(root.join(&index.line), ambient_authority()) {
        Ok(line) => remove_tree(&line, &index.id),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn do_step(
    store: &Store,
    index: &ReleaseIndex,
    tree: &Dir,
    step: Step<'_>,
) -> Result<(), StageError> {
    let (path, done) = match step {
        Step::MakeDirectory { path } => (path, make_dir(tree, path)),
        Step::WriteFile { file } => return write_file(store, index, tree, file),
        Step::MakeLink { path, target } => (path, tree.symlink_contents(target, path)),
        Step::SetMode { path, mode } => (
            path,
            tree.set_permissions(path, Permissions::from_mode(mode)),
        ),
    };
    done.map_err(|source| StageError::Io {
        path: path.to_owned(),
        source,
    })
}

fn write_file(
    store: &Store,
    index: &ReleaseIndex,
    tree: &Dir,
    entry: &FileEntry,
) -> Result<(), StageError> {
    let path = || entry.path.clone();
    let io = |source| StageError::Io {
        path: path(),
        source,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = tree.open_with(&entry.path, &options).map_err(io)?;
    if matches!(entry.kind, FileKind::File { .. }) {
        let mut assembler = FileAssembler::new(index, entry).expect("the entry is a regular file");
        while let Some((_, chunk)) = assembler.wanted() {
            let frame = store
                .read_chunk(&chunk.id)
                .map_err(|source| StageError::Read {
                    path: path(),
                    source,
                })?
                .ok_or_else(|| StageError::Missing { path: path() })?;
            let plain = decode(&frame, chunk.len).map_err(|refusal| StageError::Frame {
                path: path(),
                refusal,
            })?;
            let bytes = assembler
                .feed(&plain)
                .map_err(|refusal| StageError::Assemble {
                    path: path(),
                    refusal,
                })?;
            file.write_all(bytes).map_err(io)?;
        }
        assembler.finish().map_err(|refusal| StageError::Assemble {
            path: path(),
            refusal,
        })?;
    }
    file.set_permissions(Permissions::from_mode(entry.mode))
        .map_err(io)?;
    file.sync_all().map_err(io)
}

fn make_dir(parent: &Dir, path: &str) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    parent.create_dir_with(path, &builder)
}

fn sync_dir(dir: &Dir) -> io::Result<()> {
    dir.open(".")?.sync_all()
}

/// Removes a tree of which folders may lack write permission.
fn remove_tree(parent: &Dir, name: &str) -> io::Result<()> {
    match parent.symlink_metadata(name) {
        Ok(found) if !found.is_dir() => return parent.remove_file(name),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    open_up(&parent.open_dir(name)?)?;
    parent.remove_dir_all(name)
}

fn open_up(dir: &Dir) -> io::Result<()> {
    dir.set_permissions(".", Permissions::from_mode(0o700))?;
    for entry in dir.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.open_dir()?)?;
        }
    }
    Ok(())
}
