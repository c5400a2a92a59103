//! Stops that nobody with a revocation key signed, in masses: they are stored by
//! nobody, passed on to nobody, and cost their sender its place where it has to
//! know better.

use std::fs;
use std::time::Instant;

use patchmesh_core::message::Message;
use patchmesh_demo::fleet::Daemon;
use patchmesh_net::{Command, Event};
use patchmesh_tests::bench::{Bench, peer, refusals};
use patchmesh_tests::forge::{MEMBERS, key};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::until::until;
use patchmesh_trust::stop::signed::{SignedStop, Subject, key_id, signing_bytes};

use crate::halt::stops::{STOPPERS, STRANGER, bench_with, of, stop_at, stopped};
use crate::support::{SOON, member, memory_kib, received_from};

/// Stops of one flood; each of 200 bytes or so.
const FLOOD: usize = 3_000;
/// Memory that a flood may cost a node.
const GROWTH_MAX_KIB: u64 = 32 * 1024;

/// Stops that differ in their id, made into forgeries.
fn forgeries(bench: &Bench, seed: u8, spoil: impl Fn(&mut SignedStop)) -> Vec<SignedStop> {
    let made = (0..=u8::MAX).map(|number| {
        let mut stop = bench.forge.stop(number, Subject::AllInstalls, seed);
        spoil(&mut stop);
        stop
    });
    let made: Vec<_> = made.collect();
    made.into_iter().cycle().take(FLOOD).collect()
}

/// A member pours stops into a node, until the node has read or cut them off;
/// says how many bytes the node took.
fn pour(bench: &Bench, seed: u8, stops: &[SignedStop]) -> u64 {
    let node = &bench.endpoints[0];
    let to = peer(node);
    let attacker = Hostile::start(&member(bench, seed), |_| Vec::new());
    attacker.dial(node);
    until("the attacker is let in", SOON, || {
        attacker.is_up(to).then_some(())
    });
    let mut len = 0;
    for stop in stops {
        len += stop.encode().len() as u64;
        attacker.say(Command::Send {
            to,
            message: Box::new(Message::Stop(stop.clone())),
        });
    }
    until("the flood has been read or cut off", SOON, || {
        let down = attacker.count(|event| matches!(event, Event::PeerDown { .. })) > 0;
        let bytes = received_from(node, attacker.peer);
        (down || bytes >= len).then_some(bytes)
    })
}

type Kind = (&'static str, &'static str, Vec<SignedStop>, bool);

/// Name, code, what is poured, and whether it costs the sender its place:
/// another node may know other keys, so that an unknown one is no offence.
fn kinds(bench: &Bench) -> [Kind; 4] {
    let as_stopper = |stop: &mut SignedStop| stop.key = key_id(&key(STOPPERS[0]).public_key());
    let other_role = |stop: &mut SignedStop| {
        stop.signature = key(MEMBERS[0]).sign(&signing_bytes(&stop.payload));
        as_stopper(stop);
    };
    let altered = |stop: &mut SignedStop| {
        let last = stop.payload.len() - 1;
        stop.payload[last] ^= 1;
    };
    let of = |seed, spoil: &dyn Fn(&mut SignedStop)| forgeries(bench, seed, spoil);
    [
        ("an unknown key", "UnknownKey", of(STRANGER, &|_| ()), false),
        (
            "a key of membership",
            "UnknownKey",
            of(MEMBERS[0], &|_| ()),
            false,
        ),
        (
            "altered after signing",
            "BadSignature",
            of(STOPPERS[0], &altered),
            true,
        ),
        (
            "signed by another role",
            "BadSignature",
            of(STOPPERS[0], &other_role),
            true,
        ),
    ]
}

/// Stops that a node keeps on its disk.
fn kept(node: &Daemon) -> usize {
    fs::read_dir(node.state().join("trust/stops")).map_or(0, Iterator::count)
}

/// T-28, T-41, M-14.
#[test]
fn attack_forged_stops() {
    let bench = bench_with(2);
    let node = &bench.endpoints[0];
    let id = peer(node);
    let listener = Hostile::start(&member(&bench, 200), |_| Vec::new());
    listener.dial(node);
    let hears = |event: &Event| {
        matches!(event, Event::Message { from, message }
            if *from == id && matches!(**message, Message::Stop(_)))
    };
    let before = memory_kib(node);
    for (seed, (name, code, stops, out)) in (201..).zip(kinds(&bench)) {
        let began = Instant::now();
        let refused = refusals(node, "stop", code);
        let bytes = pour(&bench, seed, &stops);
        let refused = refusals(node, "stop", code) - refused;
        let attacker = patchmesh_content::id::PeerId(
            patchmesh_trust::key::NodeKey::from_seed([seed; 32]).public(),
        );
        let turned_away = until("the node says what became of the sender", SOON, || {
            let peers = node.peers().unwrap();
            let found = peers.iter().find(|one| one.peer == attacker);
            let away = found.is_some_and(|one| one.refused);
            (away == out).then_some(away)
        });
        let growth = memory_kib(node).saturating_sub(before);
        println!(
            "forged-stops: {name}: {refused} refused of {FLOOD} ({bytes} bytes, {:?}), \
             sender out: {turned_away}, kept {}, memory grew by {growth} KiB",
            began.elapsed(),
            kept(node),
        );
        assert!(refused > 0, "{name}");
        assert!(!out || refused <= 11 + 512, "{name}: {refused}");
        assert!(growth <= GROWTH_MAX_KIB, "{name}: {growth} KiB");
    }
    for node in bench.endpoints.iter().chain(&bench.origin) {
        assert!(!stopped(node), "{}", node.name);
        assert_eq!(kept(node), 0, "{}", node.name);
    }
    assert_eq!(listener.count(hears), 0, "nothing was passed on");
    assert_eq!(refusals(&bench.endpoints[1], "stop", "UnknownKey"), 0);
    assert_eq!(refusals(&bench.endpoints[1], "stop", "BadSignature"), 0);
    // The genuine one passes: the listener hears it and so does the next node.
    stop_at(node, &bench.forge.stop(1, of("release-9"), STOPPERS[0]));
    until("the genuine stop arrives", SOON, || {
        (stopped(&bench.endpoints[1]) && listener.count(hears) > 0).then_some(())
    });
}
