//! Lines go both ways, name their schema first, and hostile ones are refused.

use patchmesh_content::id::{ContentId, PeerId};

use super::*;
use crate::answer::{Answer, Done};
use crate::fetch::{FetchEvent, FetchKind};
use crate::releases::{Release, ReleaseState, Releases, WaitingOn, Why};
use crate::status::{
    Head, Mode, PeerCounts, Received, RecorderState, RecorderUse, Sent, Sources, Status, StoreUse,
    Trust, TrustState, Witness,
};
use crate::trouble::Trouble;

fn release() -> Release {
    Release {
        line: "desktop".to_owned(),
        id: "KB-1".to_owned(),
        content: ContentId([7; 32]),
        severity: "critical".to_owned(),
        state: ReleaseState::Fetching,
        chunks_held: 3,
        chunks_total: 9,
        wire_bytes: u64::MAX,
        total_bytes: 10,
        waiting_on: vec![WaitingOn::Chunks { held: 3, total: 9 }, WaitingOn::Source],
    }
}

fn status() -> Status {
    Status {
        version: "0.1.0".to_owned(),
        node: PeerId([1; 32]),
        site: "paris".to_owned(),
        mode: Mode::EndpointWithHttp,
        addresses: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
        uptime_seconds: 5,
        ready: true,
        head: Head::default(),
        trust: Trust {
            state: TrustState::Stale,
            since: Some(-4),
            reason: "timestamp expired".to_owned(),
        },
        peers: PeerCounts::default(),
        received: Received::default(),
        sent: Sent::default(),
        wasted_bytes: 0,
        store: StoreUse::default(),
        log_size: 12,
        unlisted: vec!["desktop/KB-1".to_owned()],
        witnesses: vec![Witness {
            node: PeerId([2; 32]),
            site: "oslo".to_owned(),
            size: 9,
            at: 7,
            line: "\u{2014} oslo AAAA\n".to_owned(),
            other_size: 0,
        }],
        releases: vec![release()],
        recorder: RecorderUse {
            state: RecorderState::Full,
            bytes: 16,
            bytes_max: 16,
        },
        troubles: vec![Trouble {
            code: "OriginUnreachable".to_owned(),
            since: 5,
            detail: "http://origin.example does not answer".to_owned(),
            hint: "is it up?".to_owned(),
        }],
        refusals: Vec::new(),
    }
}

fn answers() -> Vec<Answer> {
    let fetch = |message_type| {
        Answer::Fetch(FetchEvent {
            message_type,
            line: "desktop".to_owned(),
            id: "KB-1".to_owned(),
            state: ReleaseState::Fetching,
            chunks_held: 0,
            chunks_total: 0,
            bytes_done: 0,
            bytes_total: 0,
            seconds_remaining: None,
            received: Sources::default(),
            waiting_on: Vec::new(),
            error: String::new(),
        })
    };
    vec![
        Answer::Done(Done {
            verb: "refresh".to_owned(),
        }),
        Answer::Events(crate::event::Events::default()),
        fetch(FetchKind::Status),
        fetch(FetchKind::Summary),
        Answer::Peers(crate::peers::Peers::default()),
        Answer::refused(crate::codes::UNKNOWN_RELEASE, "no KB-9", ""),
        Answer::Releases(Releases {
            releases: vec![release()],
        }),
        Answer::Status(Box::new(status())),
        Answer::Why(Box::new(Why::of(release(), vec![]))),
    ]
}

#[test]
fn every_answer_goes_both_ways_and_names_a_listed_schema_first() {
    for answer in answers() {
        let line = encode_answer(&answer);
        let text = std::str::from_utf8(&line).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let named = SCHEMAS
            .iter()
            .any(|schema| text.starts_with(&format!("{{\"schema\":\"{schema}\"")));
        assert!(named, "{text}");
        assert_eq!(decode_answer(&line), Ok(answer));
    }
}

#[test]
fn only_progress_is_not_the_last_line() {
    let open = answers().into_iter().filter(|a| !a.is_last()).count();
    assert_eq!(open, 1);
}

#[test]
fn every_request_goes_both_ways() {
    let release = "desktop/KB-1".to_owned();
    for request in [
        Request::Events { since: u64::MAX },
        Request::Fetch {
            release: release.clone(),
            follow: true,
        },
        Request::Forget {
            release: release.clone(),
        },
        Request::Peers,
        Request::Refresh,
        Request::Releases,
        Request::Status,
        Request::Why { release },
    ] {
        let line = encode_request(&request);
        assert!(line.starts_with(b"{\"schema\":\"patchmesh.request/1\",\"verb\":\""));
        assert_eq!(decode_request(&line), Ok(request));
    }
}

#[test]
fn hostile_lines_are_refused_with_their_code() {
    for (line, refusal) in [
        (b"".to_vec(), LineRefusal::Malformed),
        (b"[]".to_vec(), LineRefusal::Malformed),
        (vec![b'['; 4000], LineRefusal::Malformed),
        (vec![b' '; REQUEST_LEN_MAX + 1], LineRefusal::TooLong),
        (
            br#"{"schema":"patchmesh.request/2","verb":"status"}"#.to_vec(),
            LineRefusal::UnknownSchema,
        ),
        (
            br#"{"schema":"patchmesh.request/1","verb":"format-disk"}"#.to_vec(),
            LineRefusal::Malformed,
        ),
    ] {
        assert_eq!(decode_request(&line), Err(refusal));
        assert!(!refusal.hint().is_empty());
    }
    assert_eq!(
        decode_answer(br#"{"schema":"patchmesh.status/9"}"#),
        Err(LineRefusal::UnknownSchema)
    );
}

#[test]
fn fields_and_reasons_of_a_newer_node_do_no_harm() {
    let line = br#"{"schema":"patchmesh.done/1","verb":"refresh","new_field":{"a":[1]}}"#;
    assert!(decode_answer(line).is_ok());
    let reason: WaitingOn = serde_json::from_str(r#"{"on":"battery"}"#).unwrap();
    assert_eq!(reason, WaitingOn::Unknown);
}

#[test]
fn the_sentence_names_every_reason() {
    let why = Why::of(release(), vec![]);
    assert_eq!(
        why.sentence,
        "desktop/KB-1 waits for chunks (3 of 9 are here), \
         and for a peer or origin that has what is missing"
    );
}

#[test]
fn the_hints_quote_what_holds() {
    let hint = LineRefusal::Malformed.hint();
    let example = &hint[hint.find('{').unwrap()..];
    assert_eq!(decode_request(example.as_bytes()), Ok(Request::Status));
    assert!(LineRefusal::UnknownSchema.hint().contains(REQUEST_SCHEMA));
    assert_eq!(REQUEST_LEN_MAX, 8_192);
    assert!(LineRefusal::TooLong.hint().contains("8,192"));
}
