//! The contract, seen by a driver; and crashes at every point.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look for one kind among many"
)]

use std::sync::Arc;

use crate::config::Mode;
use crate::fixture::host::{Host, Store};
use crate::fixture::publisher::{Publisher, UTC, config, index, named};
use crate::ids::{AskedId, CommandId, HelloId, ServeId};
use crate::input::{Command, Input};
use crate::journal::{Moment, ReplayError, replay, replay_watched};
use crate::message::{Announcement, Want};
use crate::output::{Notice, Output, Reply, Source};
use crate::peer::{Path, PeerRefusal, Proof};
use crate::reason::WaitingOn;
use crate::record::{Record, ReleaseState};
use crate::time::{Now, Time, UtcTime};
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId, blake3};
use patchmesh_content::index::ReleaseIndex;

mod applies;
mod clock;
mod cosigned;

fn started(mode: Mode) -> (Publisher, Host) {
    let publisher = Publisher::new();
    let host = Host::start(
        config(mode),
        &publisher.anchor,
        Store::default(),
        Host::at(0),
    );
    (publisher, host)
}

#[test]
#[should_panic(expected = "poll until Wait")]
fn a_second_handle_before_the_drain_panics() {
    let (_, mut host) = started(Mode::Endpoint);
    host.engine.handle(Input::Tick, Host::at(1));
}

#[test]
#[should_panic(expected = "clock went back")]
fn a_clock_that_goes_back_panics() {
    let (publisher, mut host) = started(Mode::Endpoint);
    host.drain(&publisher.folder);
    host.engine.handle(Input::Tick, Host::at(5));
    host.drain(&publisher.folder);
    host.engine.handle(Input::Tick, Host::at(4));
}

#[test]
fn a_release_is_fetched_and_staged_and_a_dropped_one_forgotten() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let (one, two) = (index("KB-1", 0, 40), index("KB-2", 20, 40));
    publisher.publish(std::slice::from_ref(&one), 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    publisher.publish(&[one, two.clone()], 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-2")));
    // 20 of its 40 chunks came with KB-1.
    assert_eq!(host.engine.counters().origin_bytes, 60 * 500);
    publisher.publish(&[two], 90);
    assert!(host.run(&publisher.folder, |host| host.store.forgotten == 1));
    let view = host.engine.view(host.now);
    assert_eq!(view.releases.len(), 1);
    assert_eq!(view.releases[0].waiting_on, []);
}

#[test]
fn crash_between_any_two_outputs() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 15), index("KB-2", 15, 15)], 90);
    let settings = config(Mode::EndpointWithHttp);
    let whole = |cut: usize, store: Store, at: u64| {
        let mut host = Host::start(settings.clone(), &publisher.anchor, store, Host::at(at));
        host.left = cut;
        let done = host.run(&publisher.folder, |host| {
            host.is_staged("KB-1") && host.is_staged("KB-2")
        });
        (done, host)
    };
    let (done, host) = whole(usize::MAX, Store::default(), 0);
    assert!(done);
    let outputs = host.executed;
    assert!(outputs > 50, "a world of {outputs} outputs is too small");
    for cut in 0..outputs {
        let (done, crashed) = whole(cut, Store::default(), 0);
        assert!(!done);
        let held = crashed.store.chunks.len();
        let (done, after) = whole(usize::MAX, crashed.store, 1);
        assert!(done, "cut after {cut} outputs");
        assert_eq!(after.store.chunks.len(), 30);
        // What was written before is not fetched again.
        let fetched = after.engine.counters().origin_bytes / 500;
        assert_eq!(fetched, 30 - held as u64, "cut after {cut} outputs");
        let states: Vec<_> = after.store.releases.values().collect();
        assert_eq!(states, [&ReleaseState::Staged; 2]);
    }
}

#[test]
fn same_seed_same_outputs_and_a_replay_finds_the_first_difference() {
    let record = || {
        let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
        publisher.publish(&[index("KB-1", 0, 20)], 90);
        assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
        // The hash of the last outputs stands in the record of the next input.
        let last = host.recording.len() + 8;
        host.handle(Input::Tick);
        host.drain(&publisher.folder);
        (host.recording, last)
    };
    let (recording, last) = record();
    assert_eq!(recording, record().0);
    let replayed = replay(&recording).unwrap();
    assert_eq!(replayed.differs_at, None);
    assert!(replayed.inputs > 20 && !replayed.cut);

    // Who watches sees each input before what came of it, and the state after it.
    let (mut seen, mut staged) = (Vec::new(), 0);
    let watched = replay_watched(&recording, &mut |moment| match moment {
        Moment::Input { number, .. } => seen.push((number, false)),
        Moment::Handled {
            number,
            now,
            outputs,
            engine,
        } => {
            assert!(matches!(outputs.last(), Some(Output::Wait(_))));
            seen.push((number, true));
            let releases = engine.view(now).releases;
            staged = releases
                .iter()
                .filter(|one| one.state == ReleaseState::Staged)
                .count();
        }
    });
    assert_eq!(watched.unwrap(), replayed);
    let both = (0..replayed.inputs).flat_map(|number| [(number, false), (number, true)]);
    assert_eq!((seen, staged), (both.collect(), 1));

    let cut = replay(&recording[..recording.len() - 1]).unwrap();
    assert_eq!((cut.inputs, cut.cut), (replayed.inputs - 1, true));

    // One bit of the hash of outputs in the last record, a tick: without a new
    // checksum it is noticed as altered, with one as another life.
    let mut bent = recording;
    let (end, tail) = (bent.len(), 8);
    bent[end - tail - 2] ^= 1;
    assert_eq!(replay(&bent), Err(ReplayError::Malformed));
    let sum = blake3(&bent[last..end - tail]);
    bent[end - tail..].copy_from_slice(&sum[..tail]);
    assert_eq!(replay(&bent).unwrap().differs_at, Some(replayed.inputs - 1));
}

/// M-13, M-21.
#[test]
fn a_hello_is_judged_by_network_key_time_and_protocol() {
    let (publisher, mut host) = started(Mode::Endpoint);
    host.drain(&publisher.folder);
    let other_network = {
        let mut other = Publisher::new();
        other.rotate(9);
        other.anchor = Arc::clone(&other.folder[&named("root", 2)]);
        other
    };
    let valid = publisher.proof(1, "a", [1, 0, 0]);
    let stolen = Proof {
        peer: PeerId([9; 32]),
        ..valid.clone()
    };
    let future = Proof {
        protocol: (2, 9),
        ..valid.clone()
    };
    let far = publisher.proof(2, "b", [1, 0, 0]);
    let own = Proof {
        peer: PeerId([0xEE; 32]),
        ..valid.clone()
    };
    let cases = [
        (valid, Ok(Path::Lan)),
        (far, Ok(Path::Wan)),
        (publisher.proof(3, "", [1, 0, 0]), Ok(Path::Wan)),
        (
            other_network.proof(1, "a", [1, 0, 0]),
            Err(PeerRefusal::WrongNetwork),
        ),
        (stolen, Err(PeerRefusal::BadCertificate)),
        (own, Err(PeerRefusal::BadCertificate)),
        (future, Err(PeerRefusal::Protocol)),
    ];
    for (number, (proof, expected)) in (0..).zip(cases) {
        let hello = HelloId(number);
        let proof = Box::new(proof);
        host.handle(Input::Hello { hello, proof });
        host.drain(&publisher.folder);
        let Some(Output::Admit {
            hello: answered,
            verdict,
        }) = host.others.pop()
        else {
            panic!("a hello is answered last");
        };
        assert_eq!(answered, hello);
        assert_eq!(
            verdict.map(|admitted| admitted.1),
            expected,
            "case {number}"
        );
    }
    host.now.utc = UtcTime(UTC.0 + 2 * 86_400);
    let proof = Box::new(publisher.proof(1, "a", [1, 0, 0]));
    let hello = HelloId(99);
    host.handle(Input::Hello { hello, proof });
    host.drain(&publisher.folder);
    let verdict = Err(PeerRefusal::Expired);
    assert_eq!(host.others.pop(), Some(Output::Admit { hello, verdict }));
}

/// M-23.
#[test]
fn a_full_origin_disconnects_one_of_a_large_site_for_one_of_another() {
    let (publisher, mut host) = started(Mode::Origin);
    host.drain(&publisher.folder);
    let hello = |host: &mut Host, number: u8, site: &str| {
        let proof = publisher.proof(number, site, [1, 0, 0]);
        let peer = proof.peer;
        let (hello, proof) = (HelloId(u64::from(number)), Box::new(proof));
        host.handle(Input::Hello { hello, proof });
        host.drain(&publisher.folder);
        let answer = host.others.pop();
        assert!(
            matches!(answer, Some(Output::Admit { verdict: Ok(_), .. })),
            "{answer:?}"
        );
        let turned_out = host.others.pop();
        host.handle(Input::PeerUp { peer });
        host.drain(&publisher.folder);
        (peer, turned_out)
    };
    let mut last = None;
    for number in 0..u8::MAX {
        last = Some(hello(&mut host, number, "large").0);
    }
    host.others.clear();
    let (_, turned_out) = hello(&mut host, u8::MAX, "small");
    let (peer, why) = (last.unwrap(), PeerRefusal::TooManyPeers);
    assert_eq!(turned_out, Some(Output::Disconnect { peer, why }));
}

/// S-23.
#[test]
fn a_chunk_of_two_releases_that_are_fetched_at_once_is_fetched_once() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let both = [index("KB-1", 0, 200), index("KB-2", 100, 200)];
    publisher.publish(&both, 90);
    host.run(&publisher.folder, |host| {
        host.is_staged("KB-1") && host.is_staged("KB-2")
    });
    assert_eq!(host.fetches, 300);
}

/// S-23: what was to bring a chunk may be withdrawn before it did.
#[test]
fn a_release_that_is_withdrawn_takes_no_chunk_of_another_with_it() {
    for stays in ["KB-1", "KB-2"] {
        let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
        let both = [index("KB-1", 0, 200), index("KB-2", 100, 200)];
        publisher.publish(&both, 90);
        host.run(&publisher.folder, |host| host.fetches > 40);
        let [first, second] = both;
        let left = if stays == "KB-1" { first } else { second };
        publisher.publish(&[left], 90);
        assert!(host.run(&publisher.folder, |host| host.is_staged(stays)));
        assert!(host.fetches <= 300, "{} for {stays}", host.fetches);
    }
}

#[test]
fn strangers_get_an_answer_but_nothing_else() {
    let (publisher, mut host) = started(Mode::EndpointWithHttp);
    host.drain(&publisher.folder);
    let from = PeerId([3; 32]);
    let document = Box::new(named("root", 1));
    let asked = AskedId(1);
    host.handle(Input::Asked {
        asked,
        from,
        document,
    });
    host.drain(&publisher.folder);
    let document = None;
    assert_eq!(host.others.pop(), Some(Output::Answer { asked, document }));
    let want = Box::new(Want {
        content: ContentId([1; 32]),
        chunk: ChunkIndex(0),
        unreachable: false,
    });
    let serve = ServeId(1);
    host.handle(Input::Requested { serve, from, want });
    host.drain(&publisher.folder);
    assert!(matches!(host.others.pop(), Some(Output::Decline { .. })));
}

/// T-32, T-35.
#[test]
fn a_root_that_voids_floors_voids_the_floor_of_time_at_once() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    // The wall clock is a day behind what the signed timestamp says.
    host.now.utc = UtcTime(UTC.0 - 86_400);
    publisher.publish(&[index("KB-1", 0, 20)], 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    assert!(host.engine.catalog.utc(host.now) >= UTC);
    publisher.rotate(9);
    let rotated = |host: &Host| host.engine.view(host.now).head.root == 2;
    assert!(host.run(&publisher.folder, rotated));
    assert_eq!(host.engine.catalog.utc(host.now), host.now.utc);
}

#[test]
fn an_expired_release_is_fetched_but_not_staged() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    publisher.publish(&[index("KB-1", 0, 20)], 1);
    host.run(&publisher.folder, |host| {
        host.engine
            .view(host.now)
            .releases
            .iter()
            .any(|release| release.chunks_held > 2)
    });
    host.now.utc = UtcTime(UTC.0 + 86_400);
    host.run(&publisher.folder, |host| {
        host.engine.view(host.now).releases[0].chunks_held == 20
    });
    assert!(!host.is_staged("KB-1"));
    let waiting = host.engine.view(host.now).releases[0].waiting_on.clone();
    assert!(waiting.contains(&WaitingOn::Metadata), "{waiting:?}");
    // Renewed, it is staged.
    publisher.publish(&[index("KB-1", 0, 20)], 2);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
}

#[test]
fn damage_is_repaired_but_a_disk_that_alters_everything_is_not_fed_without_end() {
    let chunks = 20;
    let run = |damages: u32| {
        let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
        publisher.publish(&[index("KB-1", 0, chunks)], 90);
        host.damages = damages;
        let ended = |host: &Host| {
            let releases = host.engine.view(host.now).releases;
            releases.first().is_some_and(|release| {
                let failed = release.state == ReleaseState::Failed;
                release.state == ReleaseState::Staged || failed && release.chunks_held == 20
            })
        };
        assert!(host.run(&publisher.folder, ended));
        (publisher, host)
    };
    let (_, host) = run(3);
    assert!(host.is_staged("KB-1"));
    // Each time the one chunk was fetched again.
    assert_eq!(host.engine.counters().origin_bytes, (20 + 3) * 500);

    let (publisher, mut host) = run(4);
    assert!(!host.is_staged("KB-1"));
    assert_eq!(host.engine.counters().origin_bytes, (20 + 4) * 500);
    let waiting = host.engine.view(host.now).releases[0].waiting_on.clone();
    assert_eq!(waiting, [WaitingOn::Policy]);
    // A person tries again, with another disk.
    let release = "KB-1".to_owned();
    let (id, command) = (CommandId(1), Command::Fetch { release });
    host.handle(Input::Command { id, command });
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
}

#[test]
fn commands_fetch_and_forget_and_survive_a_restart() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 20)], 90);
    let mut settings = config(Mode::EndpointWithHttp);
    settings.automatic = false;
    let start = |store, at| Host::start(settings.clone(), &publisher.anchor, store, Host::at(at));
    let mut host = start(Store::default(), 0);
    let known = |host: &Host| host.engine.view(host.now).releases.first().cloned();
    host.run(&publisher.folder, |host| {
        known(host).is_some_and(|release| release.chunks_total > 0)
    });
    assert_eq!(known(&host).unwrap().waiting_on, [WaitingOn::Policy]);
    let command = |host: &mut Host, command| {
        host.handle(Input::Command {
            id: CommandId(1),
            command,
        });
        host.drain(&publisher.folder);
        let replies = host.others.iter().rev();
        let mut replies = replies.filter_map(|output| match output {
            Output::Reply { answer, .. } => Some(answer.clone()),
            _ => None,
        });
        replies.next().unwrap()
    };
    let release = "desktop/KB-1".to_owned();
    let unknown = Command::Fetch {
        release: "KB-9".to_owned(),
    };
    assert_eq!(command(&mut host, unknown), Reply::UnknownRelease);
    assert_eq!(
        command(
            &mut host,
            Command::Fetch {
                release: release.clone()
            }
        ),
        Reply::Done
    );
    host.run(&publisher.folder, |host| host.is_staged("KB-1"));
    assert_eq!(command(&mut host, Command::Forget { release }), Reply::Done);
    assert_eq!(known(&host).unwrap().chunks_held, 0);
    settings.automatic = true;
    let mut host = Host::start(
        settings.clone(),
        &publisher.anchor,
        host.store,
        Host::at(100),
    );
    host.run(&publisher.folder, |host| host.now.mono > Time(400_000_000));
    assert_eq!(known(&host).unwrap().state, ReleaseState::Known);
    let release = "KB-1".to_owned();
    assert_eq!(command(&mut host, Command::Fetch { release }), Reply::Done);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
}

#[test]
fn a_refresh_looks_at_the_http_origin_now_and_is_refused_without_one() {
    let mut publisher = Publisher::new();
    publisher.publish(&[], 90);
    let before = publisher.folder.clone();
    let reply = |host: &mut Host, folder| {
        let (id, command) = (CommandId(1), Command::Refresh);
        host.handle(Input::Command { id, command });
        host.drain(folder);
        host.others.iter().rev().find_map(|output| match output {
            Output::Reply { answer, .. } => Some(answer.clone()),
            _ => None,
        })
    };
    let anchor = publisher.anchor.clone();
    let start = |mode| Host::start(config(mode), &anchor, Store::default(), Host::at(0));
    let mut host = start(Mode::EndpointWithHttp);
    let version = |host: &Host| host.engine.view(host.now).head.timestamp;
    host.run(&before, |host| version(host) == 1);
    publisher.publish(&[], 90);
    let at = host.now.mono;
    assert_eq!(reply(&mut host, &publisher.folder), Some(Reply::Done));
    host.run(&publisher.folder, |host| version(host) == 2);
    assert_eq!(host.now.mono, at, "nothing is waited for");

    let mut host = start(Mode::Endpoint);
    host.drain(&before);
    assert_eq!(reply(&mut host, &before), Some(Reply::NoSource));
}

#[test]
fn an_origin_holds_all_and_publishes_once_it_has_what_it_names() {
    let (mut publisher, mut host) = started(Mode::Origin);
    host.run(&publisher.folder, |host| host.now.mono > Time(3_000_000));
    let announcement = publisher.publish(&[index("KB-1", 0, 20)], 90);
    let heard = |host: &Host| -> Option<Announcement> {
        host.others.iter().find_map(|output| match output {
            Output::Publish { announcement } => Some((**announcement).clone()),
            _ => None,
        })
    };
    host.run(&publisher.folder, |host| heard(host).is_some());
    assert_eq!(heard(&host), Some(announcement));
    let view = host.engine.view(host.now);
    assert_eq!(view.releases[0].chunks_held, 20);
    assert!(view.releases[0].waiting_on.is_empty());
    assert!(host.store.chunks.is_empty(), "an origin fetches no chunk");
}

#[test]
fn what_depends_on_a_document_comes_after_it_is_durable() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let release = index("KB-1", 0, 20);
    let content = ReleaseIndex::content_id(&release.encode());
    publisher.publish(&[release], 90);
    let mut durable = Vec::new();
    let mut pending = std::collections::VecDeque::new();
    // Walks the raw outputs: a fetch, a head and a stage step each need their
    // records before them.
    for _ in 0..2_000 {
        loop {
            match host.engine.poll() {
                Output::Wait(Some((at, _))) if pending.is_empty() => {
                    host.now.mono = at;
                    pending.push_back(Input::Tick);
                    break;
                }
                Output::Wait(_) => break,
                Output::Persist(record) => durable.push(*record),
                Output::Ask {
                    ask,
                    document,
                    from,
                    ..
                } => {
                    assert_eq!(from, Source::Origin);
                    let bytes = publisher.folder.get(&document).cloned();
                    let outcome =
                        bytes.map_or(crate::input::Answered::Gone, crate::input::Answered::Bytes);
                    pending.push_back(Input::Answered { ask, outcome });
                }
                Output::Fetch { fetch, want, .. } => {
                    assert!(durable.iter().any(|record| matches!(record,
                        Record::Index { content, .. } if *content == want.content)));
                    assert!(durable.contains(&Record::Release {
                        content: want.content,
                        state: ReleaseState::Fetching
                    }));
                    let outcome = crate::input::Fetched::Held;
                    pending.push_back(Input::Fetched { fetch, outcome });
                }
                Output::Install { install, .. } => {
                    let outcome = crate::input::Installed::Passed;
                    pending.push_back(Input::Installed { install, outcome });
                }
                _ => {}
            }
        }
        let staged = ReleaseState::Staged;
        if durable.contains(&Record::Release {
            content,
            state: staged,
        }) {
            return;
        }
        let now = Now {
            utc: UTC,
            ..host.now
        };
        host.engine.handle(pending.pop_front().unwrap(), now);
    }
    panic!("never staged");
}

/// The newer statement of the line is named and does not come; time passes.
fn held_back(minutes: u64) -> (Publisher, Host, Vec<ReleaseIndex>) {
    let mut publisher = Publisher::new();
    let mut settings = config(Mode::EndpointWithHttp);
    settings.automatic = false;
    let store = Store::default();
    let mut host = Host::start(settings, &publisher.anchor, store, Host::at(0));
    let releases = vec![index("KB-1", 0, 10), index("KB-2", 10, 10)];
    publisher.publish(&releases[..1], 90);
    assert!(host.run(
        &publisher.folder,
        |host| host.engine.view(host.now).head.snapshot == 1
    ));
    assert!(host.run(&publisher.folder, |host| {
        !host.engine.view(host.now).releases.is_empty()
    }));
    publisher.publish(&releases, 90);
    let line = named("release/desktop", 2);
    let mut without = publisher.folder.clone();
    without.remove(&line).unwrap();
    let end = Time(minutes * 60_000_000);
    assert!(host.run(&without, |host| host.now.mono >= end));
    (publisher, host, releases)
}

fn fetch(host: &mut Host, release: &str) {
    host.handle(Input::Command {
        id: CommandId(1),
        command: Command::Fetch {
            release: release.to_owned(),
        },
    });
}

/// T-48: what a withheld statement may have replaced is not staged any more,
/// the node says which document it lacks, and goes on once that comes.
#[test]
fn a_withheld_statement_keeps_the_one_before_it_from_being_staged() {
    let (publisher, mut host, _) = held_back(9);
    let mut without = publisher.folder.clone();
    without.remove(&named("release/desktop", 2)).unwrap();
    assert_eq!(host.engine.view(host.now).withheld, []);
    fetch(&mut host, "KB-1");
    assert!(
        host.run(&without, |host| host.is_staged("KB-1")),
        "a short delay is none"
    );

    let (publisher, mut host, _) = held_back(12);
    let withheld = host.engine.view(host.now).withheld;
    assert_eq!(withheld.len(), 1);
    assert_eq!(withheld[0].role.to_string(), "release/desktop");
    assert_eq!(withheld[0].version, 2);
    let said = |host: &Host| {
        let notices = host.others.iter().filter_map(|output| match output {
            Output::Notify(notice) => match &**notice {
                Notice::Withheld(withheld) => Some(withheld.len()),
                _ => None,
            },
            _ => None,
        });
        notices.collect::<Vec<_>>()
    };
    assert_eq!(said(&host), [1], "said once");
    fetch(&mut host, "KB-1");
    let later = Time(host.now.mono.0 + 3_600_000_000);
    assert!(host.run(&without, |host| host.now.mono >= later));
    assert_eq!(host.fetches, 10, "it is fetched, for the site");
    assert!(!host.is_staged("KB-1"));
    let view = host.engine.view(host.now);
    assert_eq!(view.releases[0].waiting_on, [WaitingOn::Metadata]);

    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    assert_eq!(host.engine.view(host.now).withheld, []);
    assert_eq!(said(&host), [1, 0]);
    fetch(&mut host, "KB-2");
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-2")));
}

/// T-44, T-45: durable before it is told; nothing is staged; a restart does not
/// end it, a rotation of the key does.
#[test]
fn a_proof_is_durable_before_it_is_shown_and_only_a_rotation_ends_the_freeze() {
    let mut publisher = Publisher::new();
    let mut settings = config(Mode::EndpointWithHttp);
    settings.automatic = false;
    let store = Store::default();
    let mut host = Host::start(settings.clone(), &publisher.anchor, store, Host::at(0));
    let release = index("KB-1", 0, 10);
    publisher.publish(std::slice::from_ref(&release), 90);
    let knows = |host: &Host| !host.engine.view(host.now).releases.is_empty();
    assert!(host.run(&publisher.folder, knows));
    let twin = publisher.twin();
    publisher
        .folder
        .insert(named("timestamp", 0), twin.timestamp.into());
    let frozen = |host: &Host| !host.engine.view(host.now).frozen.is_empty();
    assert!(host.run(&publisher.folder, |host| host.store.proofs.len() == 1));
    assert!(host.run(&publisher.folder, frozen));
    let told = |host: &Host| {
        let notices = host.others.iter().filter_map(|output| match output {
            Output::Notify(notice) => match &**notice {
                Notice::Frozen(frozen) => Some(frozen.len()),
                _ => None,
            },
            _ => None,
        });
        notices.collect::<Vec<_>>()
    };
    assert_eq!(told(&host), [1]);
    fetch(&mut host, "KB-1");
    let later = Time(host.now.mono.0 + 600_000_000);
    assert!(host.run(&publisher.folder, |host| host.now.mono >= later));
    assert_eq!(host.fetches, 10);
    assert!(!host.is_staged("KB-1"));

    let store = host.store.clone();
    let mut host = Host::start(settings, &publisher.anchor, store, Host::at(0));
    assert!(frozen(&host), "a restart ends nothing");
    publisher.publish(std::slice::from_ref(&release), 90);
    assert!(host.run(&publisher.folder, |host| host.now.mono >= later));
    assert_eq!(host.engine.view(host.now).head.timestamp, 1);
    publisher.rotate(7);
    publisher.publish(&[release], 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    assert!(!frozen(&host));
    assert_eq!(told(&host), [1, 0]);
}
