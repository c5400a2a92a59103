//! Metadata that the attacker signed with too few, or none, of the right keys.

use patchmesh_core::message::Announcement;
use patchmesh_net::{Bytes, Command, Event};
use patchmesh_tests::bench::{Bench, FAST, peer, refusals, release};
use patchmesh_tests::forge::Forge;
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::until::until;

use crate::support::{SOON, events, member, serve};

/// Keys that no role lists.
const STRANGERS: [u8; 2] = [101, 102];
/// A version far above the newest.
const HIGH: u64 = 99;

#[test]
fn attack_01_unknown_key() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let before = bench.forge.version;
    until("the node is at the newest version", SOON, || {
        (head(&bench) == before).then_some(())
    });
    let forged = bench.forge.documents(HIGH, &STRANGERS, STRANGERS[0]);
    let guise = claiming(&bench, HIGH);
    let timestamp = Bytes::from(forged.timestamp.clone());
    let attacker = Hostile::start(&guise, move |event| match event {
        Event::Asked { asked, .. } => vec![Command::Answer {
            asked: *asked,
            document: Some(timestamp.clone()),
        }],
        _ => Vec::new(),
    });
    attacker.dial(&bench.endpoints[0]);
    let node = &bench.endpoints[0];
    until("the document is refused", SOON, || {
        (refused(&bench, "timestamp", &["UnknownKey", "BelowThreshold"]) > 0).then_some(())
    });
    // Gossip travels once its mesh has formed; until then a message is lost.
    let mut root_version = 0;
    until("the gossip is refused", SOON, || {
        // A new text each time, or the network drops it as known.
        root_version = 1 - root_version;
        attacker.say(Command::Publish {
            announcement: Box::new(Announcement {
                root_version,
                timestamp: forged.timestamp.clone(),
                log_from: 0,
                leaves: Vec::new(),
            }),
        });
        (refused(&bench, "gossip", &["UnknownKey", "BelowThreshold"]) > 0).then_some(())
    });
    assert_eq!(head(&bench), before);
    assert!(node.status().unwrap().releases.is_empty());
    // The origin may have been told by the attacker, never by the node.
    assert_eq!(bench.origin().status().unwrap().head.timestamp, before);
    let told = events(bench.origin());
    let id = peer(node);
    let mut gossip = told.iter().filter(|event| event.what == "gossip");
    assert!(gossip.all(|event| event.peer != Some(id)), "{told:?}");
}

/// Who holds the online key and one of two keys of the line can raise versions
/// and cannot release.
#[test]
fn attack_02_threshold_minus_one() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let tree = bench.path("tree");
    patchmesh_tests::input::tree(&tree, 20, 100_000);
    let mut evil = Forge {
        repository: bench.path("evil"),
        ..bench.forge.clone()
    };
    let index = evil.build(&tree, "evil-1").encode();
    let honest = evil.releases.clone();
    evil.release_bytes(&index, "evil-1");
    let one_of_two = evil.documents(HIGH, &[1], 9);
    // The top targets stay as the two people signed them.
    evil.place(&one_of_two, HIGH);
    let attacker = Hostile::start(&claiming(&bench, HIGH), serve(&evil.repository));
    attacker.dial(&bench.endpoints[0]);
    until("one signature of two is refused", SOON, || {
        (refused(&bench, "targets", &["BelowThreshold"])
            + refused(&bench, "release/desktop", &["BelowThreshold"])
            > 0)
        .then_some(())
    });
    assert!(honest.is_empty());
    assert!(release(&bench.endpoints[0], "evil-1").is_none());
    assert!(!bench.staged(0, "evil-1").exists());
}

fn claiming(bench: &Bench, version: u64) -> Guise {
    Guise {
        head: [1, version, version],
        ..member(bench, 31)
    }
}

fn head(bench: &Bench) -> u64 {
    bench.endpoints[0].status().unwrap().head.timestamp
}

fn refused(bench: &Bench, what: &str, codes: &[&str]) -> u64 {
    let node = &bench.endpoints[0];
    codes.iter().map(|code| refusals(node, what, code)).sum()
}
