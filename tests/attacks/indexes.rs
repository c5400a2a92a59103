//! Indexes that lie: signed ones that lead outside, ones that are not what was
//! signed, and answers that break off or never end.

use std::fs;

use patchmesh_api::releases::ReleaseState;
use patchmesh_content::index::{FileEntry, FileKind, IndexRefusal, ReleaseIndex};
use patchmesh_demo::compare::fingerprint;
use patchmesh_tests::bench::{Bench, FAST, is_staged, refusals, release};
use patchmesh_tests::forge::{Forge, LINE};
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_tests::web::{Trick, Web};
use patchmesh_trust::layout::index_path;

use crate::support::{GROWTH_MAX_KIB, SOON, events, member, memory_kib, serve};

/// The attacker holds every key but the root's.
#[test]
fn attack_34_hostile_tree() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let tree = bench.path("tree");
    input::tree(&tree, 26, 100_000);
    let canary = bench.path("canary");
    fs::write(&canary, "untouched").unwrap();
    let mut evil = Forge {
        repository: bench.path("evil"),
        ..bench.forge.clone()
    };
    let harmless = renamed(&evil.build(&tree, "model"), "data/noisy");
    assert!(ReleaseIndex::decode(&harmless.encode()).is_ok());
    let attempts = attempts(&evil.build(&tree, "model"), canary.to_str().unwrap());
    let node = &bench.endpoints[0];
    for (number, mut index) in (0..).zip(attempts) {
        let id = format!("evil-{number}");
        index.id.clone_from(&id);
        let bytes = index.encode();
        let refusal = ReleaseIndex::decode(&bytes);
        assert!(
            matches!(
                refusal,
                Err(IndexRefusal::Path(_) | IndexRefusal::PathClash)
            ),
            "{id} is wrong in more than its paths: {refusal:?}"
        );
        evil.releases.clear();
        evil.release_bytes(&bytes, &id);
        let guise = Guise {
            head: [1, evil.version, evil.version],
            ..member(&bench, 100 + number)
        };
        let attacker = Hostile::start(&guise, serve(&evil.repository));
        attacker.dial(node);
        until("the index is refused", SOON, || {
            // The index before may be asked for once more until this one is known.
            let told = events(node);
            let known = told.iter().find(|event| event.release == id)?.seq;
            let refused = told.iter().find(|event| {
                event.seq > known && event.what == "index" && event.peer == Some(attacker.peer)
            });
            refused.map(|event| assert_eq!(event.code, "Malformed"))
        });
        let listed = release(node, &id).unwrap();
        assert_ne!(listed.state, ReleaseState::Staged);
        assert_eq!(listed.chunks_total, 0, "{id}: the index was taken");
        assert!(!bench.staged(0, &id).exists());
    }
    assert_eq!(fs::read_to_string(&canary).unwrap(), "untouched");
    let line = node.staging().join(LINE);
    assert!(!line.exists() || fs::read_dir(line).unwrap().next().is_none());
}

fn attempts(honest: &ReleaseIndex, canary: &str) -> Vec<ReleaseIndex> {
    let paths = [
        "../../../../canary",
        canary,
        "data/../../escape",
        "data/./noise",
        "data//noise",
        "nul\0byte",
        "",
    ];
    let mut attempts: Vec<ReleaseIndex> = paths.iter().map(|path| renamed(honest, path)).collect();
    attempts.push(linked(honest, "../../../../.."));
    attempts.push(linked(honest, "/etc"));
    attempts.push(through_a_link(honest));
    attempts
}

/// One file gets another path; entries stay in order, so that only the path is
/// wrong.
fn renamed(honest: &ReleaseIndex, path: &str) -> ReleaseIndex {
    let mut index = honest.clone();
    let file = index
        .files
        .iter_mut()
        .find(|file| file.path == "data/noise")
        .unwrap();
    path.clone_into(&mut file.path);
    index.files.sort_by(|a, b| a.path.cmp(&b.path));
    index
}

fn linked(honest: &ReleaseIndex, target: &str) -> ReleaseIndex {
    let mut index = honest.clone();
    index.files.push(FileEntry {
        path: "zlink".to_owned(),
        mode: 0o777,
        kind: FileKind::Link(target.to_owned()),
    });
    index
}

fn through_a_link(honest: &ReleaseIndex) -> ReleaseIndex {
    let mut index = linked(honest, "data");
    let mut file = index.files.iter().find(|file| file.path == "data/noise");
    let mut file = file.take().unwrap().clone();
    "zlink/noise".clone_into(&mut file.path);
    index.files.push(file);
    index
}

#[test]
fn attack_21_lying_index() {
    let mut bench = Bench::new();
    let tree = bench.path("tree");
    input::tree(&tree, 27, 200_000);
    // Another consistent index of equal length lies where the signed one should.
    let index = bench.forge.build(&tree, "release-1");
    let other = ReleaseIndex {
        severity: "moderate".to_owned(),
        ..index.clone()
    };
    bench.forge.release_bytes(&index.encode(), "release-1");
    let hash = bench.forge.releases[0].sha256;
    let path = index_path(LINE, "release-1", &hash);
    bench.forge.write(&path, &other.encode());
    let web = Web::serve(&bench.forge.repository);
    bench.add_of_web(&web, None);
    let node = &bench.endpoints[0];
    until("the other index is refused", SOON, || {
        (refusals(node, "index", "HashMismatch") > 0).then_some(())
    });
    assert_eq!(release(node, "release-1").unwrap().chunks_total, 0);
    bench.forge.write(&path, &index.encode());
    again(&mut bench);
    bench.until_staged("release-1");
}

#[test]
fn attack_18_endless_data() {
    let mut bench = Bench::new();
    let tree = bench.path("tree");
    input::tree(&tree, 28, 200_000);
    bench.forge.release(&tree, "release-1");
    let web = Web::serve(&bench.forge.repository);
    bench.add_of_web(&web, None);
    bench.until_staged("release-1");
    let base = memory_kib(&bench.endpoints[0]);
    input::change(&tree, 29);
    bench.forge.release(&tree, "release-2");
    let mut taken = 0;
    for path in ["timestamp", "snapshot", "targets.json", "desktop/"] {
        for trick in [Trick::NeverEnd, Trick::BreakOff] {
            let tricked = web.tricked();
            web.trick(path, trick);
            again(&mut bench);
            until("the tricked answer has ended", SOON, || {
                (web.tricked() > tricked).then_some(())
            });
            assert!(!is_staged(&bench.endpoints[0], "release-2"), "{path}");
        }
        let growth = memory_kib(&bench.endpoints[0]).saturating_sub(base);
        let bytes = web.endless_bytes() - taken;
        taken += bytes;
        println!("endless {path}: {bytes} bytes taken, memory grew by {growth} KiB");
        assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
        assert!(bytes < 32 << 20, "{path}: {bytes} bytes were taken");
    }
    web.relent();
    again(&mut bench);
    bench.until_staged("release-2");
    assert_eq!(
        fingerprint(&bench.staged(0, "release-2")).unwrap(),
        fingerprint(&tree).unwrap()
    );
}

/// Lets the node look at its web server at once.
fn again(bench: &mut Bench) {
    bench.endpoints[0].terminate().unwrap();
    bench.restart(0);
}
