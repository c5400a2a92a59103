//! Annexes: asked for by hash, durable before they count, and only while they
//! are named.

use std::sync::Arc;

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::body::{Annex, AnnexBody};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Hold, HoldScope, Policy};

use super::{Desk, FAR};
use crate::catalog::{Action, Event};
use crate::fixture::publisher::{Publisher, UTC, named};
use crate::ids::AskedId;
use crate::message::DocumentRef;
use crate::output::{Answer, Notice};
use crate::peer::Path;
use crate::record::{Record, Restored};

const ME: PeerId = PeerId([9; 32]);

fn policy(reason: &str) -> Policy {
    Policy {
        holds: vec![Hold {
            scope: HoldScope::Everything,
            reason: reason.to_owned(),
        }],
        ..Policy::default()
    }
}

fn publisher(reason: &str) -> Publisher {
    let mut publisher = Publisher::new();
    publisher.policy = Some(policy(reason).write().unwrap());
    publisher.publish(&[], 90);
    publisher
}

/// A node that took everything from a far peer.
fn current(publisher: &Publisher) -> Desk {
    let mut desk = Desk::new(publisher, ME);
    desk.peer_up(FAR, Path::Wan, [1, 9, 9]);
    desk.settle(&publisher.folder);
    desk
}

fn said(desk: &Desk) -> Option<&Policy> {
    match &*desk.catalog.annex(AnnexName::Policy)?.body {
        AnnexBody::Policy(policy) => Some(policy),
        AnnexBody::Keys(_) | AnnexBody::Revocations(_) => None,
    }
}

fn persisted(desk: &Desk) -> Vec<Record> {
    let records = desk.said.iter().filter_map(|action| match action {
        Action::Persist(record) => Some(record.clone()),
        _ => None,
    });
    records.collect()
}

fn reference(bytes: &[u8]) -> DocumentRef {
    let annex = Annex::of(AnnexName::Policy, bytes);
    DocumentRef::Annex {
        name: annex.name,
        sha256: annex.sha256,
    }
}

/// T-24, T-30: whatever the lines of a node are, it loads the rollout statement
/// and the policy, keeps both, and hands them on.
#[test]
fn a_policy_is_loaded_kept_handed_on_and_there_again_after_a_restart() {
    let publisher = publisher("first");
    let mut desk = current(&publisher);
    assert_eq!(said(&desk), Some(&policy("first")));
    let bytes: Arc<[u8]> = policy("first").write().unwrap().into();
    let document = Box::new(reference(&bytes));
    desk.tell(Event::Asked {
        asked: AskedId(1),
        document,
    });
    let answered = desk.said.iter().any(|action| match action {
        Action::Answer { document, .. } => *document == Some(Answer::Bytes(Arc::clone(&bytes))),
        _ => false,
    });
    assert!(answered, "handed on");
    let mut restored = Restored::default();
    for record in persisted(&desk) {
        match record {
            Record::Document {
                role,
                bytes,
                floors,
                ..
            } => {
                restored.documents.push((role, bytes));
                restored.floors = Some(floors);
            }
            Record::Annex { name, bytes } => restored.annexes.push((name, bytes)),
            other => panic!("{other:?}"),
        }
    }
    let mut again = Desk::restored(&publisher, ME, restored.clone());
    again.tell(Event::Tick);
    assert_eq!(said(&again), Some(&policy("first")));
    restored.annexes[0].1 = policy("other").write().unwrap().into();
    let mut altered = Desk::restored(&publisher, ME, restored);
    altered.tell(Event::Tick);
    assert_eq!(said(&altered), None, "not what is named");
}

/// T-62.
#[test]
fn what_a_statement_before_named_says_nothing_any_more() {
    let mut publisher = publisher("first");
    let mut desk = current(&publisher);
    publisher.policy = Some(policy("second").write().unwrap());
    let news = publisher.publish(&[], 90);
    let mut without = publisher.folder.clone();
    let second = reference(publisher.policy.as_ref().unwrap());
    without.remove(&second);
    desk.gossip(FAR, &news);
    desk.settle(&without);
    assert_eq!(
        said(&desk),
        None,
        "the statement is here, its policy is not"
    );
    assert!(desk.catalog.annexes.is_named(AnnexName::Policy));
    desk.wait();
    desk.settle(&publisher.folder);
    assert_eq!(said(&desk), Some(&policy("second")));
    let stale: Vec<_> = publisher
        .folder
        .keys()
        .filter(|key| **key != second)
        .collect();
    assert!(stale.len() > 5 && publisher.folder.contains_key(&named("rollout", 2)));
}

/// T-62: the signers made a mistake; nobody is blamed, nothing counts, and the
/// next statement mends it.
#[test]
fn signed_bytes_that_are_no_policy_are_refused_once_without_blame() {
    let mut publisher = publisher("first");
    let mut desk = current(&publisher);
    publisher.policy = Some(b"no policy".to_vec());
    let news = publisher.publish(&[], 90);
    desk.gossip(FAR, &news);
    desk.settle(&publisher.folder);
    assert_eq!(said(&desk), None);
    let refused = desk.said.iter().filter(|action| match action {
        Action::Notify(Notice::Refused { what, code, from }) => {
            what == "rollout/policy" && *code == "Malformed" && from.is_none()
        }
        _ => false,
    });
    assert_eq!(refused.count(), 1);
    assert!(!desk.scored("Malformed"));
    desk.wait();
    assert!(desk.asks.is_empty(), "not asked for again");
    publisher.policy = Some(policy("third").write().unwrap());
    let news = publisher.publish(&[], 90);
    desk.gossip(FAR, &news);
    desk.settle(&publisher.folder);
    assert_eq!(said(&desk), Some(&policy("third")));
    let expired = crate::time::UtcTime(UTC.0 + 91 * 86_400);
    assert!(desk.catalog.verifier.annexes(expired).is_empty());
}
