//! Documents without measure: in bytes, depth, signatures, digits, entries.

use std::time::Duration;

use patchmesh_net::{Bytes, Command, Event};
use patchmesh_tests::bench::Bench;
use patchmesh_tests::forge::{LINE, ONLINE};
use patchmesh_tests::gossip::Pourer;
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::text::timestamp;
use patchmesh_tests::until::until;
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::support::{SOON, claiming, member, memory_kib, offer, received_from, rescue};

/// A document that is larger than anything.
const GIANT: usize = 100_000_000;
/// What a peer may send on a stream before it is read: the least window that
/// Yamux knows, and what frames and handshakes add.
const WINDOW: u64 = 256 * 1024 + 64 * 1024;
/// Twice the longest document, and what a node needs in any case.
const GROWTH_MAX_KIB: u64 = 2 * 512 + 16 * 1024;

/// T-08, T-13: caps before anything is parsed, on the way of documents and on
/// the way of gossip; behind them, forms that are refused.
#[test]
fn attack_15_giant_metadata() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let node = &bench.endpoints[0];
    let before = memory_kib(node);
    let answerer = giant_answerer(&bench);
    let mut gossiper = Pourer::enter(node, &member(&bench, 50));
    let frames = [gossiper.message(&vec![b'['; GIANT])];
    // A node that does not take it leaves the attacker waiting.
    let poured = gossiper.pour(&frames, Duration::from_secs(1));
    assert_eq!(poured, None, "the node took all of it");
    let mut offers = Vec::new();
    for (number, (name, snapshot)) in (0..).zip(forms()) {
        let evil = bench.forge.stolen(&bench.path(&format!("evil-{number}")));
        let version = 10 + u64::from(number);
        let claim = i64::try_from(version).unwrap();
        evil.write(&metadata_path(&RoleName::Snapshot, version), &snapshot);
        let timestamp = timestamp(claim, (claim, &snapshot), ONLINE);
        evil.write(&metadata_path(&RoleName::Timestamp, version), &timestamp);
        let guise = claiming(&bench, 51 + number, version);
        let offered = offer(node, &guise, &evil.repository, "snapshot");
        let growth = memory_kib(node).saturating_sub(before);
        println!(
            "15 giant-metadata: {name}: {} in {:?}, memory grew by {growth} KiB",
            offered.code, offered.took
        );
        assert!(
            ["Malformed", "TooLarge"].contains(&&*offered.code),
            "{name}"
        );
        offers.push((name, offered.peer, snapshot.len() as u64));
        assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
    }
    bench.forge.version = 20;
    bench.forge.publish();
    let healed = rescue(&mut bench);
    let node = &bench.endpoints[0];
    let growth = memory_kib(node).saturating_sub(before);
    for (name, peer, len) in offers {
        let bytes = received_from(node, peer);
        assert!(bytes <= len + WINDOW, "{name}: {bytes} bytes");
    }
    let of_answer = received_from(node, answerer.peer);
    let of_gossip = received_from(node, gossiper.peer);
    println!(
        "15 giant-metadata: of {GIANT} bytes {of_answer} taken as an answer, \
         {of_gossip} as gossip; \
         memory grew by {growth} KiB; healed in {healed:?}"
    );
    assert!(of_answer <= 4_096 + WINDOW, "{of_answer} bytes");
    assert!(of_gossip <= 16_384 + WINDOW, "{of_gossip} bytes");
}

/// A signed index of 25 MB with more entries than any may have: they are
/// counted before one of them is made.
#[test]
#[ignore = "long tier"]
fn attack_22_index_bomb_entries() {
    const LEN: usize = 25_000_000;
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let mut evil = bench.forge.stolen(&bench.path("evil"));
    evil.release_bytes(&[0x0a, 0x00].repeat(LEN / 2), "bomb-1");
    let node = &bench.endpoints[0];
    let before = memory_kib(node);
    let guise = claiming(&bench, 60, evil.version);
    let offered = offer(node, &guise, &evil.repository, "index");
    let growth = memory_kib(node).saturating_sub(before);
    println!(
        "22 index-bomb, entries: {} entries {} in {:?}, memory grew by {growth} KiB",
        LEN / 2,
        offered.code,
        offered.took
    );
    assert_eq!(offered.code, "Malformed");
    // Its bytes on their way from hand to hand, and no entry.
    assert!(growth <= 4 * (LEN as u64 / 1024), "{growth} KiB");
    assert!(!bench.staged(0, "bomb-1").exists());
}

/// Snapshots that are within the limit of their bytes, and in nothing else.
fn forms() -> [(&'static str, Vec<u8>); 4] {
    [
        (
            "depth 10^5",
            wrapped(
                &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
                "",
            ),
        ),
        (
            "170,000 signatures",
            wrapped("{}", &vec!["{}"; 170_000].join(",")),
        ),
        (
            "a number of 500,000 digits",
            wrapped(&"9".repeat(500_000), ""),
        ),
        (
            "a text that never ends",
            wrapped(&format!("\"{}", "a".repeat(500_000)), ""),
        ),
    ]
}

fn wrapped(signed: &str, signatures: &str) -> Vec<u8> {
    format!(r#"{{"signatures":[{signatures}],"signed":{signed}}}"#).into_bytes()
}

/// A member that answers the question for a timestamp without measure, and was
/// asked.
fn giant_answerer(bench: &Bench) -> Hostile {
    let giant = Bytes::from(vec![b'['; GIANT]);
    let attacker = Hostile::start(&claiming(bench, 49, 9), move |event| match event {
        Event::Asked { asked, .. } => vec![Command::Answer {
            asked: *asked,
            document: Some(giant.clone()),
        }],
        _ => Vec::new(),
    });
    attacker.dial(&bench.endpoints[0]);
    until("the giant is asked for", SOON, || {
        (!attacker.asked().is_empty()).then_some(())
    });
    attacker
}
