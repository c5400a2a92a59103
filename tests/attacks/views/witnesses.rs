//! Witnesses in two sites: nothing is applied that one site alone was shown, and
//! who is no witness changes nothing.

use std::fs;
use std::time::{Duration, Instant};

use patchmesh_api::releases::{ReleaseState, WaitingOn};
use patchmesh_content::id::PeerId;
use patchmesh_core::message::Message;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_net::{Command, Event};
use patchmesh_tests::bench::{Bench, FAST, address, peer, refusals, release, site_name};
use patchmesh_tests::forge::{Forge, LINE, now};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;

use crate::support::{SOON, copy, member};
use crate::views::equivocation::endpoint;

/// Seed of the key of a peer that is no witness.
const STRANGER: u8 = 91;

/// Two sites with an endpoint each, both witnesses, and both asked for.
fn two_sites() -> Bench {
    let mut bench = Bench::with_sites(&[FAST, FAST]);
    bench.forge.keep_log();
    for site in [0, 1] {
        bench.add(site, 1, &[]);
    }
    let nodes = [0, 1].map(|at| (peer(&bench.endpoints[at]), site_name(at)));
    bench.forge.let_witness(&nodes, [2, 2]);
    bench
}

/// A release that operations approve.
fn approved(forge: &mut Forge, folder: &std::path::Path, seed: u64, id: &str) {
    input::tree(folder, seed, 20_000);
    forge.release(folder, id);
    forge.approve(id);
    forge.publish();
}

fn publish(bench: &mut Bench, seed: u64, id: &str) {
    let tree = bench.path(id);
    approved(&mut bench.forge, &tree, seed, id);
    bench.refresh();
}

/// The release that a node has in use.
fn in_use(node: &Daemon) -> Option<String> {
    let active = node.staging().parent()?.join("active").join(LINE);
    let target = fs::read_link(active).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

fn until_in_use(nodes: &[&Daemon], id: &str) {
    until(&format!("{id} is in use"), SOON, || {
        let all = nodes.iter().all(|node| in_use(node).as_deref() == Some(id));
        all.then_some(())
    });
}

/// Leaves that each witness has cosigned, as a node knows it, and those there are.
fn cosigned(node: &Daemon) -> (Vec<u64>, u64) {
    let status = node.status().unwrap();
    let sizes = status.witnesses.iter().map(|one| one.size);
    (sizes.collect(), status.log_size)
}

fn head(forge: &Forge) -> LogHead {
    forge.log.as_ref().unwrap().head()
}

/// It is staged, everything else holds, and it waits for the other site.
fn until_lacking(node: &Daemon, id: &str) {
    let lacking = WaitingOn::Cosignatures {
        keys: 1,
        keys_asked: 2,
        sites: 1,
        sites_asked: 2,
    };
    until(&format!("{id} waits for a witness"), SOON, || {
        let found = release(node, id)?;
        let staged = found.state == ReleaseState::Staged;
        (staged && found.waiting_on == [lacking.clone()]).then_some(())
    });
}

fn has_trouble(node: &Daemon, code: &str) -> bool {
    let status = node.status();
    status.is_ok_and(|status| status.troubles.iter().any(|one| one.code == code))
}

/// T-75 to T-78.
#[test]
fn a_release_is_applied_once_both_sites_have_seen_it() {
    let mut bench = two_sites();
    publish(&mut bench, 101, "release-1");
    until_in_use(&[&bench.endpoints[0], &bench.endpoints[1]], "release-1");
    let size = head(&bench.forge).size;
    until("each knows what both have seen", SOON, || {
        let nodes = bench.endpoints.iter().chain(&bench.origin);
        let all = |node: &Daemon| cosigned(node) == (vec![size; 2], size);
        nodes.into_iter().all(all).then_some(())
    });

    bench.endpoints[1].kill().unwrap();
    publish(&mut bench, 102, "release-2");
    until_lacking(&bench.endpoints[0], "release-2");
    assert_eq!(in_use(&bench.endpoints[0]).as_deref(), Some("release-1"));
    // What it signed outlives it, and it signs no second head of a size.
    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
    until_lacking(&bench.endpoints[0], "release-2");
    bench.restart(1);
    until_in_use(&[&bench.endpoints[0], &bench.endpoints[1]], "release-2");
    let silent = ["WitnessLost", "WitnessSplit", "SplitLog"];
    for node in &bench.endpoints {
        assert!(!silent.iter().any(|code| has_trouble(node, code)));
    }
}

/// The attack that witnesses are for: a thief of every key but those of
/// membership shows two sites two logs. Neither installs what the other was not
/// shown, and once they meet both name the witness.
#[test]
fn attack_13_split_view_is_not_applied() {
    let mut bench = two_sites();
    publish(&mut bench, 111, "release-1");
    until_in_use(&[&bench.endpoints[0], &bench.endpoints[1]], "release-1");
    let folder = bench.path("evil");
    copy(&bench.forge.repository, &folder);
    let mut thief = bench.forge.stolen(&folder);
    let witness = peer(&bench.endpoints[1]);
    bench.endpoints[1].kill().unwrap();
    let role = Role::Origin {
        repository: thief.repository.clone(),
    };
    let evil = bench.path("evil-origin");
    let evil = bench.daemon(&evil, &role, &[]);
    // The second site comes up again behind the thief's origin.
    let role = Role::Endpoint {
        site: site_name(1),
        bootstrap: address(&evil),
        line: LINE.to_owned(),
    };
    let folder = bench.path("node-2");
    let deceived = bench.daemon(&folder, &role, &[]);
    assert_eq!(peer(&deceived), witness, "the same node");

    publish(&mut bench, 112, "release-2");
    let tree = bench.path("evil-tree");
    approved(&mut thief, &tree, 113, "evil");
    evil.ask(&patchmesh_api::request::Request::Refresh).unwrap();
    until_lacking(&bench.endpoints[0], "release-2");
    until_lacking(&deceived, "evil");
    assert_eq!(head(&thief).size, head(&bench.forge).size);

    let both = [address(&bench.endpoints[0]), address(&deceived)];
    let bridge = endpoint(&mut bench, "bridge", &both);
    until("both sites name the witness of the other", SOON, || {
        let nodes = [&bench.endpoints[0], &deceived];
        let all = nodes.iter().all(|node| has_trouble(node, "SplitLog"));
        (all && has_trouble(&bridge, "SplitLog")).then_some(())
    });
    let of_other = |node: &Daemon, other: &Daemon| {
        let other = peer(other);
        let witnesses = node.status().unwrap().witnesses;
        let named = witnesses.iter().find(|one| one.node == other);
        named.is_some_and(|one| one.other_size == head(&thief).size)
    };
    assert!(of_other(&bench.endpoints[0], &deceived));
    assert!(of_other(&deceived, &bench.endpoints[0]));
    for node in [&bench.endpoints[0], &deceived] {
        assert_eq!(in_use(node).as_deref(), Some("release-1"));
    }
    assert_eq!(in_use(&bridge), None);
}

fn counted(peer: &Hostile, such: impl Fn(&Cosignature) -> bool) -> usize {
    peer.count(|event| match event {
        Event::Message { message, .. } => match &**message {
            Message::Cosignature(one) => such(one),
            _ => false,
        },
        _ => false,
    })
}

/// Of no witness, and under the names of two witnesses.
fn forged(bench: &Bench, here: PeerId, lost: PeerId) -> Vec<Cosignature> {
    let newest = head(&bench.forge);
    let key = NodeKey::from_seed([STRANGER; 32]);
    let own = Cosignature::sign(&key, &bench.forge.mesh_id(), newest, now()).unwrap();
    let as_of = |witness: PeerId, head: LogHead| Cosignature {
        witness: witness.0,
        head,
        signature: own.signature.clone(),
    };
    let other = LogHead {
        root: [7; 32],
        ..newest
    };
    let ahead = LogHead {
        size: newest.size + 1,
        ..newest
    };
    vec![
        own.clone(),
        as_of(lost, newest),
        as_of(lost, other),
        as_of(here, other),
        as_of(lost, ahead),
    ]
}

/// T-77: unknown keys, altered heads and replays are counted, not kept, and not
/// passed on; who forges a witness's word loses its place.
#[test]
fn attack_forged_cosignatures() {
    let mut bench = two_sites();
    publish(&mut bench, 121, "release-1");
    until_in_use(&[&bench.endpoints[0], &bench.endpoints[1]], "release-1");
    let lost = peer(&bench.endpoints[1]);
    bench.endpoints[1].kill().unwrap();
    publish(&mut bench, 122, "release-2");
    let node = &bench.endpoints[0];
    until_lacking(node, "release-2");
    let before = cosigned(node);

    let listener = Hostile::start(&member(&bench, 92), |_| Vec::new());
    let attacker = Hostile::start(&member(&bench, STRANGER), |_| Vec::new());
    for peer_of in [&listener, &attacker] {
        peer_of.dial(node);
        until("it is let in", SOON, || {
            peer_of.is_up(peer(node)).then_some(())
        });
    }
    let asked = |to: PeerId| Command::Send {
        to,
        message: Box::new(Message::Cosigned {
            digest: [0; 32],
            asks: true,
        }),
    };
    attacker.say(asked(peer(node)));
    listener.say(asked(peer(node)));
    until("who asks gets all", SOON, || {
        let all = |peer| counted(peer, |_| true) >= 2;
        (all(&attacker) && all(&listener)).then_some(())
    });
    let heard = counted(&listener, |_| true);

    let forged = forged(&bench, peer(node), lost);
    let say = |one: &Cosignature| {
        attacker.say(Command::Send {
            to: peer(node),
            message: Box::new(Message::Cosignature(one.clone())),
        });
    };
    forged.iter().for_each(say);
    until("each is refused with its code", SOON, || {
        let unknown = refusals(node, "cosignature", "UnknownKey");
        let forged = refusals(node, "cosignature", "BadSignature");
        (unknown == 1 && forged == 4).then_some(())
    });
    // Twelve are one too many, whatever they say.
    (0..8).for_each(|_| say(&forged[1]));
    until("it loses its place", SOON, || {
        let peers = node.peers().unwrap();
        let found = peers.iter().find(|one| one.peer == attacker.peer)?;
        found.refused.then_some(())
    });
    assert_eq!(cosigned(node), before);
    until_lacking(node, "release-2");
    assert_eq!(counted(&listener, |_| true), heard, "nothing was passed on");
    assert!(!has_trouble(node, "SplitLog"));
}

/// From a publication to two cosignatures on every node: 50 of one site with
/// `PATCHMESH_LONG=1`, a few else.
#[test]
fn cosignatures_reach_a_whole_fleet() {
    let long = std::env::var_os("PATCHMESH_LONG").is_some_and(|value| value == "1");
    let count = if long { 50 } else { 3 };
    let mut bench = two_sites();
    bench.add(0, count - 2, &[]);
    publish(&mut bench, 131, "release-1");
    until("all have applied what both have seen", SOON * 5, || {
        let nodes = bench.endpoints.iter();
        let used = nodes.filter(|node| in_use(node).is_some());
        (used.count() == count).then_some(())
    });
    let began = Instant::now();
    bench.forge.publish();
    bench.refresh();
    let size = head(&bench.forge).size;
    let mut took: Vec<Option<[Duration; 2]>> = vec![None; count];
    let mut known: Vec<Option<Duration>> = vec![None; count];
    until("every node has both", SOON * 3, || {
        for (at, node) in bench.endpoints.iter().enumerate() {
            if took[at].is_some() {
                continue;
            }
            let Ok(status) = node.status() else { continue };
            if status.log_size == size {
                known[at].get_or_insert_with(|| began.elapsed());
            }
            let seen = status.witnesses.iter().filter(|one| one.size == size);
            if seen.count() == 2 {
                took[at] = known[at].map(|known| [known, began.elapsed()]);
            }
        }
        took.iter().all(Option::is_some).then_some(())
    });
    for (what, at) in [("the head", 0), ("both cosignatures", 1)] {
        let mut took: Vec<Duration> = took.iter().flatten().map(|both| both[at]).collect();
        took.sort();
        let at = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
        let (half, most, all) = (at(50), at(99), at(100));
        println!("{what} on {count} nodes: p50 {half:?}, p99 {most:?}, max {all:?}");
        assert!(all < Duration::from_secs(30), "{all:?}");
    }
}
