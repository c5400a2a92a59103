//! Stored chunks that were altered while the node was down.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::releases::{CorruptChunk, CorruptPlace, WaitingOn, Why};
use patchmesh_api::request::Request;
use patchmesh_content::id::{ChunkId, Hasher};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, refusals, release};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

/// Bytes of a chunk file before and after its wire frame.
const SEAL: (usize, usize) = (8, 32);

#[test]
fn chunks_that_were_altered_on_disk_are_fetched_again_and_nothing_else() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 31, 4_000_000);
    let index = bench.release(&tree, "release-1");
    bench.add(0, 1, &[("PATCHMESH_STORE__QUOTA", "2 MiB")]);
    until("the store is full", Duration::from_secs(30), || {
        release(&bench.endpoints[0], "release-1")
            .filter(|release| release.waiting_on.contains(&WaitingOn::Disk))
    });
    bench.endpoints[0].terminate().unwrap();

    let held = held(&bench.endpoints[0].state());
    assert!(held.len() >= 8, "{} chunks are enough to harm", held.len());
    let harms: [fn(&Path); 5] = [flip, cut, remove, seal_again, no_file];
    for (path, harm) in held.iter().zip(harms) {
        harm(path);
    }
    let sound: u64 = held[harms.len()..]
        .iter()
        .map(|path| wire_len(&index, path))
        .sum();

    bench.endpoints[0].settings.clear();
    bench.restart(0);
    bench.until_staged("release-1");
    assert_eq!(
        fingerprint(&bench.staged(0, "release-1")).unwrap(),
        fingerprint(&tree).unwrap()
    );
    let received = bench.endpoints[0].status().unwrap().received.origin.payload;
    println!("received {received} bytes, {sound} were sound");
    assert_eq!(received, index.wire_bytes() - sound);
    // A file that is gone is seen at the start, the others by the stage step.
    assert_eq!(refusals(&bench.endpoints[0], "stored-chunk", "Damaged"), 4);
    let why = why(&bench.endpoints[0]);
    let named: Vec<_> = why.corrupt.iter().map(|one| one.id).collect();
    for (path, harm) in held
        .iter()
        .zip(["flip", "cut", "remove", "seal", "no file"])
    {
        assert_eq!(
            named.contains(&chunk_id(path)),
            harm != "remove",
            "{harm}: {why:?}"
        );
    }
    let disk = |one: &CorruptChunk| one.found == CorruptPlace::Disk && one.mended;
    assert!(why.corrupt.iter().all(disk), "{why:?}");
    let told = bench.endpoints[0].ask(&Request::Events { since: 0 });
    let Ok(Answer::Events(told)) = told else {
        panic!("events are answered by events")
    };
    let mut codes = told.events.iter().map(|event| event.code.as_str());
    assert!(codes.any(|code| code == "Damaged"));
}

#[test]
fn staged_files_that_were_tidied_away_are_staged_again_from_the_chunks() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 32, 1_000_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    let staged = bench.staged(0, "release-1");
    let whole = fingerprint(&tree).unwrap();
    let harms: [fn(&Path); 2] = [remove_all, cut_a_file];
    for harm in harms {
        bench.endpoints[0].terminate().unwrap();
        harm(&staged);
        bench.restart(0);
        bench.until_staged("release-1");
        assert_eq!(fingerprint(&staged).unwrap(), whole);
        let received = bench.endpoints[0].status().unwrap().received;
        assert_eq!(received.origin.payload, 0, "the chunks were there");
    }
}

fn remove_all(staged: &Path) {
    fs::remove_dir_all(staged).unwrap();
}

fn cut_a_file(staged: &Path) {
    let path = staged.join("data/noise");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(1).unwrap();
}

fn why(node: &Daemon) -> Why {
    let release = "release-1".to_owned();
    let Ok(Answer::Why(why)) = node.ask(&Request::Why { release }) else {
        panic!("why is answered by why")
    };
    *why
}

/// Chunk files in a state folder, in ascending order of their names.
fn held(state: &Path) -> Vec<PathBuf> {
    let shards = fs::read_dir(state.join("chunks")).unwrap();
    let files = shards.flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn chunk_id(path: &Path) -> ChunkId {
    let name = path.file_stem().unwrap().to_str().unwrap();
    ChunkId::from_hex(name).unwrap()
}

fn wire_len(index: &ReleaseIndex, path: &Path) -> u64 {
    let id = chunk_id(path);
    let mut entries = index.chunks.iter();
    u64::from(entries.find(|chunk| chunk.id == id).unwrap().wire_len)
}

fn flip(path: &Path) {
    let mut file = fs::read(path).unwrap();
    let middle = file.len() / 2;
    file[middle] ^= 1;
    fs::write(path, file).unwrap();
}

fn cut(path: &Path) {
    let file = fs::read(path).unwrap();
    fs::write(path, &file[..file.len() / 2]).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

/// Something that is not readable stands in its place, as in a bad sector.
fn no_file(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

/// Alters the frame and seals it again, as nobody but an attacker does.
fn seal_again(path: &Path) {
    let mut file = fs::read(path).unwrap();
    let end = file.len() - SEAL.1;
    file[usize::midpoint(SEAL.0, end)] ^= 1;
    let mut seal = Hasher::new();
    seal.update(&file[..SEAL.0]);
    seal.update(&32u64.to_le_bytes());
    seal.update(chunk_id(path).as_bytes());
    seal.update(&file[SEAL.0..end]);
    file[end..].copy_from_slice(&seal.finish());
    fs::write(path, file).unwrap();
}
