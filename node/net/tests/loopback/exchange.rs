//! Chunks, documents and control messages between two admitted nodes.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchmesh_content::id::ContentId;
use patchmesh_core::ids::{AskId, AskedId, FetchId, ServeId};
use patchmesh_core::input::Answered;
use patchmesh_core::message::{Decline, DeclineReason, DocumentRef, Message};
use patchmesh_core::peer::{Down, PeerRefusal};
use patchmesh_core::time::Duration;
use patchmesh_net::{Bytes, Command, Event, FetchOutcome};
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;

use crate::harness::{Node, noise, pair, want};
use crate::liar::Liar;

async fn fetch(from: &Node, to: &Node, id: u64) {
    fetch_within(from, to, id, [Duration::secs(30); 2]).await;
}

async fn fetch_within(from: &Node, to: &Node, id: u64, [within, idle]: [Duration; 2]) {
    from.send(Command::Fetch {
        fetch: FetchId(id),
        peer: to.peer(),
        want: Box::new(want(u32::try_from(id).unwrap())),
        within,
        idle,
    })
    .await;
}

async fn requested(node: &mut Node) -> (ServeId, u32) {
    node.wait(|event| match event {
        Event::Requested { serve, want, .. } => Some((*serve, want.chunk.0)),
        _ => None,
    })
    .await
}

async fn fetched(node: &mut Node) -> (FetchId, FetchOutcome) {
    node.wait(|event| match event {
        Event::Fetched { fetch, outcome } => Some((*fetch, outcome.clone())),
        _ => None,
    })
    .await
}

async fn served(node: &mut Node) -> (ServeId, u64) {
    node.wait(|event| match event {
        Event::Served { serve, bytes } => Some((*serve, *bytes)),
        _ => None,
    })
    .await
}

async fn serve(node: &Node, serve: ServeId, bytes: Bytes) {
    node.send(Command::ServeBytes { serve, bytes }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_chunk_travels_both_ways() {
    let (mut a, mut b) = pair().await;
    for (asker, holder) in [(&mut a, &mut b)] {
        one_large_chunk(asker, holder).await;
        one_large_chunk(holder, asker).await;
    }
}

async fn one_large_chunk(asker: &mut Node, holder: &mut Node) {
    let bytes = Bytes::from(noise(CHUNK_WIRE_LEN_MAX, 7));
    fetch(asker, holder, 5).await;
    let (id, chunk) = requested(holder).await;
    assert_eq!(chunk, 5);
    serve(holder, id, bytes.clone()).await;
    assert_eq!(
        fetched(asker).await,
        (FetchId(5), FetchOutcome::Frame(bytes.clone()))
    );
    assert_eq!(served(holder).await, (id, bytes.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_arrives_with_its_reason_and_holders() {
    let (mut a, mut b) = pair().await;
    fetch(&a, &b, 0).await;
    let (serve, _) = requested(&mut b).await;
    let decline = Box::new(Decline {
        reason: DeclineReason::HeldBySite,
        retry_after: Duration::millis(1500),
        holders: vec![(a.peer(), vec![a.address.clone()])],
    });
    b.send(Command::Decline {
        serve,
        decline: decline.clone(),
    })
    .await;
    assert_eq!(
        fetched(&mut a).await,
        (FetchId(0), FetchOutcome::Declined(decline))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_256_requests_at_once_none_is_lost() {
    let (mut a, mut b) = pair().await;
    for id in 0..256 {
        fetch(&a, &b, id).await;
    }
    let mut chunks = BTreeSet::new();
    let mut serves = vec![];
    for _ in 0..256 {
        let (id, chunk) = requested(&mut b).await;
        assert!(chunks.insert(chunk), "chunk {chunk} was asked for twice");
        serves.push((id, chunk));
    }
    for (id, chunk) in serves {
        serve(&b, id, Bytes::from(noise(20_000, u64::from(chunk)))).await;
    }
    let mut answered = BTreeSet::new();
    for _ in 0..256 {
        let (FetchId(id), outcome) = fetched(&mut a).await;
        let expected = FetchOutcome::Frame(noise(20_000, id).into());
        assert!(outcome == expected, "fetch {id} got other bytes");
        assert!(answered.insert(id), "fetch {id} was answered twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_answers_stalls_at_the_deadline() {
    let (mut a, mut b) = pair().await;
    let start = std::time::Instant::now();
    fetch_within(&a, &b, 1, [Duration::millis(300), Duration::secs(30)]).await;
    let (late, _) = requested(&mut b).await;
    assert_eq!(fetched(&mut a).await, (FetchId(1), FetchOutcome::Stalled));
    let waited = start.elapsed();
    assert!(waited.as_millis() >= 300, "too early: {waited:?}");

    // The stream was reset, so a late answer goes nowhere and says so.
    after_the_reset(&a, &mut b).await;
    serve(&b, late, Bytes::from(noise(CHUNK_WIRE_LEN_MAX, 1))).await;
    assert_eq!(served(&mut b).await, (late, 0));

    // The connection is as good as before.
    one_large_chunk(&mut a, &mut b).await;
}

/// A message that is sent after a stream was reset arrives after the reset.
async fn after_the_reset(a: &Node, b: &mut Node) {
    a.send(Command::Send {
        to: b.peer(),
        message: Box::new(Message::Head([1, 1, 1])),
    })
    .await;
    message(b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_fetch_is_answered_once_and_at_once() {
    let (mut a, mut b) = pair().await;
    fetch(&a, &b, 1).await;
    let (late, _) = requested(&mut b).await;
    a.send(Command::CancelFetch { fetch: FetchId(1) }).await;
    assert_eq!(fetched(&mut a).await, (FetchId(1), FetchOutcome::Stalled));
    after_the_reset(&a, &mut b).await;
    let before = b.handle.traffic.read().sent.total();
    serve(&b, late, Bytes::from(noise(100_000, 1))).await;
    assert_eq!(served(&mut b).await, (late, 0));
    let sent = b.handle.traffic.read().sent.total() - before;
    assert!(sent < 10_000, "{sent} bytes were sent to nobody");
    one_large_chunk(&mut a, &mut b).await;
    assert!(
        !a.seen
            .iter()
            .any(|event| matches!(event, Event::Fetched { .. })),
        "the cancelled fetch was answered twice"
    );
}

/// S-24.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_is_given_up_long_before_the_end() {
    let (mut a, mut b) = pair().await;
    let limits = [Duration::secs(3_600), Duration::millis(200)];
    fetch_within(&a, &b, 3, limits).await;
    requested(&mut b).await;
    assert_eq!(fetched(&mut a).await, (FetchId(3), FetchOutcome::Stalled));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_to_a_peer_that_is_not_connected_fail_at_once() {
    let mut a = Node::new(1).await;
    let b = Node::new(2).await;
    fetch(&a, &b, 3).await;
    assert_eq!(fetched(&mut a).await, (FetchId(3), FetchOutcome::Stalled));
    ask(&a, &b, 4, 100).await;
    assert_eq!(answered(&mut a).await, (AskId(4), Answered::Failed));
}

/// S-12.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_longer_than_the_limit_is_refused_before_it_is_read() {
    let mut a = Node::new(1).await;
    let liar = Liar::start(&mut a, 2).await;
    a.send(Command::Fetch {
        fetch: FetchId(1),
        peer: liar.peer,
        want: Box::new(want(0)),
        within: Duration::secs(30),
        idle: Duration::secs(30),
    })
    .await;
    let claimed = u32::try_from(CHUNK_WIRE_LEN_MAX + 1).unwrap();
    liar.claim_chunk(claimed).await;
    assert_eq!(fetched(&mut a).await, (FetchId(1), FetchOutcome::Stalled));
    let code = a
        .wait(|event| match event {
            Event::MessageRefused { from, refusal } if *from == liar.peer => Some(refusal.code()),
            _ => None,
        })
        .await;
    assert_eq!(code, "too-large");
}

async fn ask(from: &Node, to: &Node, id: u64, len_max: usize) {
    let document = Box::new(DocumentRef::Metadata {
        role: "timestamp".to_owned(),
        version: id,
    });
    from.send(Command::Ask {
        ask: AskId(id),
        peer: to.peer(),
        document,
        len_max,
    })
    .await;
}

async fn asked(node: &mut Node) -> (AskedId, DocumentRef) {
    node.wait(|event| match event {
        Event::Asked {
            asked, document, ..
        } => Some((*asked, (**document).clone())),
        _ => None,
    })
    .await
}

async fn answered(node: &mut Node) -> (AskId, Answered) {
    node.wait(|event| match event {
        Event::Answered { ask, outcome } => Some((*ask, outcome.clone())),
        _ => None,
    })
    .await
}

/// S-11.
#[tokio::test(flavor = "multi_thread")]
async fn documents_arrive_up_to_the_cap_of_the_asker() {
    let (mut a, mut b) = pair().await;
    let document = noise(3_000_000, 3);
    let cases = [
        (
            3_000_000,
            Some(document.clone()),
            Answered::Bytes(Arc::from(&document[..])),
        ),
        (2_999_999, Some(document.clone()), Answered::Failed),
        (100, None, Answered::Gone),
    ];
    for (id, (len_max, bytes, expected)) in (1..).zip(cases) {
        ask(&a, &b, id, len_max).await;
        let (asked, document) = asked(&mut b).await;
        assert_eq!(
            document,
            DocumentRef::Metadata {
                role: "timestamp".to_owned(),
                version: id
            }
        );
        b.send(Command::Answer {
            asked,
            document: bytes.map(Bytes::from),
        })
        .await;
        assert!(answered(&mut a).await == (AskId(id), expected), "case {id}");
    }
}

async fn message(node: &mut Node) -> Message {
    node.wait(|event| match event {
        Event::Message { message, .. } => Some((**message).clone()),
        _ => None,
    })
    .await
}

/// S-10.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_keep_their_order() {
    let (a, mut b) = pair().await;
    for version in 0..1000 {
        // Every tenth is large, so that frames fill up.
        let message = if version % 10 == 0 {
            Message::Have {
                content: ContentId([1; 32]),
                all: false,
                words: (0..1000).map(|word| (word, version)).collect(),
            }
        } else {
            Message::Head([version, 0, 0])
        };
        a.send(Command::Send {
            to: b.peer(),
            message: Box::new(message),
        })
        .await;
    }
    for version in 0..1000 {
        let found = match message(&mut b).await {
            Message::Head([found, ..]) => found,
            Message::Have { words, .. } => words[999].1,
            other => panic!("{other:?} was not sent"),
        };
        assert_eq!(found, version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnect_is_seen_on_both_sides_and_ends_what_is_under_way() {
    let (mut a, mut b) = pair().await;
    fetch(&b, &a, 1).await;
    requested(&mut a).await;
    a.send(Command::Disconnect {
        peer: b.peer(),
        why: PeerRefusal::Refused,
    })
    .await;
    assert_eq!(a.down(b.peer()).await, Down::Local);
    assert_eq!(b.down(a.peer()).await, Down::Closed);
    assert_eq!(fetched(&mut b).await, (FetchId(1), FetchOutcome::Stalled));
}

#[tokio::test(flavor = "multi_thread")]
async fn control_frames_outside_the_protocol_are_refused_with_a_code() {
    let mut a = Node::new(1).await;
    let liar = Liar::start(&mut a, 2).await;
    let cases = [
        // Length 65,537, and nothing else.
        (vec![0x81, 0x80, 0x04], "too-large"),
        // A field that claims more than there is.
        (vec![3, 0x0a, 0x7f, 0x00], "malformed"),
        // 30,000 messages without a body.
        (
            [&[0xe0, 0xd4, 0x03][..], &[0x0a, 0x00].repeat(30_000)].concat(),
            "too-many-elements",
        ),
    ];
    for (frame, expected) in cases {
        liar.control_frame(frame).await;
        let code = a
            .wait(|event| match event {
                Event::MessageRefused { from, refusal } if *from == liar.peer => {
                    Some(refusal.code())
                }
                _ => None,
            })
            .await;
        assert_eq!(code, expected);
    }
    let told = a
        .seen
        .iter()
        .any(|event| matches!(event, Event::Message { .. }));
    assert!(!told, "part of a refused frame was reported");
}
