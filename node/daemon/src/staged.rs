//! Whether a release that counts as staged still stands on the disk, which a
//! person or another program may have tidied while the node was down.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use patchmesh_content::id::ContentId;
use patchmesh_content::index::{FileEntry, FileKind, ReleaseIndex};
use patchmesh_core::record::ReleaseState;

use crate::chunks::contents::Contents;

/// Name of the folder of staged releases in the state folder.
pub(crate) const STAGING: &str = "staging";

/// Takes the state from every staged release of which a path is gone or a file
/// has another length: the engine stages it again, from chunks that it has.
/// Contents are not read, since a start has no time for it.
pub(crate) fn forget_lost(
    releases: &mut Vec<(ContentId, ReleaseState)>,
    contents: &Contents,
    staging: &Path,
) {
    releases.retain(|(content, state)| {
        let known = contents.get(content);
        let Some(known) = known.filter(|_| {
            matches!(
                state,
                ReleaseState::Staged | ReleaseState::Applying | ReleaseState::Good
            )
        }) else {
            return true;
        };
        let index = &known.index;
        match lost(index, staging) {
            None => true,
            Some(path) => {
                let (line, id) = (&index.line, &index.id);
                tracing::warn!(%line, %id, path, "a staged file is gone or cut; staging again");
                false
            }
        }
    });
}

/// The first path that is not as it was staged.
fn lost<'a>(index: &'a ReleaseIndex, staging: &Path) -> Option<&'a str> {
    let root = staging.join(&index.line).join(&index.id);
    let Ok(tree) = Dir::open_ambient_dir(root, ambient_authority()) else {
        return Some(&index.id);
    };
    let mut files = index.files.iter();
    let first = files.find(|file| !stands(&tree, file).unwrap_or(false));
    first.map(|file| file.path.as_str())
}

fn stands(tree: &Dir, file: &FileEntry) -> io::Result<bool> {
    let found = tree.symlink_metadata(&file.path)?;
    Ok(match &file.kind {
        FileKind::Directory => found.is_dir(),
        FileKind::File { len, .. } => found.is_file() && found.len() == *len,
        FileKind::Link(target) => {
            found.is_symlink() && tree.read_link_contents(&file.path)? == Path::new(target)
        }
    })
}
