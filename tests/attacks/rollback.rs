//! Older metadata, genuine in its time.

use std::fs;

use patchmesh_tests::bench::{Bench, FAST, is_staged, refusals};
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::support::{SOON, copy, member, serve};

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
