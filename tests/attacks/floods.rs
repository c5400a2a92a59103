//! Gossip without end: many texts of one statement, broken ones, foreign topics.

use std::time::Instant;

use patchmesh_content::id::PeerId;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, is_staged, refusals};
use patchmesh_tests::gossip::{Pourer, grafts};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::support::{Listener, SOON, head, member, memory_kib, until_newest};

/// Messages of a flood.
const FLOOD: usize = 10_000;
/// Memory that a flood of gossip may cost a node.
const FLOOD_GROWTH_MAX_KIB: u64 = 32 * 1024;

/// Messages of a flood that one peer can send and keep its place.
const SHARE: usize = 500;

/// T-38: one statement in ten thousand texts, each with good signatures of the
/// online key, travels on once. They come from twenty peers, since one alone
/// would lose its place soon.
#[test]
fn attack_14_envelope_flood() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let listener = Listener::start(&mut bench, 30);
    let node = &bench.endpoints[0];
    let next = bench.forge.version + 1;
    let documents = bench.forge.documents_by(next, &[1, 2], bench.forge.online);
    let good = String::from_utf8(documents.timestamp.clone()).unwrap();
    let (before, heard) = (memory_kib(node), listener.heard());
    let malformed = refusals(node, "message", "malformed");
    let began = Instant::now();
    let mut bytes = 0;
    for (seed, from) in (100..).zip((0..FLOOD).step_by(SHARE)) {
        let mut attacker = Pourer::enter(node, &member(&bench, seed));
        let mut frames: Vec<_> = (from..from + SHARE)
            .map(|number| attacker.timestamp(1, variant(&good, number).as_bytes()))
            .collect();
        // What comes after them is no announcement, and its refusal is counted.
        frames.push(attacker.message(&[0xff, seed]));
        bytes += attacker.pour(&frames, SOON).expect("the flood is taken");
        attacker.until("the flood has been read", SOON, || {
            let read = refusals(node, "message", "malformed") - malformed;
            (read > (from / SHARE) as u64).then_some(())
        });
    }
    let took = began.elapsed();
    let growth = memory_kib(node).saturating_sub(before);
    assert_eq!(head(node), next, "the statement itself is genuine");
    assert_eq!(refusals(node, "gossip", "BadSignature"), 0);
    // Gossip keeps its order: what comes from the node after the next genuine
    // statement came after all of the flood.
    bench.forge.version = next;
    bench.forge.place(&documents, next);
    let last = bench.forge.publish().timestamp;
    bench.refresh();
    until("the next statement passes", SOON, || {
        (listener.heard_of(|timestamp| timestamp == last) > 0).then_some(())
    });
    let forwarded = listener.heard() - heard - 1;
    println!(
        "14 envelope-flood: {FLOOD} variants, {bytes} bytes read in {took:?}, \
         forwarded {forwarded}, memory grew by {growth} KiB"
    );
    assert_eq!(forwarded, 1);
    assert!(growth <= FLOOD_GROWTH_MAX_KIB, "{growth} KiB");
}

/// Another text of the same statement: white space, a junk signature, the
/// order of members.
fn variant(good: &str, number: usize) -> String {
    let (first, rest) = good.split_at(1);
    match number % 3 {
        0 => format!("{first}{}{rest}", " ".repeat(number / 3)),
        1 => {
            let junk = format!(r#"{{"keyid":"{number}","sig":"00"}},{{"keyid""#);
            good.replacen(r#"{"keyid""#, &junk, 1)
        }
        _ => format!(r#"{first}"x{number}":{number},{rest}"#),
    }
}

/// T-39: the right signed part below broken signatures comes first, and keeps
/// nobody from the genuine text.
#[test]
fn attack_suppress_by_broken_twin() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let listener = Listener::start(&mut bench, 32);
    let node = &bench.endpoints[0];
    let next = bench.forge.version + 1;
    let genuine = bench.forge.documents_by(next, &[1, 2], bench.forge.online);
    let text = String::from_utf8(genuine.timestamp.clone()).unwrap();
    let at = text.find(r#""sig":""#).unwrap() + 7;
    let flipped = if text.as_bytes()[at] == b'0' {
        "1"
    } else {
        "0"
    };
    let twin = format!("{}{flipped}{}", &text[..at], &text[at + 1..]);
    let mut attacker = Pourer::enter(node, &member(&bench, 33));
    let frames = [attacker.timestamp(1, twin.as_bytes())];
    attacker.pour(&frames, SOON).expect("the twin is taken");
    attacker.until("the twin is refused", SOON, || {
        (refusals(node, "gossip", "BadSignature") > 0).then_some(())
    });
    assert_eq!(head(node), next - 1);
    let mut honest = Pourer::enter(node, &member(&bench, 34));
    let frames = [honest.timestamp(1, &genuine.timestamp)];
    honest
        .pour(&frames, SOON)
        .expect("the genuine one is taken");
    honest.until("the genuine one is passed on", SOON, || {
        (listener.heard_of(|heard| heard == genuine.timestamp) > 0).then_some(())
    });
    assert_eq!(head(node), next);
    let twins = listener.heard_of(|heard| heard == twin.as_bytes());
    println!("suppress-by-broken-twin: twin forwarded {twins}, genuine forwarded 1");
    assert_eq!(twins, 0);
}

fn is_out(node: &Daemon, peer: PeerId) -> bool {
    let peers = node.peers().unwrap();
    let own = peers.iter().find(|found| found.peer == peer);
    own.is_some_and(|own| own.refused && !own.connected)
}

/// T-41: what is no message at all, as gossip and as control frames, and gossip
/// that nobody could judge, since it names a root that there is not.
#[test]
fn attack_24_malformed_flood() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let node = &bench.endpoints[0];
    let before = memory_kib(node);
    let forged = bench.forge.documents(9, &[101, 102], 101).timestamp;
    let forged = String::from_utf8(forged).unwrap();
    for (seed, what) in (40..).zip(["gossip", "control frames", "gossip of no root"]) {
        let refused = |code| refusals(node, "message", code) + refusals(node, "gossip", code);
        let count = || refused("malformed") + refused("Flood");
        let counted = count();
        let mut attacker = Pourer::enter(node, &member(&bench, seed));
        let id = attacker.peer;
        let began = Instant::now();
        let sent = if seed == 41 {
            // A field that claims more than there is.
            let frame = [3, 0x0a, 0x7f, 0x00];
            let out = (1..FLOOD).find(|_| {
                attacker.say("/patchmesh/control/1", &frame);
                is_out(node, id)
            });
            out.expect("it is put out")
        } else {
            let frames = (0..FLOOD).map(|number| match seed {
                40 => attacker.message(&[&[0xff; 2][..], &number.to_le_bytes()].concat()),
                _ => attacker.timestamp(99, variant(&forged, number).as_bytes()),
            });
            let frames: Vec<_> = frames.collect();
            attacker.pour(&frames, SOON);
            FLOOD
        };
        attacker.until("its sender is out", SOON, || is_out(node, id).then_some(()));
        println!(
            "24 malformed-flood: {what}: out after {} counted of {sent} sent, in {:?}",
            count() - counted,
            began.elapsed()
        );
    }
    let growth = memory_kib(node).saturating_sub(before);
    println!("24 malformed-flood: memory grew by {growth} KiB");
    assert!(growth <= FLOOD_GROWTH_MAX_KIB, "{growth} KiB");
    until_newest(&bench);
}

/// T-41, T-42: bad messages and topics that nobody has; the sender is put out.
#[test]
fn attack_24_gossip_flood() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let listener = Listener::start(&mut bench, 35);
    // Who knows no keys yet can't tell a forged word from a new one.
    until_newest(&bench);
    let node = &bench.endpoints[0];
    let (before, heard) = (memory_kib(node), listener.heard());
    let next = bench.forge.version + 1;
    let forged = bench.forge.documents(next, &[101, 102], 101).timestamp;
    let forged = String::from_utf8(forged).unwrap();
    let mut attacker = Pourer::enter(node, &member(&bench, 36));
    let bad = (0..FLOOD).map(|number| attacker.timestamp(1, variant(&forged, number).as_bytes()));
    let mut frames: Vec<_> = bad.collect();
    for hundred in 0..100 {
        let topics = (0..100).map(|number| format!("patchmesh/novel/{hundred}/{number}"));
        frames.push(grafts(topics));
    }
    let began = Instant::now();
    let poured = attacker.pour(&frames, SOON);
    let id = attacker.peer;
    attacker.until("its sender is out", SOON, || is_out(node, id).then_some(()));
    let took = began.elapsed();
    let judged = refusals(node, "gossip", "UnknownKey");
    assert!(judged > 0, "none of it was judged");
    // The node goes on: a release comes through, and only honest words pass.
    let tree = bench.path("tree");
    input::tree(&tree, 37, 200_000);
    bench.release(&tree, "release-1");
    until_newest(&bench);
    until("the honest word passes", SOON, || {
        (listener.heard() > heard).then_some(())
    });
    until("the release is staged", SOON, || {
        is_staged(&bench.endpoints[0], "release-1").then_some(())
    });
    let growth = memory_kib(&bench.endpoints[0]).saturating_sub(before);
    let passed = listener.heard_of(|timestamp| {
        std::str::from_utf8(timestamp).is_ok_and(|text| text.contains(&forged[20..60]))
    });
    println!(
        "24 gossip-flood: {FLOOD} bad and 10000 grafts, {poured:?} bytes taken in {took:?}, \
         out after {judged} refused, {passed} forwarded, memory grew by {growth} KiB"
    );
    assert_eq!(passed, 0);
    assert!(growth <= FLOOD_GROWTH_MAX_KIB, "{growth} KiB");
}
