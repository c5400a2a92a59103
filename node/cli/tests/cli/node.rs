//! Verbs that ask a node, against a socket with set answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::thread::{self, JoinHandle};

use patchmesh_api::answer::{Answer, Done};
use patchmesh_api::event::{Event, EventKind, Events, RefusalCount};
use patchmesh_api::fetch::{FetchEvent, FetchKind};
use patchmesh_api::line::{decode_request, encode_answer};
use patchmesh_api::peers::{Path as PeerPath, Peer, Peers};
use patchmesh_api::releases::{Release, ReleaseState, Releases, WaitingOn, Why};
use patchmesh_api::request::Request;
use patchmesh_api::socket::bind;
use patchmesh_api::status::{ByteCount, Sources};
use patchmesh_api::trouble::Trouble;
use patchmesh_content::id::{ContentId, PeerId};

use crate::support::Bench;

/// Answers one connection, one list of answers for each request.
fn serve(path: &Path, answers: Vec<Vec<Answer>>) -> JoinHandle<Vec<Request>> {
    let listener = bind(path).unwrap();
    let path = path.to_owned();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut requests = Vec::new();
        for answers in answers {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line).unwrap();
            requests.push(decode_request(&line).unwrap());
            for answer in answers {
                reader.get_mut().write_all(&encode_answer(&answer)).unwrap();
            }
        }
        // Else the next one may find it busy: a program that another test is starting
        // has the listener for a moment.
        std::fs::remove_file(path).unwrap();
        requests
    })
}

fn release(id: &str, state: ReleaseState) -> Release {
    Release {
        line: "desktop".to_owned(),
        id: id.to_owned(),
        content: ContentId([1; 32]),
        severity: "critical".to_owned(),
        state,
        chunks_held: 1,
        chunks_total: 4,
        wire_bytes: 2048,
        total_bytes: 4096,
        waiting_on: vec![WaitingOn::Chunks { held: 1, total: 4 }],
    }
}

fn progress(message_type: FetchKind, error: &str) -> Answer {
    Answer::Fetch(FetchEvent {
        message_type,
        line: "desktop".to_owned(),
        id: "KB-1".to_owned(),
        state: ReleaseState::Fetching,
        chunks_held: 1,
        chunks_total: 4,
        bytes_done: 512,
        bytes_total: 2048,
        seconds_remaining: Some(3),
        received: Sources::default(),
        waiting_on: vec![],
        error: error.to_owned(),
    })
}

fn staged() -> Answer {
    let Answer::Fetch(mut event) = progress(FetchKind::Summary, "") else {
        panic!("progress is a fetch event")
    };
    event.state = ReleaseState::Staged;
    Answer::Fetch(event)
}

#[test]
fn no_node_ends_with_15_and_a_hint() {
    let bench = Bench::new();
    for verb in [
        &["status"][..],
        &["peers"],
        &["refresh"],
        &["releases"],
        &["events"],
        &["why", "KB-1"],
        &["fetch", "KB-1", "--wait"],
    ] {
        let refused = bench.run(verb).fails(15, "E_NO_NODE");
        assert!(refused.stderr.contains("--socket"), "{}", refused.stderr);
    }
}

#[test]
fn a_followed_fetch_prints_each_line_and_ends_as_the_node_says() {
    let last = [(FetchKind::Summary, 0), (FetchKind::Error, 1)];
    for (kind, code) in last {
        let bench = Bench::new();
        let path = bench.path("s");
        let lines = vec![
            progress(FetchKind::Status, ""),
            progress(kind, "no \u{1b}room"),
        ];
        let server = serve(&path, vec![lines]);
        let fetch = ["fetch", "KB-1", "--wait", "--json", "--socket", "s"];
        let ran = bench.run(&fetch);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let lines = ran.json_lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message_type"], "status");
        assert_eq!(lines[0]["bytes_done"], 512);
        assert!(!ran.stderr.contains('\u{1b}'));
        let follow = Request::Fetch {
            release: "KB-1".to_owned(),
            follow: true,
        };
        assert_eq!(server.join().unwrap(), [follow]);
    }
}

#[test]
fn a_waiting_fetch_asks_again_until_the_release_is_known_or_time_is_up() {
    let bench = Bench::new();
    let unknown = || Answer::refused("E_UNKNOWN_RELEASE", "no release", "look");
    // A path each: a program that is being started has the listener for a moment.
    let server = serve(
        &bench.path("s1"),
        vec![vec![unknown()], vec![unknown()], vec![staged()]],
    );
    let fetch = ["fetch", "KB-1", "--wait", "--socket", "s1"];
    let ran = bench.run(&fetch).ok();
    assert!(ran.stderr.contains("waiting until KB-1"), "{}", ran.stderr);
    assert!(ran.stdout.contains("was staged before"), "{}", ran.stdout);
    assert_eq!(server.join().unwrap().len(), 3);

    let server = serve(&bench.path("s2"), vec![vec![unknown()]]);
    let fetch = ["fetch", "KB-1", "--wait", "--socket", "s2"];
    let fetch = [&fetch[..], &["--timeout", "0"]].concat();
    bench.run(&fetch).fails(1, "E_UNKNOWN_RELEASE");
    server.join().unwrap();

    let server = serve(&bench.path("s3"), vec![vec![unknown()]]);
    let fetch = ["fetch", "KB-1", "--socket", "s3"];
    bench.run(&fetch).fails(1, "E_UNKNOWN_RELEASE");
    server.join().unwrap();
}

#[test]
fn refusals_of_the_node_have_their_exit_codes() {
    let bench = Bench::new();
    for (id, code) in [
        ("E_NOT_JOINED", 10),
        ("E_BUSY", 11),
        ("E_TRUST", 12),
        ("E_UNKNOWN_RELEASE", 1),
        ("E_SOMETHING_NEW", 1),
    ] {
        let answer = Answer::refused(id, "no", "try this");
        let server = serve(&bench.path("s"), vec![vec![answer]]);
        let ran = bench.run(&["why", "KB-1", "--socket", "s"]).fails(code, id);
        assert!(ran.stderr.contains("hint: try this"), "{}", ran.stderr);
        server.join().unwrap();
    }
}

#[test]
fn peers_are_filtered_and_sorted_here() {
    let bench = Bench::new();
    let peer = |number: u8, site: &str, received: u64| Peer {
        peer: PeerId([number; 32]),
        site: site.to_owned(),
        origin: false,
        path: PeerPath::Lan,
        connected: true,
        received: ByteCount {
            transport: received,
            payload: received,
        },
        sent: ByteCount::default(),
        corrupt_chunks: 0,
        stalled: 0,
        refused: number == 3,
    };
    let all = vec![peer(1, "paris", 5), peer(2, "rome", 9), peer(3, "paris", 7)];
    let options = [
        "--site", "paris", "--sort", "bytes", "--json", "--socket", "s",
    ];
    let answer = Answer::Peers(Peers { peers: all });
    let server = serve(&bench.path("s"), vec![vec![answer]]);
    let shown = bench.run(&[&["peers"][..], &options].concat()).ok().json();
    server.join().unwrap();
    let listed = shown["peers"].as_array().unwrap();
    let payload = |peer: &serde_json::Value| peer["received"]["payload"].as_u64().unwrap();
    let bytes: Vec<_> = listed.iter().map(payload).collect();
    assert_eq!(bytes, [7, 5]);
}

#[test]
fn releases_and_why_show_what_a_release_waits_for() {
    let bench = Bench::new();
    let all = vec![
        release("KB-1", ReleaseState::Fetching),
        release("KB-2\u{202e}", ReleaseState::Staged),
    ];
    let answer = Answer::Releases(Releases { releases: all });
    let server = serve(&bench.path("s"), vec![vec![answer.clone()]]);
    let shown = bench.run(&["releases", "--socket", "s"]).ok().stdout;
    server.join().unwrap();
    assert!(shown.contains("desktop/KB-2\\u{202e}"), "{shown}");
    assert!(shown.contains("1 of 4 are here"), "{shown}");
    let server = serve(&bench.path("s"), vec![vec![answer]]);
    let options = ["--state", "staged", "--json", "--socket", "s"];
    let shown = bench
        .run(&[&["releases"][..], &options].concat())
        .ok()
        .json();
    server.join().unwrap();
    assert_eq!(shown["releases"].as_array().unwrap().len(), 1);
    let trouble = Trouble {
        code: "OriginUnreachable".to_owned(),
        since: 0,
        detail: "http://origin.example does not answer".to_owned(),
        hint: "is it up?".to_owned(),
    };
    let why = Why::of(release("KB-1", ReleaseState::Fetching), vec![trouble]);
    let server = serve(&bench.path("s"), vec![vec![Answer::Why(Box::new(why))]]);
    let shown = bench.run(&["why", "KB-1", "--socket", "s"]).ok().stdout;
    server.join().unwrap();
    assert!(
        shown.starts_with("desktop/KB-1 waits for chunks"),
        "{shown}"
    );
    assert!(
        shown.contains("OriginUnreachable: http://origin.example does not answer; is it up?"),
        "{shown}"
    );
}

#[test]
fn events_are_one_document_each() {
    let bench = Bench::new();
    let events = Events {
        events: vec![Event {
            seq: 4,
            at: 0,
            event: EventKind::Refused,
            code: "BadSignature".to_owned(),
            what: "gossip".to_owned(),
            peer: Some(PeerId([2; 32])),
            release: String::new(),
            detail: String::new(),
            count: 3,
        }],
        refusals: vec![RefusalCount {
            what: "gossip".to_owned(),
            code: "BadSignature".to_owned(),
            count: 3,
            hint: "mend it".to_owned(),
        }],
    };
    let server = serve(&bench.path("s"), vec![vec![Answer::Events(events)]]);
    let shown = bench.run(&["events", "--json", "--socket", "s"]).ok();
    server.join().unwrap();
    let lines = shown.json_lines();
    assert_eq!(lines[0]["schema"], "patchmesh.event/1");
    assert_eq!(lines[0]["code"], "BadSignature");
    assert_eq!(lines[1]["schema"], "patchmesh.refusal/1");
}

#[test]
fn publish_tells_a_local_origin() {
    let bench = Bench::published();
    let server = serve(&bench.path("s"), vec![vec![Answer::Done(Done::default())]]);
    let told = bench.publish(&["--json", "--socket", "s"]).ok().json();
    assert_eq!(told["refreshed"], true);
    assert_eq!(server.join().unwrap(), [Request::Refresh]);
    let alone = bench.publish(&["--json"]).ok().json();
    assert_eq!(alone["refreshed"], serde_json::Value::Null);
}

#[test]
fn a_node_that_hangs_up_is_no_node() {
    let bench = Bench::new();
    let server = serve(&bench.path("s"), vec![vec![]]);
    bench
        .run(&["status", "--socket", "s"])
        .fails(15, "E_NO_NODE");
    server.join().unwrap();
}
