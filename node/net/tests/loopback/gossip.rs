//! Gossip travels as far as the verdicts let it.

use patchmesh_core::catalog::peers::REJECTS_MAX;
use patchmesh_core::message::Announcement;
use patchmesh_core::output::Verdict;
use patchmesh_net::{Command, Event};

use crate::harness::{Node, connect};

async fn publish(node: &Node, version: u64) {
    let announcement = Box::new(Announcement {
        root_version: version,
        timestamp: vec![7; 500],
        log_from: 0,
        leaves: Vec::new(),
    });
    node.send(Command::Publish { announcement }).await;
}

/// Takes the next gossip message, judges it, and says which it was.
async fn judge(node: &mut Node, verdict: Verdict) -> u64 {
    let (id, version) = node
        .wait(|event| match event {
            Event::Gossip {
                id, announcement, ..
            } => Some((*id, announcement.root_version)),
            _ => None,
        })
        .await;
    node.send(Command::Judge { id, verdict }).await;
    version
}

/// Publishes until the neighbour has joined the topic and hears of it, and
/// answers every message so far with Accept.
async fn until_heard(from: &Node, last: &mut Node, middle: Option<&mut Node>, first: u64) -> u64 {
    let mut middle = middle;
    for version in first.. {
        publish(from, version).await;
        if let Some(middle) = middle.as_deref_mut() {
            while try_judge(middle)
                .await
                .is_some_and(|heard| heard != version)
            {}
        }
        if try_judge(last).await.is_some() {
            return version;
        }
    }
    unreachable!("the range has no end")
}

/// As [`judge`] with Accept, for a moment only: the topic takes a heartbeat
/// to form, and until then a message may reach nobody.
async fn try_judge(node: &mut Node) -> Option<u64> {
    let moment = std::time::Duration::from_millis(250);
    tokio::time::timeout(moment, judge(node, Verdict::Accept))
        .await
        .ok()
}

/// G-02.
#[tokio::test(flavor = "multi_thread")]
async fn only_accepted_messages_reach_the_third_node_in_a_line() {
    let mut a = Node::new(1).await;
    let mut b = Node::new(2).await;
    let mut c = Node::new(3).await;
    connect(&mut a, &mut b).await;
    connect(&mut b, &mut c).await;
    let last = until_heard(&a, &mut c, Some(&mut b), 1000).await;
    while try_judge(&mut b).await.is_some() {}
    while try_judge(&mut c).await.is_some() {}

    for (version, verdict) in [
        (1, Verdict::Ignore),
        (2, Verdict::Accept),
        (3, Verdict::Reject),
        (4, Verdict::Accept),
    ] {
        assert!(version < last);
        publish(&a, version).await;
        assert_eq!(judge(&mut b, verdict).await, version);
    }
    // Had 1 or 3 been forwarded, they would come before those after them.
    let mut heard = vec![judge(&mut c, Verdict::Accept).await];
    heard.push(judge(&mut c, Verdict::Accept).await);
    heard.sort_unstable();
    assert_eq!(heard, [2, 4]);
}

/// G-03.
#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_message_is_not_reported_again() {
    let mut a = Node::new(1).await;
    let mut b = Node::new(2).await;
    connect(&mut a, &mut b).await;
    until_heard(&a, &mut b, None, 1000).await;
    while try_judge(&mut b).await.is_some() {}
    publish(&a, 1).await;
    assert_eq!(judge(&mut b, Verdict::Accept).await, 1);
    publish(&a, 1).await;
    publish(&a, 2).await;
    assert_eq!(judge(&mut b, Verdict::Accept).await, 2);
}

/// T-41: the engine turns a peer away for what it rejected of it, so each of
/// that comes to it, however fast its verdicts are.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_rejected_messages_are_reported_as_the_engine_counts() {
    let mut a = Node::new(1).await;
    let mut b = Node::new(2).await;
    connect(&mut a, &mut b).await;
    until_heard(&a, &mut b, None, 1000).await;
    while try_judge(&mut b).await.is_some() {}
    for version in 1..=u64::from(REJECTS_MAX) + 1 {
        publish(&a, version).await;
        assert_eq!(judge(&mut b, Verdict::Reject).await, version);
    }
}
