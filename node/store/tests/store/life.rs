//! The ordinary life of a store: put, read, quota, sweep, records, restart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use patchmesh_content::id::{ContentId, blake3};
use patchmesh_core::record::{Record, ReleaseState};
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;
use patchmesh_store::{CommitError, FullCause, OpenError, Opened, Options, Put, PutError};
use patchmesh_store::{StateName, Store};
use patchmesh_trust::role::RoleName;

use crate::make::{SEAL_LEN, chunk, filled, open};

#[test]
fn a_chunk_is_readable_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (id, wire) = chunk(1, 70_000);
    let store = open(dir.path()).store;
    assert_eq!(store.read_chunk(&id).unwrap(), None);
    assert_eq!(store.put_chunk(&id, &wire).unwrap(), Put::Written);
    assert_eq!(store.put_chunk(&id, &wire).unwrap(), Put::Present);
    assert_eq!(store.read_chunk(&id).unwrap(), Some(wire.clone()));
    let synced = store.sync().unwrap();
    assert_eq!((synced.chunks, synced.bytes), (1, 70_000 + SEAL_LEN));
    assert_eq!(store.sync().unwrap().chunks, 0);
    assert_eq!(store.read_chunk(&id).unwrap(), Some(wire.clone()));
    drop(store);
    let opened = open(dir.path());
    assert_eq!(opened.restored.chunks, [id]);
    assert_eq!(opened.store.read_chunk(&id).unwrap(), Some(wire));
    assert_eq!(opened.report, patchmesh_store::OpenReport::default());
}

#[test]
fn a_full_batch_becomes_durable_without_a_call() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        batch_bytes_max: 3_000,
        ..Options::new(1 << 30)
    };
    let store = Store::open(dir.path(), options).unwrap().store;
    for number in 0..3 {
        let (id, wire) = chunk(number, 1_000);
        store.put_chunk(&id, &wire).unwrap();
    }
    assert_eq!(store.usage().pending_bytes, 0);
    assert_eq!(
        fs::read_dir(dir.path().join("incoming")).unwrap().count(),
        0
    );
}

#[test]
fn the_quota_refuses_with_its_name_and_a_sweep_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(2 * (1_000 + SEAL_LEN));
    let store = Store::open(dir.path(), options).unwrap().store;
    let [(a, wire_a), (b, wire_b), (c, wire_c)] = [0, 1, 2].map(|number| chunk(number, 1_000));
    store.put_chunk(&a, &wire_a).unwrap();
    store.put_chunk(&b, &wire_b).unwrap();
    let refused = store.put_chunk(&c, &wire_c).unwrap_err();
    assert!(
        refused.to_string().contains("store.quota is 2080"),
        "{refused}"
    );
    let PutError::Full { used, quota, cause } = refused else {
        panic!("{refused}");
    };
    assert_eq!((used, quota, cause), (2_080, 2_080, FullCause::Quota));
    assert!(!store.contains(&c) && !store.usage().has_room(1));

    // The open batch is nobody's leftovers yet.
    assert_eq!(store.sweep(|id| *id == a).unwrap().chunks, 0);
    store.sync().unwrap();
    let swept = store.sweep(|id| *id == a).unwrap();
    assert_eq!((swept.chunks, swept.bytes), (1, 1_040));
    assert_eq!(store.put_chunk(&c, &wire_c).unwrap(), Put::Written);
    assert!(store.remove(&c).unwrap() && !store.remove(&c).unwrap());
    assert_eq!(store.usage().pending_bytes, 0);
    store.close().unwrap();
    drop(store);
    assert_eq!(open(dir.path()).restored.chunks, [a]);
}

#[test]
fn a_frame_longer_than_the_wire_allows_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    let (id, wire) = chunk(1, CHUNK_WIRE_LEN_MAX + 1);
    let refused = store.put_chunk(&id, &wire);
    assert!(matches!(refused, Err(PutError::TooLong { .. })));
    let (id, wire) = chunk(2, CHUNK_WIRE_LEN_MAX);
    store.put_chunk(&id, &wire).unwrap();
    store.sync().unwrap();
    assert_eq!(store.read_chunk(&id).unwrap(), Some(wire));
}

fn document(role: RoleName, version: u64) -> Record {
    Record::Document {
        bytes: Arc::from(format!("{role} {version}").into_bytes()),
        floors: format!("floors after {role} {version}").into_bytes(),
        role,
        version,
    }
}

#[test]
fn records_come_back_in_the_order_the_verifier_needs() {
    let dir = tempfile::tempdir().unwrap();
    let line = RoleName::Line("desktop".to_owned());
    let index: Arc<[u8]> = Arc::from(&b"an index"[..]);
    let content = ContentId(blake3(&index));
    let records = [
        document(RoleName::Root, 1),
        document(RoleName::Root, 10),
        document(RoleName::Root, 9),
        document(RoleName::Targets, 2),
        document(RoleName::Timestamp, 7),
        document(RoleName::Timestamp, 8),
        document(line.clone(), 3),
        Record::Index {
            content,
            bytes: index.clone(),
        },
        Record::Release {
            content,
            state: ReleaseState::Fetching,
        },
    ];
    let store = open(dir.path()).store;
    for record in &records {
        store.commit(record).unwrap();
    }
    drop(store);
    let Opened {
        store, restored, ..
    } = open(dir.path());
    let texts: Vec<_> = restored
        .documents
        .iter()
        .map(|(role, bytes)| (role.clone(), String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    let expected = [
        (RoleName::Root, "root 1"),
        (RoleName::Root, "root 9"),
        (RoleName::Root, "root 10"),
        (RoleName::Timestamp, "timestamp 8"),
        (RoleName::Targets, "targets 2"),
        (line, "release/desktop 3"),
    ];
    assert_eq!(texts, expected.map(|(role, text)| (role, text.to_owned())));
    assert_eq!(
        restored.floors,
        Some(b"floors after release/desktop 3".to_vec())
    );
    assert_eq!(restored.indexes, [(content, index.clone())]);
    assert_eq!(restored.releases, [(content, ReleaseState::Fetching)]);
    assert_eq!(store.read_index(&content).unwrap(), Some(index.to_vec()));
    assert!(dir.path().join("trust/release%2Fdesktop.json").exists());

    store.commit(&Record::Forget { content }).unwrap();
    store.commit(&Record::Forget { content }).unwrap();
    assert_eq!(store.read_index(&content).unwrap(), None);
    drop(store);
    let restored = open(dir.path()).restored;
    assert!(restored.indexes.is_empty() && restored.releases.is_empty());
}

#[test]
fn a_hostile_role_or_a_misnamed_index_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    let escape = store.commit(&document(RoleName::Line("../../x".to_owned()), 1));
    assert!(matches!(escape, Err(CommitError::BadRole { .. })));
    let misnamed = store.commit(&Record::Index {
        content: ContentId([1; 32]),
        bytes: Arc::from(&b"x"[..]),
    });
    assert!(matches!(misnamed, Err(CommitError::BadIndex { .. })));
}

#[test]
fn small_state_files_come_back_and_a_damaged_one_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    assert_eq!(store.read_state(StateName::Identity).unwrap(), None);
    store.put_state(StateName::Identity, b"key").unwrap();
    store.put_state(StateName::Cert, b"cert").unwrap();
    let state = dir.path().join("trust/state");
    assert_eq!(
        store.read_state(StateName::Identity).unwrap(),
        Some(b"key".to_vec())
    );
    // One file in the place of another is damage too.
    fs::copy(state.join("cert"), state.join("identity")).unwrap();
    assert!(store.read_state(StateName::Identity).is_err());
    assert_eq!(store.read_state(StateName::Identity).unwrap(), None);
    assert!(dir.path().join("quarantine/identity").exists());
}

#[test]
fn only_the_owner_may_look_into_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("store");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    filled(&dir, 3);
    let store = open(&dir).store;
    store.put_state(StateName::Identity, b"key").unwrap();
    assert_modes(&dir);
}

fn assert_modes(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    if path.is_file() {
        assert_eq!(mode, 0o600, "{}", path.display());
        return;
    }
    assert_eq!(mode, 0o700, "{}", path.display());
    // sled makes its own files; their folder keeps others out.
    if !path.ends_with("index") {
        for entry in fs::read_dir(path).unwrap() {
            assert_modes(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_newer_format_and_a_foreign_folder_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 1);
    let format = dir.path().join("format");
    fs::write(&format, "patchmesh-store 2\n").unwrap();
    let refused = Store::open(dir.path(), Options::new(1));
    assert!(matches!(
        refused,
        Err(OpenError::Newer {
            found: 2,
            known: 1,
            ..
        })
    ));
    assert_eq!(fs::read_to_string(&format).unwrap(), "patchmesh-store 2\n");

    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("letter.txt"), "dear").unwrap();
    let refused = Store::open(foreign.path(), Options::new(1));
    assert!(matches!(refused, Err(OpenError::NotAStore { .. })));
    assert!(!foreign.path().join("chunks").exists());
    fs::write(foreign.path().join("format"), "PDF").unwrap();
    let refused = Store::open(foreign.path(), Options::new(1));
    assert!(matches!(refused, Err(OpenError::NotAStore { .. })));
}

#[test]
fn a_store_whose_format_file_is_damaged_says_so_and_opens_without_it() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 1);
    let format = dir.path().join("format");
    for damaged in [
        String::new(),
        "\0".repeat(18),
        "patchmesh-store 1".repeat(9),
    ] {
        fs::write(&format, &damaged).unwrap();
        let refused = Store::open(dir.path(), Options::new(1 << 40));
        let Err(OpenError::Format { path, .. }) = refused else {
            panic!("{damaged:?}: {refused:?}");
        };
        assert_eq!(fs::read_to_string(path).unwrap(), damaged);
    }
    fs::remove_file(&format).unwrap();
    assert_eq!(open(dir.path()).restored.chunks.len(), 1);
    assert_eq!(fs::read_to_string(&format).unwrap(), "patchmesh-store 1\n");
}

#[test]
fn threads_that_put_sync_read_and_sweep_do_not_lose_a_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        batch_chunks_max: 16,
        ..Options::new(1 << 30)
    };
    let store = Store::open(dir.path(), options).unwrap().store;
    // Neighbours write the same 100 numbers of each 150.
    thread::scope(|scope| {
        for from in [0, 50, 100, 150] {
            let store = &store;
            scope.spawn(move || {
                for number in from..from + 150 {
                    let (id, wire) = chunk(number, 2_000);
                    store.put_chunk(&id, &wire).unwrap();
                    assert_eq!(store.read_chunk(&id).unwrap(), Some(wire));
                    if number % 40 == 0 {
                        store.sync().unwrap();
                        store.sweep(|_| true).unwrap();
                        store.scrub(10_000, |_, _| true).unwrap();
                    }
                }
            });
        }
    });
    store.close().unwrap();
    assert_eq!(store.usage().used_bytes, 300 * (2_000 + SEAL_LEN));
    drop(store);
    assert_eq!(open(dir.path()).restored.chunks.len(), 300);
}
