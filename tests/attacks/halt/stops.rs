//! Emergency stops: one signature ends what is under way, a member that was
//! stopped is out, and what is not quite right changes nothing.

use std::time::{Duration, Instant};

use patchmesh_api::answer::Answer;
use patchmesh_api::codes;
use patchmesh_api::releases::{Release, ReleaseState, WaitingOn};
use patchmesh_api::request::Request;
use patchmesh_content::id::{PeerId, hex};
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, mbit, peer, release};
use patchmesh_tests::forge::{Forge, LINE, MEMBERS};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::stop::signed::{SignedStop, Subject, write_file};

use crate::support::{SOON, events, head, until_newest};

/// Seeds of two keys that may stop, each alone, and of one that may not.
pub(crate) const STOPPERS: [u8; 2] = [31, 32];
pub(crate) const STRANGER: u8 = 33;

pub(crate) fn of(id: &str) -> Subject {
    Subject::Releases([(LINE.to_owned(), id.to_owned())].into())
}

pub(crate) fn send(node: &Daemon, stop: &SignedStop) -> Answer {
    let stop = hex(&stop.encode());
    node.ask(&Request::Stop { stop }).unwrap()
}

/// Sends a stop, until the node has the keys that make stops and takes it; says
/// when it was sent that time.
pub(crate) fn stop_at(node: &Daemon, stop: &SignedStop) -> Instant {
    until("the stop is taken", SOON, || {
        let began = Instant::now();
        matches!(send(node, stop), Answer::Done(_)).then_some(began)
    })
}

pub(crate) fn stopped(node: &Daemon) -> bool {
    let status = node.status();
    status.is_ok_and(|status| status.troubles.iter().any(|one| one.code == "Stopped"))
}

pub(crate) fn waits_on_stop(release: &Release) -> bool {
    let mut waits = release.waiting_on.iter();
    waits.any(|one| matches!(one, WaitingOn::Stop { detail } if detail.contains("deletes files")))
}

fn held(node: &Daemon, id: &str) -> u32 {
    release(node, id).map_or(0, |release| release.chunks_held)
}

/// A bench whose network has revocation keys, with so many endpoints, of which the
/// first is at the newest version.
pub(crate) fn bench_with(endpoints: usize) -> Bench {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.forge.let_stop(&STOPPERS);
    bench.forge.publish();
    bench.refresh();
    bench.add(0, endpoints, &[]);
    until_newest(&bench);
    bench
}

/// A bench whose network has revocation keys, with a release of this size.
fn bench(rate: u64, bytes: usize) -> Bench {
    let mut bench = Bench::new();
    bench.forge.let_stop(&STOPPERS);
    bench.start_origin();
    bench.open_site(mbit(rate));
    let tree = bench.path("tree");
    input::tree(&tree, 81, bytes);
    bench.release(&tree, "release-1");
    bench
}

fn until_known(bench: &Bench) {
    for node in &bench.endpoints {
        until("it has the newest metadata", SOON * 2, || {
            (head(node) == bench.forge.version).then_some(())
        });
    }
}

fn list(version: u64, lifted: &[[u8; 16]]) -> Vec<u8> {
    let list = Revocations {
        version,
        lifted: lifted.to_vec(),
        ..Revocations::default()
    };
    list.write().unwrap()
}

/// T-27 to T-29, M-14: one signature ends a fetch on every node, also on one
/// that was off; neither a restart nor one signature of the members lifts it.
#[test]
fn one_signature_stops_a_fetch_and_only_the_threshold_lifts_it() {
    let mut bench = bench(4, 6_000_000);
    bench.add(0, 3, &[]);
    until_known(&bench);
    until("the fetch is under way", SOON * 2, || {
        let on = |node: &Daemon| held(node, "release-1") > 1;
        let knows = |node: &Daemon| {
            release(node, "release-1").is_some_and(|one| one.state == ReleaseState::Fetching)
        };
        let nodes = || bench.endpoints.iter();
        (nodes().any(on) && nodes().all(knows)).then_some(())
    });
    bench.endpoints[2].kill().unwrap();
    let stop = bench.forge.stop(1, of("release-1"), STOPPERS[0]);
    stop_at(&bench.endpoints[0], &stop);
    for node in [&bench.endpoints[0], &bench.endpoints[1], bench.origin()] {
        until("it has the stop", SOON, || stopped(node).then_some(()));
    }
    bench.restart(2);
    until("who was off has it too", SOON, || {
        stopped(&bench.endpoints[2]).then_some(())
    });
    // What was on its way when the stop came may still arrive.
    let counts = || -> Vec<u32> {
        let nodes = bench.endpoints.iter();
        nodes.map(|node| held(node, "release-1")).collect()
    };
    let still = until("nothing more comes", SOON * 2, || {
        let before = counts();
        std::thread::sleep(Duration::from_secs(1));
        (counts() == before).then_some(before)
    });
    for node in &bench.endpoints {
        let release = release(node, "release-1").unwrap();
        assert_eq!(release.state, ReleaseState::Fetching);
        assert!(release.chunks_held < release.chunks_total, "{still:?}");
        assert!(waits_on_stop(&release), "{:?}", release.waiting_on);
    }
    assert!(
        still.iter().any(|held| *held > 0),
        "what is held stays: {still:?}"
    );

    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
    assert!(stopped(&bench.endpoints[0]), "a restart lifts nothing");

    // One of two members signs: the statement is refused.
    bench
        .forge
        .annex(AnnexName::Revocations, list(1, &[[1; 16]]));
    bench.forge.members = vec![MEMBERS[0]];
    bench.forge.publish();
    bench.refresh();
    until("the statement was refused", SOON, || {
        let refusals = bench.origin().status().unwrap().refusals;
        let ours = |one: &patchmesh_api::event::RefusalCount| {
            one.what == "membership" && one.code == "BelowThreshold"
        };
        refusals.iter().any(ours).then_some(())
    });
    assert!(bench.endpoints.iter().all(stopped));

    bench.forge.members = MEMBERS.to_vec();
    bench.forge.publish();
    bench.refresh();
    bench.until_staged("release-1");
    assert!(!bench.endpoints.iter().any(stopped));
    // The stop does not come back.
    stop_at(&bench.endpoints[0], &stop);
    assert!(!stopped(&bench.endpoints[0]));
}

/// T-28, M-01: refused with its code, and nobody hears of it.
#[test]
fn a_stop_that_is_not_quite_right_goes_nowhere() {
    let mut bench = bench(50, 100_000);
    bench.add(0, 2, &[]);
    bench.until_staged("release-1");
    let good = bench.forge.stop(1, of("release-1"), STOPPERS[0]);
    let mut altered = good.clone();
    let last = altered.payload.len() - 1;
    altered.payload[last] ^= 1;
    let foreign = {
        let folder = bench.path("foreign");
        let mut forge = Forge::found(&folder);
        forge.root = Forge::foreign_root();
        forge.stop(1, of("release-1"), STOPPERS[0])
    };
    let bad = [
        (altered, "BadSignature"),
        (bench.forge.stop(1, of("release-1"), STRANGER), "UnknownKey"),
        (foreign, "WrongNetwork"),
    ];
    for (stop, code) in bad {
        match send(&bench.endpoints[0], &stop) {
            Answer::Refused(refused) => {
                assert_eq!(refused.code, codes::TRUST);
                assert!(refused.message.contains(code), "{}", refused.message);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!bench.endpoints.iter().any(stopped));
    // A member that passes such a stop on is heard no further.
    let release = release(&bench.endpoints[1], "release-1").unwrap();
    assert!(release.waiting_on.is_empty());
}

/// M-15: who is stopped is out at once, and stays out.
#[test]
fn attack_30_revoked_member() {
    let mut bench = bench(50, 100_000);
    bench.add(0, 3, &[]);
    bench.until_staged("release-1");
    let out = peer(&bench.endpoints[2]);
    let stop = bench
        .forge
        .stop(1, Subject::Nodes([out].into()), STOPPERS[1]);
    stop_at(&bench.endpoints[0], &stop);
    let began = Instant::now();
    let apart = |node: &Daemon| {
        let peers = node.peers().unwrap();
        peers.iter().all(|one| one.peer != out || !one.connected)
    };
    until("nobody is connected to it", SOON, || {
        let all = [&bench.endpoints[0], &bench.endpoints[1], bench.origin()];
        all.into_iter().all(apart).then_some(())
    });
    println!("30 revoked-member: out after {:?}", began.elapsed());
    // It comes again under the same key, and nobody lets it in.
    bench.endpoints[2].kill().unwrap();
    bench.restart(2);
    until("it was refused", SOON * 2, || {
        let told = events(bench.origin());
        let refused = told
            .iter()
            .any(|one| one.what == "hello" && one.code == "Revoked" && one.peer == Some(out));
        refused.then_some(())
    });
    let tree = bench.path("tree");
    input::change(&tree, 82);
    bench.release(&tree, "release-2");
    for node in &bench.endpoints[..2] {
        until("the others go on", SOON * 2, || {
            patchmesh_tests::bench::is_staged(node, "release-2").then_some(())
        });
    }
    assert!(release(&bench.endpoints[2], "release-2").is_none());
}

/// An origin hands out what was published into its folder, without a signature
/// of the online key.
#[test]
fn a_published_stop_reaches_the_nodes_of_an_origin() {
    let mut bench = bench(50, 100_000);
    bench.add(0, 2, &[]);
    bench.until_staged("release-1");
    let stop = bench.forge.stop(1, Subject::AllInstalls, STOPPERS[0]);
    bench.forge.write(
        patchmesh_trust::layout::STOPS,
        &write_file(std::slice::from_ref(&stop)).unwrap(),
    );
    bench.refresh();
    for node in &bench.endpoints {
        until("it has the stop", SOON, || stopped(node).then_some(()));
    }
    let tree = bench.path("tree");
    input::change(&tree, 83);
    bench.release(&tree, "release-2");
    for node in &bench.endpoints {
        until("it is fetched, and not staged", SOON * 2, || {
            let release = release(node, "release-2")?;
            let whole = release.chunks_total > 0 && release.chunks_held == release.chunks_total;
            (whole && waits_on_stop(&release)).then_some(())
        });
        assert!(!patchmesh_tests::bench::is_staged(node, "release-2"));
    }
}

/// Time to stop a fleet: 8 nodes here, 50 with `PATCHMESH_LONG=1`.
#[test]
fn stop_reaches_a_whole_fleet() {
    let long = std::env::var_os("PATCHMESH_LONG").is_some_and(|value| value == "1");
    let count = if long { 50 } else { 8 };
    let mut bench = Bench::with_sites(&[FAST]);
    bench.forge.let_stop(&STOPPERS);
    let tree = bench.path("tree");
    input::tree(&tree, 84, 10_000);
    bench.release(&tree, "release-1");
    bench.add(0, count, &[]);
    until_known(&bench);
    bench.until_staged("release-1");
    let stop = bench.forge.stop(1, of("release-1"), STOPPERS[0]);
    let began = stop_at(&bench.endpoints[count - 1], &stop);
    let mut took = vec![None; count];
    until("every node has the stop", SOON * 3, || {
        for (node, took) in bench.endpoints.iter().zip(&mut took) {
            if took.is_none() && stopped(node) {
                *took = Some(began.elapsed());
            }
        }
        took.iter().all(Option::is_some).then_some(())
    });
    let mut took: Vec<Duration> = took.into_iter().flatten().collect();
    took.sort();
    let at = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
    let (half, most, all) = (at(50), at(99), at(100));
    println!("stop on {count} nodes: p50 {half:?}, p99 {most:?}, max {all:?}");
    assert!(most < Duration::from_secs(30), "{most:?}");
}

/// From the start of 20 nodes of one site until each has every document: the
/// leaves of the log, the release's index, and the keys of the witnesses, which
/// come last, since statements name them.
#[test]
#[ignore = "long tier"]
fn a_fleet_that_starts_has_every_document_soon() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.forge.keep_log();
    bench.forge.let_stop(&STOPPERS);
    let nodes = [1, 2].map(|seed| {
        let node = PeerId(NodeKey::from_seed([seed; 32]).public());
        (node, format!("site-{seed}"))
    });
    bench.forge.let_witness(&nodes, [2, 2]);
    let tree = bench.path("tree");
    input::tree(&tree, 85, 10_000);
    bench.forge.release(&tree, "release-1");
    bench.forge.approve("release-1");
    bench.forge.publish();
    bench.refresh();
    let began = Instant::now();
    bench.add_at_once(20);
    println!("20 nodes answer after {:?}", began.elapsed());
    let mut took = vec![[None; 2]; 20];
    until("all have it in use", SOON * 3, || {
        for (node, took) in bench.endpoints.iter().zip(&mut took) {
            let done = took[0].is_some() && took[1].is_some();
            let Some(status) = node.status().ok().filter(|_| !done) else {
                continue;
            };
            let index = status.releases.iter().any(|one| one.chunks_total > 0);
            for (took, is) in took.iter_mut().zip([index, status.witnesses.len() == 2]) {
                if is {
                    took.get_or_insert_with(|| began.elapsed());
                }
            }
        }
        let all = |took: &[Option<Duration>; 2]| took.iter().all(Option::is_some);
        took.iter().all(all).then_some(())
    });
    let used: f64 = bench.endpoints.iter().map(processor_secs).sum();
    println!("20 nodes used {used:.2} s of a processor until then");
    for (what, at) in [("the index", 0), ("the annexes", 1)] {
        let mut took: Vec<Duration> = took.iter().filter_map(|took| took[at]).collect();
        took.sort();
        println!("{what} on 20 nodes: p50 {:?}, max {:?}", took[9], took[19]);
    }
}

/// Processor time of a node since it started.
fn processor_secs(node: &Daemon) -> f64 {
    let path = format!("/proc/{}/stat", node.pid().unwrap());
    let text = std::fs::read_to_string(path).unwrap();
    let (_, after) = text.rsplit_once(')').unwrap();
    // Fields 14 and 15 of proc(5), counted from the second, in hundredths.
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks.map(|one| one.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
