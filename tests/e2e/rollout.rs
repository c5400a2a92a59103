//! Releases reach sites: the same files everywhere, over the WAN once.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::index::{ChunkEntry, ReleaseIndex};
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::measure::{Counters, ratio};
use patchmesh_demo::network::{Network, Shape};
use patchmesh_demo::warden::Warden;
use patchmesh_demo::watch::until_staged;
use patchmesh_tests::bench::{Bench, FAST, PATIENCE, programs, turn};
use patchmesh_tests::forge::LINE;
use patchmesh_tests::input;

/// WAN payload of a site over one copy of what it lacked.
const COPIES_MAX: f64 = 1.03;
/// Difference between what nodes and links count.
const DISAGREEMENT_MAX: f64 = 0.01;

/// Share of a release that one who joins late may take over the WAN. It waits
/// for its site, but not for ever (S-22): a machine too busy to answer within
/// seconds must not fail here, and one that fetches its own copy must.
const LATE_SHARE_MAX: f64 = 0.2;

/// Keys, signing and publication by the real command line.
#[test]
fn two_sites_hold_identical_files_for_one_copy_each() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape {
        quic: false,
        sites: 2,
        nodes: 3,
        rates: FAST,
    };
    let tree = folder.path().join("tree");
    input::tree(&tree, 1, 4_000_000);
    let warden = Warden::start(&programs().demo).unwrap();
    let mut network = Network::found(programs(), warden, folder.path(), &shape, LINE).unwrap();
    network.release(&tree, "release-1").unwrap();
    network.fill(&shape).unwrap();
    until_staged(&mut network.endpoints, "release-1", PATIENCE, |_, _| Ok(())).unwrap();
    let wire_bytes = network.endpoints[0].status().unwrap().releases[0].wire_bytes;
    let wanted = fingerprint(&tree).unwrap();
    for node in &network.endpoints {
        let staged = node.staging().join(LINE).join("release-1");
        assert_eq!(fingerprint(&staged).unwrap(), wanted, "{}", node.name);
    }
    for (site, link) in &network.links {
        let counters = Counters::read(&network.endpoints, site, link).unwrap();
        let copies = ratio(counters.wan_payload, wire_bytes);
        println!(
            "{site}: {copies:.3} copies, counters differ by {:.4}",
            counters.disagreement()
        );
        assert!((1.0..=COPIES_MAX).contains(&copies), "{site}: {copies}");
        assert!(counters.disagreement() <= DISAGREEMENT_MAX, "{counters:?}");
        assert!(counters.lan_payload >= 2 * wire_bytes, "{counters:?}");
    }
}

#[test]
fn an_update_fetches_only_new_chunks_and_a_late_joiner_takes_all_from_its_site() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 2, 4_000_000);
    let first = bench.release(&tree, "release-1");
    bench.add(0, 3, &[]);
    bench.until_staged("release-1");
    let before = bench.counters(0);

    input::change(&tree, 3);
    let second = bench.release(&tree, "release-2");
    bench.until_staged("release-2");
    let fetched = bench.counters(0).since(&before).wan_payload;
    let new = new_bytes(&first, &second);
    let copies = ratio(fetched, new);
    println!(
        "update: {new} new of {} bytes, {copies:.3} copies",
        second.wire_bytes()
    );
    assert!(new < second.wire_bytes() / 2, "the update is small");
    assert!((1.0..=COPIES_MAX).contains(&copies), "{copies}");

    bench.add(0, 1, &[]);
    bench.until_staged("release-2");
    let received = bench.endpoints[3].status().unwrap().received;
    let share = ratio(
        received.origin.payload + received.wan.payload,
        second.wire_bytes(),
    );
    println!("late joiner: {share:.4} of the release over the WAN");
    assert!(share <= LATE_SHARE_MAX, "{received:?}");
    let wanted = fingerprint(&tree).unwrap();
    for endpoint in 0..4 {
        let staged = bench.staged(endpoint, "release-2");
        assert_eq!(fingerprint(&staged).unwrap(), wanted, "{endpoint}");
    }
}

/// The frame that a member holds of a shared chunk is not the one that the
/// newer index has the length of; the signed hash is that of the plain bytes.
#[test]
fn a_shared_chunk_in_a_frame_of_another_level_is_taken() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 11, 2_000_000);
    let first = bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");

    bench.forge.level = 19;
    input::change(&tree, 12);
    let second = bench.release(&tree, "release-2");
    bench.until_staged("release-2");
    let other = other_frames(&first, &second);
    println!("{other} shared chunks have frames of two lengths");
    assert!(other >= 3, "{other}");
    // The late joiner wants the newer release only.
    bench.forge.releases.remove(0);
    bench.forge.publish();
    bench.refresh();

    bench.add(0, 1, &[]);
    bench.until_staged("release-2");
    let late = &bench.endpoints[1];
    let received = late.status().unwrap().received;
    let share = ratio(
        received.origin.payload + received.wan.payload,
        second.wire_bytes(),
    );
    println!("late joiner: {share:.4} of the release over the WAN");
    assert!(share <= LATE_SHARE_MAX, "{received:?}");
    for peer in late.peers().unwrap() {
        assert_eq!((peer.corrupt_chunks, peer.refused), (0, false), "{peer:?}");
    }
    assert_eq!(
        fingerprint(&bench.staged(1, "release-2")).unwrap(),
        fingerprint(&tree).unwrap()
    );
}

/// Chunks of two releases whose frames differ in length.
fn other_frames(old: &ReleaseIndex, new: &ReleaseIndex) -> usize {
    let known: BTreeMap<_, _> = old.chunks.iter().map(|c| (c.id, c.wire_len)).collect();
    let differs = |chunk: &&ChunkEntry| {
        known
            .get(&chunk.id)
            .is_some_and(|len| *len != chunk.wire_len)
    };
    new.chunks.iter().filter(differs).count()
}

fn new_bytes(old: &ReleaseIndex, new: &ReleaseIndex) -> u64 {
    let known: BTreeSet<_> = old.chunks.iter().map(|chunk| chunk.id).collect();
    let lacking = new.chunks.iter().filter(|chunk| !known.contains(&chunk.id));
    lacking.map(|chunk| u64::from(chunk.wire_len)).sum()
}
