//! A published folder that is broken: the origin names the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchmesh_tests::bench::{Bench, FAST, is_staged, release};
use patchmesh_tests::input;
use patchmesh_tests::told::{patchmesh, said, trouble};
use patchmesh_tests::until::until;

const SOON: Duration = Duration::from_secs(40);

#[test]
fn an_altered_chunk_of_the_folder_is_named_and_not_served() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 71, 2_000_000);
    bench.release(&tree, "release-1");
    let pack = pack(&bench.forge.repository);
    until("the origin lists it", SOON, || {
        release(bench.origin(), "release-1").filter(|found| found.chunks_total > 0)
    });
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&pack, &bytes).unwrap();

    bench.add(0, 1, &[]);
    let trouble = trouble(bench.origin(), "RepositoryAltered");
    assert!(
        trouble.detail.contains(pack.to_str().unwrap()),
        "{trouble:?}"
    );
    assert!(trouble.hint.contains("restore the file"), "{trouble:?}");
    let why = said(&patchmesh(bench.origin(), &["why", "release-1"]));
    assert!(why.contains("! RepositoryAltered: "), "{why}");
    let log = bench.origin().log();
    assert_eq!(log.matches("RepositoryAltered").count(), 1, "{log}");
    let peers = bench.endpoints[0].peers().unwrap();
    assert!(
        peers.iter().all(|peer| peer.corrupt_chunks == 0),
        "{peers:?}"
    );
    assert!(!is_staged(&bench.endpoints[0], "release-1"));

    bytes[middle] ^= 1;
    fs::write(&pack, &bytes).unwrap();
    restart_origin(&mut bench);
    assert!(bench.origin().status().unwrap().troubles.is_empty());
}

#[test]
fn files_that_are_missing_short_or_no_files_are_named_at_once() {
    let mut bench = Bench::with_sites(&[]);
    let tree = bench.path("tree");
    input::tree(&tree, 72, 500_000);
    let pack_of = |bench: &Bench| pack(&bench.forge.repository);
    bench.release(&tree, "release-1");
    until("the origin lists it", SOON, || {
        release(bench.origin(), "release-1").filter(|found| found.chunks_total > 0)
    });
    let pack = pack_of(&bench);
    let bytes = fs::read(&pack).unwrap();
    let harms: [(&str, &dyn Fn()); 2] = [
        ("RepositoryMissing", &|| fs::remove_file(&pack).unwrap()),
        ("RepositoryAltered", &|| {
            fs::write(&pack, &bytes[1..]).unwrap();
        }),
    ];
    for (code, harm) in harms {
        harm();
        restart_origin(&mut bench);
        let trouble = trouble(bench.origin(), code);
        assert!(
            trouble.detail.contains(pack.to_str().unwrap()),
            "{trouble:?}"
        );
        fs::write(&pack, &bytes).unwrap();
    }
}

#[test]
fn broken_documents_of_the_folder_are_named_until_they_are_mended() {
    let mut bench = Bench::with_sites(&[]);
    let tree = bench.path("tree");
    input::tree(&tree, 73, 100_000);
    bench.release(&tree, "release-1");
    let timestamp = bench.forge.repository.join("metadata/timestamp.json");
    let sound = fs::read(&timestamp).unwrap();

    fs::write(&timestamp, &sound[1..]).unwrap();
    bench.refresh();
    let refused = trouble(bench.origin(), "RepositoryRefused");
    assert!(
        refused
            .detail
            .contains("timestamp.json: refused as Malformed"),
        "{refused:?}"
    );
    fs::write(&timestamp, &sound).unwrap();
    mended(&bench);

    fs::remove_file(&timestamp).unwrap();
    bench.refresh();
    let missing = trouble(bench.origin(), "RepositoryMissing");
    assert!(
        missing.detail.contains("metadata/timestamp.json"),
        "{missing:?}"
    );
    fs::create_dir(&timestamp).unwrap();
    bench.refresh();
    let unreadable = trouble(bench.origin(), "RepositoryUnreadable");
    assert!(
        unreadable.detail.contains("metadata/timestamp.json"),
        "{unreadable:?}"
    );
    assert!(said(&patchmesh(bench.origin(), &["status"])).contains("! RepositoryUnreadable: "));
    fs::remove_dir(&timestamp).unwrap();
    fs::write(&timestamp, &sound).unwrap();
    mended(&bench);
}

/// Refreshes until no trouble is left.
fn mended(bench: &Bench) {
    until("it is over", SOON, || {
        bench.refresh();
        let troubles = bench.origin().status().unwrap().troubles;
        troubles.is_empty().then_some(())
    });
}

fn restart_origin(bench: &mut Bench) {
    let origin = bench.origin.as_mut().unwrap();
    assert_eq!(origin.terminate().unwrap().code(), Some(0));
    origin.restart(&mut bench.warden).unwrap();
    origin.wait_until_up().unwrap();
}

fn pack(repository: &Path) -> PathBuf {
    let packs = fs::read_dir(repository.join("packs")).unwrap();
    let mut packs = packs.map(|entry| entry.unwrap().path());
    packs.next().unwrap()
}
