//! A store that is too small, and becomes large enough.

use std::time::Duration;

use patchmesh_api::releases::{ReleaseState, WaitingOn};
use patchmesh_demo::compare::fingerprint;
use patchmesh_tests::bench::{Bench, FAST, release};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

#[test]
fn a_release_that_has_no_room_waits_for_the_disk_and_completes_with_more() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 6, 4_000_000);
    let index = bench.release(&tree, "release-1");
    bench.add(0, 1, &[("PATCHMESH_STORE__QUOTA", "1 MiB")]);
    let waiting = until("it waits for the disk", Duration::from_secs(30), || {
        release(&bench.endpoints[0], "release-1")
            .filter(|release| release.waiting_on.contains(&WaitingOn::Disk))
    });
    assert_ne!(waiting.state, ReleaseState::Staged);
    let used = bench.endpoints[0].status().unwrap().store;
    assert_eq!(used.quota_bytes, 1 << 20);
    assert!(used.used_bytes <= used.quota_bytes, "{used:?}");
    let held = waiting.chunks_held;

    bench.endpoints[0].terminate().unwrap();
    bench.endpoints[0].settings.clear();
    bench.restart(0);
    let kept = release(&bench.endpoints[0], "release-1").map_or(0, |release| release.chunks_held);
    assert!(kept >= held, "{kept} of {held} chunks are left");
    bench.until_staged("release-1");
    assert_eq!(
        fingerprint(&bench.staged(0, "release-1")).unwrap(),
        fingerprint(&tree).unwrap()
    );
    let received = bench.endpoints[0].status().unwrap().received.origin.payload;
    assert!(received <= index.wire_bytes(), "{received}");
}
