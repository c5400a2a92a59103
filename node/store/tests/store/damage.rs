//! Damage at rest: the index lost or overwritten, bits flipped, files gone.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use patchmesh_content::id::{ChunkId, ContentId, blake3};
use patchmesh_core::record::{Record, Witnessed};
use patchmesh_store::{ReadError, Scrubbed, Store};
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::time::UtcTime;

use crate::make::{chunk, file, filled, is_chunk, open};

const COUNT: u32 = 300;

#[test]
fn t07_index_loss_rebuilds() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("deleted", |index| fs::remove_dir_all(index).unwrap()),
        ("truncated", |index| {
            fs::write(index.join("db"), b"").unwrap();
        }),
        ("overwritten", |index| {
            let len = fs::metadata(index.join("db")).unwrap().len();
            fs::write(index.join("db"), vec![0xa5; usize::try_from(len).unwrap()]).unwrap();
        }),
        ("wrong magic", |index| {
            fs::write(index.join("conf"), b"something else").unwrap();
        }),
        ("a file in its place", |index| {
            fs::remove_dir_all(index).unwrap();
            fs::write(index, b"not a folder").unwrap();
        }),
    ];
    for (name, damage) in damages {
        let dir = tempfile::tempdir().unwrap();
        let ids = filled(dir.path(), COUNT);
        damage(&dir.path().join("index"));
        let opened = open(dir.path());
        assert!(opened.report.index_rebuilt, "{name}");
        assert!(!opened.report.index_off, "{name}");
        assert_eq!(opened.restored.chunks, ids, "{name}");
        for id in &ids {
            assert!(opened.store.read_chunk(id).unwrap().is_some());
        }
        drop(opened);
        let again = open(dir.path());
        assert!(!again.report.index_rebuilt, "{name}");
        assert_eq!(again.restored.chunks, ids, "{name}");
    }
}

#[test]
fn flipped_index_pages_never_cost_a_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let ids = filled(dir.path(), COUNT);
    let db = dir.path().join("index/db");
    let whole = fs::read(&db).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 12) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x40;
        fs::write(&db, flipped).unwrap();
        assert_eq!(open(dir.path()).restored.chunks, ids, "byte {at}");
    }
}

#[test]
fn chunks_are_what_the_files_say_not_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let mut ids = filled(dir.path(), 20);
    let gone = ids.remove(7);
    fs::remove_file(file(dir.path(), &gone)).unwrap();
    let opened = open(dir.path());
    assert_eq!(opened.restored.chunks, ids);
    assert_eq!(opened.store.usage().used_bytes, 19 * 1_040);
}

/// Scrubs one round.
fn scrub(store: &Store) -> Scrubbed {
    let mut all = Scrubbed::default();
    while !all.wrapped {
        let step = store.scrub(50_000, is_chunk).unwrap();
        all.chunks += step.chunks;
        all.bytes += step.bytes;
        all.damaged.extend(step.damaged);
        all.damaged_indexes.extend(step.damaged_indexes);
        all.wrapped = step.wrapped;
    }
    all
}

#[test]
fn t06_one_scrub_finds_every_flipped_bit_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let ids = filled(dir.path(), COUNT);
    let opened = open(dir.path());
    let mut bad: Vec<ChunkId> = Vec::new();
    for (number, id) in ids.iter().enumerate().step_by(3) {
        let path = file(dir.path(), id);
        let mut bytes = fs::read(&path).unwrap();
        let at = number * 31 % bytes.len();
        bytes[at] ^= 1 << (number % 8);
        fs::write(path, bytes).unwrap();
        bad.push(*id);
    }
    let cut = ids[1];
    fs::write(file(dir.path(), &cut), b"short").unwrap();
    bad.push(cut);
    bad.sort_unstable();
    let mut found = scrub(&opened.store);
    found.damaged.sort_unstable();
    assert_eq!(found.damaged, bad);
    assert_eq!(found.chunks, ids.len());
    assert_eq!(scrub(&opened.store).damaged, []);
    assert!(bad.iter().all(|id| !opened.store.contains(id)));
    assert!(fs::read_dir(dir.path().join("quarantine")).unwrap().count() <= 64);
    // What was taken away may come again.
    let (id, wire) = (0..COUNT)
        .map(|number| chunk(number, 1_000))
        .find(|(id, _)| *id == cut)
        .unwrap();
    opened.store.put_chunk(&id, &wire).unwrap();
    opened.store.sync().unwrap();
    assert_eq!(opened.store.read_chunk(&id).unwrap(), Some(wire));
}

#[test]
fn a_sealed_frame_that_does_not_decode_is_found_by_the_callers_check() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    let (id, _) = chunk(1, 100);
    store.put_chunk(&id, b"wrong from the start").unwrap();
    store.sync().unwrap();
    assert_eq!(scrub(&store).damaged, [id]);
    assert_eq!(store.read_chunk(&id).unwrap(), None);
}

#[test]
fn damage_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let ids = filled(dir.path(), 2);
    let store = open(dir.path()).store;
    fs::rename(file(dir.path(), &ids[0]), file(dir.path(), &ids[1])).unwrap();
    for id in &ids {
        assert!(matches!(
            store.read_chunk(id),
            Err(ReadError::Damaged { .. })
        ));
        assert_eq!(store.read_chunk(id).unwrap(), None);
    }
    assert_eq!(store.usage().used_bytes, 0);
}

#[test]
fn damaged_release_indexes_are_found_running_and_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let bytes: Arc<[u8]> = Arc::from(&b"index"[..]);
    let content = ContentId(blake3(&bytes));
    let path = dir.path().join(format!("indexes/{content}.index"));
    let record = Record::Index { content, bytes };
    let store = open(dir.path()).store;
    store.commit(&record).unwrap();
    fs::write(&path, b"indeX").unwrap();
    assert_eq!(scrub(&store).damaged_indexes, [content]);
    store.commit(&record).unwrap();
    drop(store);
    fs::write(&path, b"Index").unwrap();
    let opened = open(dir.path());
    assert!(opened.restored.indexes.is_empty());
    assert_eq!(opened.report.quarantined, [path.display().to_string()]);
}

#[test]
fn damaged_floors_are_kept_aside_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    let record = Record::Document {
        role: "timestamp".parse().unwrap(),
        version: 1,
        bytes: Arc::from(&b"{}"[..]),
        floors: b"floors".to_vec(),
    };
    store.commit(&record).unwrap();
    drop(store);
    let path = dir.path().join("trust/state/floors");
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    let opened = open(dir.path());
    assert!(opened.report.floors_damaged);
    assert_eq!(opened.restored.floors, None);
    assert_eq!(opened.restored.documents.len(), 1);
    assert!(dir.path().join("quarantine/floors").exists());
}

/// What a witness signed comes back as it was, or is known to be lost; never
/// something else.
#[test]
fn what_was_signed_as_a_witness_comes_back_or_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(open(dir.path()).restored.witnessed, None);
    let witnessed = Witnessed {
        head: LogHead {
            size: 300,
            root: [7; 32],
        },
        utc: UtcTime(1_800_000_000),
    };
    let [kept, gone] = [[1; 32], [2; 32]];
    let cosignature = |witness, bytes: Option<&[u8]>| Record::Cosignature {
        witness,
        bytes: bytes.map(Arc::from),
    };
    let store = open(dir.path()).store;
    for record in [
        Record::Witnessed(Witnessed::default()),
        Record::Witnessed(witnessed),
        cosignature(kept, Some(b"low")),
        cosignature(kept, Some(b"high")),
        cosignature(gone, Some(b"high")),
        cosignature(gone, None),
    ] {
        store.commit(&record).unwrap();
    }
    drop(store);
    let restored = open(dir.path()).restored;
    assert_eq!(restored.witnessed, Some(witnessed));
    assert_eq!(restored.cosignatures, [Arc::from(&b"high"[..])]);
    let path = dir.path().join("trust/state/witnessed");
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(11) {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        fs::write(&path, bent).unwrap();
        assert_eq!(open(dir.path()).restored.witnessed, None, "byte {at}");
    }
    assert!(dir.path().join("quarantine/witnessed").exists());
}
