//! Peers of another network.

use patchmesh_net::Event;
use patchmesh_tests::bench::{Bench, FAST, peer, refusals};
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::until::until;

use crate::support::{SOON, member};

#[test]
fn a_peer_of_another_network_is_refused_at_the_hello() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let node = &bench.endpoints[0];
    let guise = Guise {
        mesh_id: [9; 32],
        ..member(&bench, 80)
    };
    let stranger = Hostile::start(&guise, |_| Vec::new());
    stranger.dial(node);
    until("the stranger is refused", SOON, || {
        (refusals(node, "hello", "WrongNetwork") > 0).then_some(())
    });
    let id = peer(node);
    until("its dial fails", SOON, || {
        let failed = |event: &Event| *event == Event::DialFailed { peer: id };
        (stranger.count(failed) > 0).then_some(())
    });
    assert!(!stranger.is_up(id));
    let peers = node.peers().unwrap();
    assert!(peers.iter().all(|found| found.peer != stranger.peer));
}
