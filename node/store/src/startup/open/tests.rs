//! Every file call of a store's life fails once, in every way, and the power
//! goes at every call: nothing acknowledged is lost, and every image opens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use patchmesh_content::id::{ChunkId, ContentId, blake3};
use patchmesh_core::record::{Record, ReleaseState, Restored};
use patchmesh_trust::role::RoleName;

use crate::disk::sim::{Fault, SimDisk};
use crate::error::{FullCause, OpenError, PutError, ReadError};
use crate::inner::Store;
use crate::options::{Options, Put, StateName};
use crate::startup::open::Opened;

const DIR: &str = "/store";
/// Images drawn for each power cut.
const SEEDS: u64 = 2;

/// What the user of the store was told.
#[derive(Debug, Default)]
struct Told {
    /// Chunks that a put took, and which of them a sync made durable.
    written: BTreeSet<u32>,
    durable: BTreeSet<u32>,
    /// Chunks whose removal was asked for.
    removed: BTreeSet<u32>,
    /// Versions committed, and asked for, per role.
    committed: BTreeMap<RoleName, u64>,
    asked: BTreeMap<RoleName, u64>,
    index_committed: bool,
    forget_asked: bool,
    clock: u8,
    clock_asked: u8,
    errors: u32,
}

/// One life; `retry` answers an error by trying again, else it ends there.
struct Life {
    disk: SimDisk,
    told: Told,
    retry: bool,
}

/// The life ended by an error that was not to be retried.
struct Ended;

fn chunk(number: u32) -> (ChunkId, Vec<u8>) {
    let bytes = number.to_le_bytes().repeat(2_500);
    (ChunkId(blake3(&bytes)), bytes)
}

fn content() -> (ContentId, Arc<[u8]>) {
    let bytes: Arc<[u8]> = Arc::from(vec![3; 9_000]);
    (ContentId(blake3(&bytes)), bytes)
}

fn open(disk: &SimDisk) -> Result<Opened, OpenError> {
    let options = Options {
        batch_chunks_max: 3,
        // The number of a call means the same call in every life.
        sync_threads: 1,
        ..Options::new(1 << 20)
    };
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options)
}

impl Life {
    fn run(&mut self) -> Result<(), Ended> {
        let disk = self.disk.clone();
        let store = self.attempt(|| open(&disk))?.store;
        for number in 0..2 {
            self.put(&store, number)?;
        }
        self.sync(&store)?;
        self.document(&store, RoleName::Root, 1)?;
        self.document(&store, RoleName::Timestamp, 1)?;
        let (content, bytes) = content();
        self.attempt(|| {
            let bytes = bytes.clone();
            store.commit(&Record::Index { content, bytes })
        })?;
        let state = ReleaseState::Fetching;
        self.attempt(|| store.commit(&Record::Release { content, state }))?;
        self.told.index_committed = true;
        // The third put of these closes the batch by itself.
        for number in 2..6 {
            self.put(&store, number)?;
        }
        self.document(&store, RoleName::Timestamp, 2)?;
        self.document(&store, RoleName::Root, 2)?;
        self.told.removed.insert(1);
        let keep = chunk(1).0;
        self.attempt(|| store.sweep(|id| *id != keep))?;
        for value in 1..3 {
            self.told.clock_asked = value;
            self.attempt(|| store.put_state(StateName::Clock, &[value]))?;
            self.told.clock = value;
        }
        self.put(&store, 6)?;
        self.sync(&store)?;
        self.told.forget_asked = true;
        self.attempt(|| store.commit(&Record::Forget { content }))
    }

    fn attempt<T, E>(&mut self, mut work: impl FnMut() -> Result<T, E>) -> Result<T, Ended> {
        if let Ok(done) = work() {
            return Ok(done);
        }
        self.told.errors += 1;
        if !self.retry {
            return Err(Ended);
        }
        Ok(work().ok().expect("one fault, so the second try works"))
    }

    fn put(&mut self, store: &Store, number: u32) -> Result<(), Ended> {
        let (id, wire) = chunk(number);
        self.attempt(|| store.put_chunk(&id, &wire))?;
        self.told.written.insert(number);
        if let Ok(read) = store.read_chunk(&id) {
            assert!(read == Some(wire), "chunk {number} cannot be read at once");
        }
        self.note_durable(store);
        Ok(())
    }

    /// A sync that says which chunks it lost is answered by putting them again.
    fn sync(&mut self, store: &Store) -> Result<(), Ended> {
        if let Err(error) = store.sync() {
            self.told.errors += 1;
            if !self.retry {
                return Err(Ended);
            }
            assert!(!error.lost.is_empty());
            for number in self.told.written.clone() {
                let (id, wire) = chunk(number);
                if error.lost.contains(&id) {
                    assert!(!store.contains(&id));
                    assert!(store.put_chunk(&id, &wire).is_ok());
                }
            }
            assert!(store.sync().is_ok());
        }
        self.note_durable(store);
        Ok(())
    }

    fn note_durable(&mut self, store: &Store) {
        let held = store.usage();
        if held.pending_bytes == 0 {
            let told = &mut self.told;
            let here = told
                .written
                .iter()
                .filter(|number| store.contains(&chunk(**number).0));
            told.durable.extend(here);
        }
    }

    fn document(&mut self, store: &Store, role: RoleName, version: u64) -> Result<(), Ended> {
        self.told.asked.insert(role.clone(), version);
        let record = Record::Document {
            bytes: Arc::from(document_text(&role, version).into_bytes()),
            floors: version.to_string().into_bytes(),
            role: role.clone(),
            version,
        };
        self.attempt(|| store.commit(&record))?;
        self.told.committed.insert(role, version);
        Ok(())
    }
}

/// Longer than a block, so that it can be torn.
fn document_text(role: &RoleName, version: u64) -> String {
    format!("{role} {version}{}", " ".repeat(5_000))
}

/// Opens an image and compares it with what was told.
fn check(disk: &SimDisk, told: &Told, chunks: &BTreeSet<u32>, at: &str) {
    let opened = open(disk).unwrap_or_else(|error| panic!("{at}: {error}"));
    assert!(!opened.report.floors_damaged, "{at}");
    assert_eq!(opened.report.quarantined, [""; 0], "{at}");
    for number in chunks.difference(&told.removed) {
        let (id, wire) = chunk(*number);
        let read = opened.store.read_chunk(&id).unwrap();
        assert!(read == Some(wire), "{at}: chunk {number}");
    }
    for id in &opened.restored.chunks {
        assert!(
            opened.store.read_chunk(id).unwrap().is_some(),
            "{at}: {id:?}"
        );
    }
    check_documents(&opened.restored, told, at);
    let (content, bytes) = content();
    let index = opened.store.read_index(&content).unwrap();
    assert!(index.is_none() || index.as_deref() == Some(&*bytes), "{at}");
    if told.index_committed && !told.forget_asked {
        assert!(index.is_some(), "{at}");
        let state = ReleaseState::Fetching;
        assert_eq!(opened.restored.releases, [(content, state)], "{at}");
    }
    let clock = opened.store.read_state(StateName::Clock).unwrap();
    let clock = clock.map_or(0, |bytes| bytes[0]);
    assert!((told.clock..=told.clock_asked).contains(&clock), "{at}");
}

fn check_documents(restored: &Restored, told: &Told, at: &str) {
    let mut newest = BTreeMap::new();
    for (role, bytes) in &restored.documents {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let version = (1..3).find(|version| document_text(role, *version) == text);
        let version = version.unwrap_or_else(|| panic!("{at}: {role} is torn"));
        newest.insert(role.clone(), version);
    }
    for role in [RoleName::Root, RoleName::Timestamp] {
        let at_least = told.committed.get(&role).copied().unwrap_or(0);
        let at_most = told.asked.get(&role).copied().unwrap_or(0);
        let found = newest.get(&role).copied().unwrap_or(0);
        assert!(
            (at_least..=at_most).contains(&found),
            "{at}: {role} {found}"
        );
    }
    if newest.get(&RoleName::Root) == Some(&2) {
        let roots = restored
            .documents
            .iter()
            .filter(|(role, _)| *role == RoleName::Root);
        assert_eq!(roots.count(), 2, "{at}: the chain of roots has a gap");
    }
    // Floors never stand above every document.
    let floor = restored
        .floors
        .as_ref()
        .map(|floors| String::from_utf8_lossy(floors).into_owned());
    let floor: u64 = floor.map_or(0, |text| text.parse().unwrap());
    assert!(floor <= newest.values().copied().max().unwrap_or(0), "{at}");
}

fn life(retry: bool) -> Life {
    Life {
        disk: SimDisk::new(Path::new(DIR)),
        told: Told::default(),
        retry,
    }
}

/// Lives until the fault waits for a call that never comes.
fn at_every_call(fault: Fault, retry: bool, mut judge: impl FnMut(Life, bool, String)) {
    for call in 1.. {
        let mut life = life(retry);
        life.disk.fail(call, fault);
        let ended = life.run().is_err();
        if life.disk.is_waiting() {
            assert!(call > 30, "the life has more than {call} calls");
            return;
        }
        judge(life, ended, format!("{fault:?} at call {call}"));
    }
}

#[test]
fn t03_a_power_cut_at_every_call_loses_nothing_acknowledged() {
    at_every_call(Fault::Cut, false, |life, ended, at| {
        assert!(ended || life.told.errors == 0, "{at}");
        for seed in 0..SEEDS {
            let image = life.disk.after_cut(seed);
            check(&image, &life.told, &life.told.durable, &at);
        }
    });
}

#[test]
fn t01_kill_at_every_call_loses_nothing_written() {
    at_every_call(Fault::Cut, false, |life, _, at| {
        let image = life.disk.after_kill();
        check(&image, &life.told, &life.told.written, &at);
        // What opening gave back is durable: the engine never fetches it again.
        let kept = life.told.written.clone();
        check(&image.after_cut(7), &life.told, &kept, &at);
    });
}

#[test]
fn a_full_disk_is_a_full_store() {
    let disk = SimDisk::new(Path::new(DIR));
    let store = open(&disk).unwrap().store;
    disk.fail(1, Fault::Full);
    let (id, wire) = chunk(1);
    let refused = store.put_chunk(&id, &wire).unwrap_err();
    assert!(
        refused.to_string().contains("the disk is full"),
        "{refused}"
    );
    let cause = FullCause::Disk;
    assert!(matches!(refused, PutError::Full { used: 0, cause: found, .. } if found == cause));
    assert_eq!(store.put_chunk(&id, &wire).unwrap(), Put::Written);
}

#[test]
fn a_chunk_in_a_bad_sector_is_damaged_and_can_be_stored_again() {
    let disk = SimDisk::new(Path::new(DIR));
    let store = open(&disk).unwrap().store;
    let (id, bytes) = chunk(1);
    store.put_chunk(&id, &bytes).unwrap();
    store.sync().unwrap();
    // Once is no damage: the next try gives it.
    disk.fail(1, Fault::Eio);
    assert_eq!(store.read_chunk(&id).unwrap(), Some(bytes.clone()));
    disk.spoil(&store.layout.chunk(&id));
    let read = store.read_chunk(&id);
    assert!(matches!(read, Err(ReadError::Damaged { .. })), "{read:?}");
    assert_eq!(store.read_chunk(&id).unwrap(), None);
    assert_eq!(store.put_chunk(&id, &bytes).unwrap(), Put::Written);
}

#[test]
fn t04_every_call_fails_once_and_a_retry_succeeds() {
    for fault in [Fault::Eio, Fault::Full, Fault::Interrupted, Fault::Short] {
        at_every_call(fault, true, |life, ended, at| {
            assert!(!ended, "{at}");
            assert!(life.told.errors <= 1, "{at}: {} errors", life.told.errors);
            if matches!(fault, Fault::Interrupted | Fault::Short) {
                assert_eq!(life.told.errors, 0, "{at}");
            }
            let image = life.disk.after_cut(1);
            check(&image, &life.told, &life.told.durable, &at);
        });
    }
}

#[test]
fn a_disk_that_forgets_the_folder_sync_is_caught() {
    // The double must be able to lose what was not synced, or the tests above
    // prove nothing.
    let mut life = life(false);
    assert!(life.run().is_ok());
    let opened = open(&life.disk).unwrap();
    let (id, wire) = chunk(9);
    opened.store.put_chunk(&id, &wire).unwrap();
    let lost = (0..20).filter(|seed| {
        let image = open(&life.disk.after_cut(*seed)).unwrap();
        !image.store.contains(&id)
    });
    assert!(lost.count() > 5);
}
