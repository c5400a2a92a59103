//! The order in which a staging folder is built from a release index.

use std::collections::BTreeSet;

use patchmesh_content::index::{FileEntry, FileKind, ReleaseIndex};

/// Mode of a folder that the index only implies.
pub const IMPLIED_MODE: u32 = 0o755;

/// One step of building a tree. Paths are relative to the root and were
/// checked with the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Make a folder that its owner can write into, whatever its final mode.
    MakeDirectory {
        /// Where.
        path: &'a str,
    },
    /// Write a regular file, new, never through a link.
    WriteFile {
        /// The file.
        file: &'a FileEntry,
    },
    /// Make a symbolic link.
    MakeLink {
        /// Where.
        path: &'a str,
        /// Its target text.
        target: &'a str,
    },
    /// Give a folder its final mode.
    SetMode {
        /// Where.
        path: &'a str,
        /// Permission bits.
        mode: u32,
    },
}

/// All steps of a checked index: folders before what is in them, links after
/// all files so that no write can pass through one, and final modes of folders
/// last and from the inside out, so that a folder without write permission
/// does not stop the work in it.
pub fn steps(index: &ReleaseIndex) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = directories(index)
        .into_iter()
        .map(|path| Step::MakeDirectory { path })
        .collect();
    let files = index.files.iter();
    let is_file = |file: &&FileEntry| matches!(file.kind, FileKind::File { .. });
    steps.extend(files.filter(is_file).map(|file| Step::WriteFile { file }));
    steps.extend(index.files.iter().filter_map(|file| match &file.kind {
        FileKind::Link(target) => Some(Step::MakeLink {
            path: &file.path,
            target,
        }),
        FileKind::Directory | FileKind::File { .. } => None,
    }));
    steps.extend(modes(index));
    steps
}

/// Folders that are listed, and those that paths imply; parents first.
fn directories(index: &ReleaseIndex) -> BTreeSet<&str> {
    let mut all = BTreeSet::new();
    for file in &index.files {
        if matches!(file.kind, FileKind::Directory) {
            all.insert(file.path.as_str());
        }
        let mut rest = file.path.as_str();
        while let Some((parent, _)) = rest.rsplit_once('/') {
            if !all.insert(parent) {
                break;
            }
            rest = parent;
        }
    }
    all
}

fn modes(index: &ReleaseIndex) -> Vec<Step<'_>> {
    let listed: BTreeSet<&str> = index
        .files
        .iter()
        .filter(|file| matches!(file.kind, FileKind::Directory))
        .map(|file| file.path.as_str())
        .collect();
    let implied = directories(index)
        .into_iter()
        .filter(|path| !listed.contains(path))
        .map(|path| (path, IMPLIED_MODE));
    let stated = index
        .files
        .iter()
        .filter(|file| matches!(file.kind, FileKind::Directory))
        .map(|file| (file.path.as_str(), file.mode));
    let mut all: Vec<(&str, u32)> = stated.chain(implied).collect();
    all.sort_unstable();
    let modes = all.into_iter().rev();
    modes
        .map(|(path, mode)| Step::SetMode { path, mode })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, mode: u32, kind: FileKind) -> FileEntry {
        FileEntry {
            path: path.to_owned(),
            mode,
            kind,
        }
    }

    fn file(path: &str) -> FileEntry {
        let kind = FileKind::File {
            len: 0,
            blake3: [0; 32],
            sha256: [0; 32],
            first: patchmesh_content::geometry::ChunkIndex(0),
            count: 0,
            offset: 0,
        };
        entry(path, 0o644, kind)
    }

    #[test]
    fn folders_come_first_links_late_and_modes_last_from_the_inside() {
        let index = ReleaseIndex {
            line: "desktop".to_owned(),
            id: "KB-1".to_owned(),
            severity: String::new(),
            cves: vec![],
            files: vec![
                entry("a", 0o555, FileKind::Directory),
                entry("a/link", 0o777, FileKind::Link("x".to_owned())),
                file("a/x"),
                file("b/c/y"),
            ],
            chunks: vec![],
            sequence: vec![],
            pack: [0; 32],
        };
        assert_eq!(index.check(0), Ok(()));
        let make = |path| Step::MakeDirectory { path };
        let set = |path, mode| Step::SetMode { path, mode };
        assert_eq!(
            steps(&index),
            [
                make("a"),
                make("b"),
                make("b/c"),
                Step::WriteFile {
                    file: &index.files[2]
                },
                Step::WriteFile {
                    file: &index.files[3]
                },
                Step::MakeLink {
                    path: "a/link",
                    target: "x"
                },
                set("b/c", IMPLIED_MODE),
                set("b", IMPLIED_MODE),
                set("a", 0o555),
            ]
        );
    }
}
