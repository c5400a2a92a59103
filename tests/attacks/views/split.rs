//! A thief of every key that signs shows one site another log, under versions
//! that the other site never sees; or signs what no log holds.

use patchmesh_api::releases::WaitingOn;
use patchmesh_api::status::TrustState;
use patchmesh_content::id::hex;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_tests::bench::{Bench, FAST, address, release};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::support::{SOON, copy, head};
use crate::views::equivocation::{endpoint, is_frozen, meet};

/// T-72, T-73: no version is signed twice, and still the two views find each
/// other out as soon as one node knows both; every node gets the proof.
#[test]
fn attack_13_split_view() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.forge.keep_log();
    let tree = bench.path("tree");
    input::tree(&tree, 81, 100_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    let folder = bench.path("evil");
    copy(&bench.forge.repository, &folder);
    let mut thief = bench.forge.stolen(&folder);
    // The site of the honest origin goes on, the other one sees the thief's next.
    input::change(&tree, 82);
    bench.release(&tree, "release-2");
    bench.until_staged("release-2");
    thief.version = bench.forge.version;
    let evil_tree = bench.path("evil-tree");
    input::tree(&evil_tree, 83, 100_000);
    thief.release(&evil_tree, "evil");
    assert_ne!(thief.version, bench.forge.version);
    let role = Role::Origin {
        repository: thief.repository.clone(),
    };
    let evil_folder = bench.path("evil-origin");
    let evil = bench.daemon(&evil_folder, &role, &[]);
    let mut deceived = endpoint(&mut bench, "deceived", &[address(&evil)]);
    until("the deceived site has the thief's version", SOON, || {
        let staged = deceived.status().unwrap().releases;
        staged.iter().any(|one| one.id == "evil").then_some(())
    });
    assert_eq!(head(&bench.endpoints[0]), bench.forge.version);
    let (_, proofs) = meet(&mut bench, &deceived, &evil, "13 split-view");
    for shown in proofs {
        assert!(shown.contains("log was split"), "{shown}");
    }
    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
    assert!(
        is_frozen(&bench.endpoints[0].status().unwrap()),
        "no restart ends it"
    );
    bench.forge.rotate([10, 10]);
    bench.refresh();
    until("the honest site goes on", SOON, || {
        let status = bench.endpoints[0].status().unwrap();
        let current = status.trust.state == TrustState::Current;
        (current && status.head.timestamp == bench.forge.version).then_some(())
    });
    // T-79: who had followed the thief's log learns that it is another now.
    deceived.kill().unwrap();
    let origin = address(bench.origin());
    let healed = endpoint(&mut bench, "deceived", &[origin]);
    let told = |node: &Daemon| {
        let troubles = node.status().unwrap().troubles.into_iter();
        let mut told = troubles.filter(|one| one.code == "LogReplaced");
        told.next().map(|one| one.detail)
    };
    let detail = until("the deceived site is told", SOON, || told(&healed));
    let log = bench.forge.log.as_ref().unwrap().head();
    assert!(detail.contains(&hex(&log.root)), "{detail}");
    println!("13 split-view: {detail}");
    assert_eq!(told(&bench.endpoints[0]), None);
}

/// T-74: what holders of the line's and the online keys sign without a leaf is
/// not staged; with a leaf it is.
#[test]
fn attack_06_unlogged() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.forge.keep_log();
    let tree = bench.path("tree");
    input::tree(&tree, 84, 50_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    bench.forge.unlogged = true;
    input::change(&tree, 85);
    bench.release(&tree, "secret");
    until(
        "the node has all of it and does not act on it",
        SOON,
        || {
            let secret = release(&bench.endpoints[0], "secret")?;
            let whole = secret.chunks_total > 0 && secret.chunks_held == secret.chunks_total;
            (whole && secret.waiting_on == [WaitingOn::Log]).then_some(())
        },
    );
    assert!(!bench.staged(0, "secret").exists());
    bench.forge.unlogged = false;
    bench.forge.publish();
    bench.refresh();
    bench.until_staged("secret");
}
