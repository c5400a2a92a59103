//! Older metadata, genuine in its time.

use std::fs;
use std::path::Path;

use patchmesh_api::status::TrustState;
use patchmesh_tests::bench::{Bench, FAST, is_staged, refusals};
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::support::{SOON, claiming, copy, member, offer, serve};

#[test]
fn attack_08_rollback() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 21, 300_000);
    bench.release(&tree, "release-1");
    let old = bench.path("old");
    copy(&bench.forge.repository, &old);
    input::change(&tree, 22);
    bench.release(&tree, "release-2");
    bench.add(0, 1, &[]);
    bench.until_staged("release-2");
    let newest = bench.forge.version;

    // The origin's folder is restored from a backup, and the origin restarts.
    let origin = bench.origin.as_mut().unwrap();
    origin.terminate().unwrap();
    fs::remove_dir_all(&bench.forge.repository).unwrap();
    copy(&old, &bench.forge.repository);
    origin.restart(&mut bench.warden).unwrap();
    origin.wait_until_up().unwrap();

    // A member claims more than it has and answers with what was genuine.
    let guise = Guise {
        head: [1, newest + 1, newest + 1],
        ..member(&bench, 32)
    };
    for restarted in [false, true] {
        if restarted {
            bench.endpoints[0].kill().unwrap();
            bench.restart(0);
        }
        let attacker = Hostile::start(&guise, serve(&old));
        let node = &bench.endpoints[0];
        attacker.dial(node);
        until("the older timestamp is refused", SOON, || {
            (refusals(node, "timestamp", "Rollback") > 0).then_some(())
        });
        let status = node.status().unwrap();
        assert_eq!(status.head.timestamp, newest);
        until("the newest release is staged", SOON, || {
            is_staged(node, "release-2").then_some(())
        });
    }
}

/// T-31, T-33: the floors hold without the documents, and the documents without
/// the floors; then nothing is installed until others have spoken.
#[test]
fn attack_floor_loss() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 23, 100_000);
    bench.release(&tree, "release-1");
    let old = bench.path("old");
    copy(&bench.forge.repository, &old);
    bench.release(&tree, "release-2");
    bench.add(0, 1, &[]);
    bench.until_staged("release-2");
    let newest = bench.forge.version;
    bench.origin.as_mut().unwrap().terminate().unwrap();
    let trust = bench.endpoints[0].state().join("trust");
    let floors = trust.join("state/floors");
    let kept = bench.path("kept");
    copy(&trust, &kept);
    let mut all = Vec::new();
    for (number, loss) in (0..).zip(["documents gone", "floors damaged", "floors gone"]) {
        bench.endpoints[0].kill().unwrap();
        fs::remove_dir_all(&trust).unwrap();
        copy(&kept, &trust);
        match loss {
            "floors damaged" => damage(&floors),
            "floors gone" => fs::remove_file(&floors).unwrap(),
            _ => forget(&trust),
        }
        bench.restart(0);
        let node = &bench.endpoints[0];
        let guise = claiming(&bench, 220 + number, newest + 1);
        let offered = offer(node, &guise, &old, "timestamp");
        assert_eq!(offered.code, "Rollback", "{loss}");
        all.push(format!("{loss}: {} in {:?}", offered.code, offered.took));
        let version = node.status().unwrap().head.timestamp;
        assert!(version == newest || version == 0, "{loss}: {version}");
        let recovering = node.status().unwrap().trust.state == TrustState::Recovering;
        assert_eq!(recovering, loss != "documents gone", "{loss}");
    }
    println!("floor-loss: {}", all.join(", "));
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// Removes the documents but the roots.
fn forget(trust: &Path) {
    for role in ["timestamp", "snapshot", "targets", "release%2Fdesktop"] {
        fs::remove_file(trust.join(format!("{role}.json"))).unwrap();
    }
}
