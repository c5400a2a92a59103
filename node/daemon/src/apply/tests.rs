//! Trees that were altered, and links after crashes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ChunkId, blake3};
use patchmesh_content::index::ChunkEntry;
use patchmesh_trust::key::sha256;
use tempfile::TempDir;

use super::*;

/// Harm to a staged tree.
type Change = fn(&Path);

const BYTES: &[u8] = b"the tool";

/// A release of one file in a folder, and a link to it.
fn release(id: &str) -> ReleaseIndex {
    let entry = |path: &str, mode, kind| FileEntry {
        path: path.to_owned(),
        mode,
        kind,
    };
    let file = FileKind::File {
        len: BYTES.len() as u64,
        blake3: blake3(BYTES),
        sha256: sha256(BYTES),
        first: ChunkIndex(0),
        count: 1,
        offset: 0,
    };
    ReleaseIndex {
        line: "desktop".to_owned(),
        id: id.to_owned(),
        severity: String::new(),
        cves: vec![],
        files: vec![
            entry("bin", 0o755, FileKind::Directory),
            entry("bin/tool", 0o755, file),
            entry("run", 0o777, FileKind::Link("bin/tool".to_owned())),
        ],
        chunks: vec![ChunkEntry {
            id: ChunkId(blake3(BYTES)),
            len: 8,
            wire_len: 9,
        }],
        sequence: vec![],
        pack: [0; 32],
    }
}

/// Its tree as the stage step leaves it.
fn staged(state: &TempDir, id: &str) -> PathBuf {
    let tree = state.path().join(STAGING).join("desktop").join(id);
    fs::create_dir_all(tree.join("bin")).unwrap();
    fs::write(tree.join("bin/tool"), BYTES).unwrap();
    for path in ["bin", "bin/tool"] {
        fs::set_permissions(tree.join(path), Permissions::from_mode(0o755)).unwrap();
    }
    symlink("bin/tool", tree.join("run")).unwrap();
    tree
}

/// T-64.
#[test]
fn what_is_in_use_is_the_last_tree_that_was_whole() {
    let state = TempDir::new().unwrap();
    assert_eq!(active("desktop", state.path()), None);
    staged(&state, "A");
    apply(&release("A"), state.path()).unwrap();
    let tool = state.path().join(ACTIVE).join("desktop/run");
    assert_eq!(fs::read(&tool).unwrap(), BYTES);
    let changes: [(&str, Change); 9] = [
        ("has other bytes", |tree| {
            fs::write(tree.join("bin/tool"), b"the t00l").unwrap();
        }),
        ("has other bytes", |tree| {
            fs::write(tree.join("bin/tool"), b"the").unwrap();
        }),
        ("has other bytes", |tree| {
            fs::write(tree.join("bin/tool"), b"the tool!").unwrap();
        }),
        ("is gone", |tree| {
            fs::remove_file(tree.join("bin/tool")).unwrap();
        }),
        ("is no part of the release", |tree| {
            fs::write(tree.join("bin/more"), b"").unwrap();
        }),
        ("has other permissions", |tree| {
            let mode = Permissions::from_mode(0o4755);
            fs::set_permissions(tree.join("bin/tool"), mode).unwrap();
        }),
        ("is another link", |tree| {
            fs::remove_file(tree.join("run")).unwrap();
            symlink("/bin/sh", tree.join("run")).unwrap();
        }),
        ("is no file", |tree| {
            fs::remove_file(tree.join("bin/tool")).unwrap();
            symlink("../run", tree.join("bin/tool")).unwrap();
        }),
        ("is gone", |tree| fs::remove_dir_all(tree).unwrap()),
    ];
    for (wanted, change) in changes {
        let tree = staged(&state, "B");
        change(&tree);
        let error = apply(&release("B"), state.path()).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("StagedAltered: ") && said.contains(wanted),
            "{said}"
        );
        assert_eq!(error.code(), Some("StagedAltered"));
        assert_eq!(
            active("desktop", state.path()),
            Some("A".to_owned()),
            "{wanted}"
        );
        assert_eq!(fs::read(&tool).unwrap(), BYTES);
        drop(fs::remove_dir_all(&tree));
    }
    staged(&state, "B");
    apply(&release("B"), state.path()).unwrap();
    assert_eq!(active("desktop", state.path()), Some("B".to_owned()));
}

/// The link is made aside and takes its place by one call: whatever a crash
/// leaves, the line has the tree from before, and the next apply goes through.
#[test]
fn what_a_crash_leaves_is_the_tree_from_before() {
    let state = TempDir::new().unwrap();
    staged(&state, "A");
    staged(&state, "B");
    apply(&release("A"), state.path()).unwrap();
    let links = state.path().join(ACTIVE);
    symlink(target("desktop", "B"), links.join(".desktop.new")).unwrap();
    assert_eq!(active("desktop", state.path()), Some("A".to_owned()));
    let contents = Contents::default();
    let index = release("B");
    let content = ReleaseIndex::content_id(&index.encode());
    contents.insert(content, index);
    let mut states = vec![(content, ReleaseState::Applying)];
    as_on_disk(&mut states, &contents, state.path());
    assert_eq!(states[0].1, ReleaseState::Staged, "it was not reached");
    apply(&release("B"), state.path()).unwrap();
    states[0].1 = ReleaseState::Applying;
    as_on_disk(&mut states, &contents, state.path());
    assert_eq!(
        states[0].1,
        ReleaseState::Good,
        "it was reached, and not noted"
    );
    // A link to somewhere else is no release in use.
    fs::remove_file(links.join("desktop")).unwrap();
    symlink("/etc", links.join("desktop")).unwrap();
    assert_eq!(active("desktop", state.path()), None);
    as_on_disk(&mut states, &contents, state.path());
    assert_eq!(states[0].1, ReleaseState::Staged);
}
