//! Surrounded by attackers, and one honest neighbour.

use std::time::{Duration, Instant};

use patchmesh_api::event::EventKind;
use patchmesh_api::status::TrustState;
use patchmesh_core::message::Announcement;
use patchmesh_demo::fleet::Daemon;
use patchmesh_net::{Bytes, Command, Event};
use patchmesh_tests::bench::{Bench, FAST, address, peer, refusals};
use patchmesh_tests::forge::{LINE, ONLINE, now};
use patchmesh_tests::gossip::Pourer;
use patchmesh_tests::hostile::{Guise, Hostile};
use patchmesh_tests::raw::{Link, connect, enter, keep};
use patchmesh_tests::text::{altered, part};
use patchmesh_tests::until::until;
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;

use crate::support::{SOON, claiming, copy, events, head, member, rescue, serve, until_newest};

/// Attackers around one node.
const CROWD: u8 = 12;
/// How long the frozen timestamp holds, in seconds.
const FRESH_FOR: i64 = 2;

/// T-35, T-47: everybody around the node keeps the old world from ageing in its
/// eyes; it says that it is stale, and one honest neighbour cures it.
#[test]
fn attack_09_freeze() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let old = bench.forge.version;
    let ends = UtcTime(now().0 + FRESH_FOR);
    let frozen = bench.path("frozen");
    copy(&bench.forge.repository, &frozen);
    freeze(&bench, &frozen, ends);
    let crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            // Every other one boasts of news that it has not.
            let version = old + 1_000_000 * u64::from(number % 2);
            Hostile::start(&claiming(&bench, 150 + number, version), serve(&frozen))
        })
        .collect();
    let node = &bench.endpoints[0];
    let id = peer(node);
    for attacker in &crowd {
        attacker.dial(node);
        until("the attackers are around", SOON, || {
            attacker.is_up(id).then_some(())
        });
    }
    until("the old world is taken", SOON, || {
        (head(node) == old).then_some(())
    });
    for _ in 0..3 {
        bench.forge.publish();
    }
    let since = until("the node says that it is stale", SOON, || {
        let trust = node.status().unwrap().trust;
        (trust.state == TrustState::Stale).then_some(trust.since)
    });
    assert_eq!(since, Some(ends.0), "the alarm names the moment of expiry");
    assert_eq!(head(node), old);
    let asked: usize = crowd.iter().map(|attacker| attacker.asked().len()).sum();
    let healed = rescue(&mut bench);
    let trust = bench.endpoints[0].status().unwrap().trust;
    println!(
        "09 freeze: {CROWD} attackers asked {asked} times, stale at expiry; \
         one honest neighbour heals in {healed:?}"
    );
    assert_eq!(trust.state, TrustState::Current);
}

/// Makes the timestamp of a folder expire at this time.
fn freeze(bench: &Bench, folder: &std::path::Path, ends: UtcTime) {
    let role = RoleName::Timestamp;
    let timestamp = bench.forge.placed().timestamp;
    let text = part(&role, &timestamp);
    let at = text.find("\"expires\":\"").unwrap() + 11;
    let expires = &text[at..at + "2026-01-01T00:00:00Z".len()];
    let short = altered(
        &role,
        &timestamp,
        expires,
        &ends.format().unwrap(),
        &[ONLINE],
    );
    let short_forge = bench.forge.stolen(folder);
    short_forge.write(&metadata_path(&role, bench.forge.version), &short);
}

/// T-40: a hint at a newer root that its sender cannot show costs the sender
/// its word, and nobody the genuine timestamp.
#[test]
fn attack_hint_lie() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let healed = rescue(&mut bench);
    let next = bench.forge.version + 1;
    let genuine = bench
        .forge
        .documents_by(next, &[1, 2], [ONLINE; 2])
        .timestamp;
    let node = &bench.endpoints[0];
    let liar = Hostile::start(&member(&bench, 170), |event| match event {
        Event::Asked { asked, .. } => vec![Command::Answer {
            asked: *asked,
            document: None::<Bytes>,
        }],
        _ => Vec::new(),
    });
    liar.dial(node);
    // Gossip travels once its mesh has formed; until then a message is lost.
    let mut hint = 99;
    until("the lie is found out", SOON, || {
        hint += 1;
        liar.say(Command::Publish {
            announcement: Box::new(Announcement {
                root_version: hint,
                timestamp: genuine.clone(),
                log_from: 0,
                leaves: Vec::new(),
            }),
        });
        (scored(node, "HintLie") > 0).then_some(())
    });
    let asked = liar.asked().len();
    assert_eq!(
        head(node),
        next - 1,
        "it cannot be judged by a root that is not there"
    );
    let mut honest = Pourer::enter(node, &member(&bench, 171));
    let frames = [honest.timestamp(1, &genuine)];
    honest.pour(&frames, SOON).expect("it is taken");
    honest.until("the genuine one is taken", SOON, || {
        (head(node) == next).then_some(())
    });
    println!(
        "hint-lie: {} hints, {asked} questions, then HintLie; the genuine one is taken \
         from another (first healed in {healed:?})",
        hint - 99
    );
    assert_eq!(refusals(node, "gossip", "BadSignature"), 0);
}

fn scored(node: &Daemon, code: &str) -> usize {
    let events = events(node).into_iter();
    let scored = events.filter(|event| event.event == EventKind::PeerScored);
    scored.filter(|event| event.code == code).count()
}

/// T-49: a crowd takes every place but the one of the configured address, also
/// while nobody is at that address.
#[test]
fn attack_26_eclipse_member() {
    let mut bench = Bench::with_sites(&[FAST]);
    let at = address(bench.origin());
    let listen = at.rsplit_once("/p2p/").unwrap().0.to_owned();
    bench.add(0, 1, &[]);
    until_newest(&bench);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let node = &bench.endpoints[0];
    let to = address(node);
    let crowd: Vec<_> = (0..u8::MAX)
        .filter_map(|seed| runtime.block_on(come(&to, &member(&bench, seed))))
        .collect();
    until("the places are taken", SOON, || {
        (connected(node) == 256).then_some(())
    });
    bench.origin.as_mut().unwrap().terminate().unwrap();
    until("the origin is gone", SOON, || {
        (connected(&bench.endpoints[0]) == 255).then_some(())
    });
    let one_more = runtime.block_on(come(&to, &member(&bench, u8::MAX)));
    bench.forge.publish();
    let origin = bench.origin.as_mut().unwrap();
    origin.settings = vec![("PATCHMESH_NET__LISTEN".to_owned(), format!("[{listen:?}]"))];
    origin.restart(&mut bench.warden).unwrap();
    origin.wait_until_up().unwrap();
    let began = Instant::now();
    until_newest(&bench);
    let peers = connected(&bench.endpoints[0]);
    println!(
        "26 eclipse-member: {} attackers in, one more refused; the origin comes back \
         and heals in {:?}",
        crowd.len(),
        began.elapsed()
    );
    assert_eq!(peers, 256, "it healed only when attackers had left");
    assert!(one_more.is_none(), "an attacker has the kept place");
}

/// A raw attacker comes, if it is let in.
async fn come(to: &str, guise: &Guise) -> Option<Link> {
    let mut link = connect(guise.seed, to).await;
    let is_in = enter(&mut link, guise).await;
    // Its last word leaves.
    keep(&mut link, Duration::from_millis(1)).await;
    is_in.then_some(link)
}

fn connected(node: &Daemon) -> u32 {
    node.status().unwrap().peers.connected
}
