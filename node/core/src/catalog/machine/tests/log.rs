//! The log: what waits for leaves, what lies cost, and what proves a split.

use patchmesh_content::id::PeerId;
use patchmesh_trust::log::head::Replaced;
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::role::RoleName;

use super::{Desk, FAR, OTHER, head};
use crate::catalog::{Action, Event};
use crate::fixture::publisher::{Publisher, index, named};
use crate::message::{Announcement, DocumentRef};
use crate::output::{Answer, Notice, Verdict};
use crate::peer::Path;
use crate::record::{Record, Restored};

const ME: PeerId = PeerId([9; 32]);

/// A node that holds the first publication of a network with a log.
fn begun() -> (Publisher, Desk) {
    let mut publisher = Publisher::new();
    publisher.log.tree = Some(Tree::default());
    publisher.publish(&[index("KB-1", 0, 4)], 90);
    let mut desk = Desk::new(&publisher, ME);
    desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    desk.settle(&publisher.folder);
    assert_eq!(head(&desk), [1, 1, 1]);
    assert_eq!(desk.catalog.usable(desk.now).len(), 1);
    (publisher, desk)
}

fn claim(desk: &mut Desk, from: PeerId, version: u64) {
    let head = [1, version, version];
    desk.tell(Event::Head { from, head });
}

/// Positions from which leaves are asked for, and of whom.
fn asked(desk: &Desk) -> Vec<&str> {
    let asks = desk.asks.values();
    let roles = asks.filter_map(|(_, document)| match document {
        DocumentRef::Metadata { role, .. } => role.strip_prefix("log/"),
        _ => None,
    });
    roles.collect()
}

/// T-72: leaves are durable before the timestamp that names them, and a restart
/// has them.
#[test]
fn a_newer_timestamp_waits_for_its_leaves() {
    let (mut publisher, mut desk) = begun();
    let size = publisher.log.size();
    publisher.publish(&[index("KB-1", 0, 4)], 90);
    desk.said.clear();
    claim(&mut desk, FAR, 2);
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &publisher.folder);
    assert_eq!(head(&desk), [1, 1, 1]);
    assert_eq!(asked(&desk), [size.to_string()]);
    let waits = Notice::Unproven {
        version: 2,
        size: publisher.log.size(),
    };
    assert!(desk.said.contains(&Action::Notify(waits)));
    desk.settle(&publisher.folder);
    assert_eq!(head(&desk), [1, 2, 2]);
    let at = |wanted: fn(&Record) -> bool| {
        let mut said = desk.said.iter();
        said.position(|action| matches!(action, Action::Persist(record) if wanted(record)))
    };
    let leaves = at(|record| matches!(record, Record::Log { .. }));
    let timestamp = at(
        |record| matches!(record, Record::Document { role, .. } if *role == RoleName::Timestamp),
    );
    assert!(leaves.unwrap() < timestamp.unwrap());
}

/// T-72: false leaves cost a second question, their giver its trust, and the
/// timestamp comes all the same.
#[test]
fn false_leaves_cost_time_only() {
    let (mut publisher, mut desk) = begun();
    publisher.publish(&[], 90);
    desk.peer_up(OTHER, Path::Wan, [1, 2, 2]);
    let mut lies = publisher.folder.clone();
    for (document, bytes) in &mut lies {
        if matches!(document, DocumentRef::Metadata { role, .. } if role.starts_with("log/")) {
            *bytes = vec![7; bytes.len()].into();
        }
    }
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &lies);
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &lies);
    assert_eq!(asked(&desk), ["0"], "it may be another log");
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &lies);
    assert!(desk.scored("HashMismatch"));
    assert_eq!(head(&desk), [1, 1, 1]);
    claim(&mut desk, FAR, 2);
    desk.settle(&publisher.folder);
    assert_eq!(head(&desk), [1, 2, 2]);
}

/// Gossip brings the leaves along, and is passed on only with the right ones.
#[test]
fn gossip_with_its_leaves_is_accepted_at_once() {
    let (mut publisher, mut desk) = begun();
    let news = publisher.publish(&[], 90);
    let bare = Announcement {
        leaves: Vec::new(),
        ..news.clone()
    };
    let bent = Announcement {
        leaves: vec![1; news.leaves.len()],
        ..news.clone()
    };
    let cut = Announcement {
        leaves: news.leaves[1..].to_vec(),
        ..news.clone()
    };
    for other in [&bare, &bent, &cut] {
        assert_eq!(desk.gossip(FAR, other), Verdict::Ignore);
    }
    assert_eq!(desk.gossip(FAR, &news), Verdict::Accept);
    assert_eq!(desk.gossip(FAR, &bent), Verdict::Ignore);
    assert_eq!(head(&desk)[1], 2);
}

/// T-73: the other log is found by the head that a peer tells, whichever of the
/// two versions is the higher one.
#[test]
fn a_peer_of_another_log_is_found_out_by_its_head() {
    for (own, other) in [(2, 3), (3, 2)] {
        let (mut publisher, mut desk) = begun();
        // The same keys and the same beginning.
        let (mut thief, _) = begun();
        while publisher.version < own {
            publisher.publish(&[], 90);
        }
        while thief.version < other {
            thief.publish(&[], 80);
        }
        claim(&mut desk, FAR, own);
        desk.settle(&publisher.folder);
        assert_eq!(head(&desk), [1, own, own]);
        desk.peer_up(OTHER, Path::Wan, [1, other, other]);
        let log = thief.log.head().unwrap();
        desk.tell(Event::Digest {
            from: OTHER,
            version: other,
            digest: [0; 32],
            log: Some((log.size, log.root)),
        });
        let mut folder = thief.folder.clone();
        let timestamp = folder[&named("timestamp", 0)].clone();
        folder.insert(named("timestamp", other), timestamp);
        for _ in 0..6 {
            let Some(ask) = desk.asks.keys().next().copied() else {
                break;
            };
            desk.answer(ask, &folder);
        }
        let frozen = desk.catalog.frozen();
        assert_eq!(frozen.len(), 1, "{own} and {other}");
        assert_eq!(frozen[0].role, RoleName::Timestamp);
        let proof = named("proof/timestamp", own.max(other));
        assert!(served(&mut desk, proof).is_some());
        assert!(desk.catalog.usable(desk.now).is_empty());
    }
}

/// T-72: a network that has a log does not lose it, and what is kept outlives a
/// restart.
#[test]
fn a_restart_has_the_leaves_and_no_log_is_a_rollback() {
    let (mut publisher, mut desk) = begun();
    let size = publisher.log.size();
    let leaves = served(&mut desk, named("log/0", size)).unwrap();
    assert_eq!(leaves.len() as u64, size * 32);
    let part = served(&mut desk, named("log/2", size)).unwrap();
    assert_eq!(part[..], leaves[64..]);
    for (from, to) in [(0, size + 1), (size, size), (9, 3)] {
        let none = named(&format!("log/{from}"), to);
        assert_eq!(served(&mut desk, none), None);
    }
    let mut restored = Restored {
        log: leaves.to_vec(),
        ..Restored::default()
    };
    for action in &desk.said {
        if let Action::Persist(Record::Document {
            role,
            bytes,
            floors,
            ..
        }) = action
        {
            restored.documents.push((role.clone(), bytes.clone()));
            restored.floors = Some(floors.clone());
        }
    }
    let mut again = Desk::restored(&publisher, ME, restored);
    assert_eq!(served(&mut again, named("log/0", size)), Some(leaves));
    publisher.log.tree = None;
    publisher.publish(&[], 90);
    again.peer_up(FAR, Path::Wan, [1, 2, 2]);
    again.settle(&publisher.folder);
    assert_eq!(head(&again), [1, 1, 1]);
    let refused = Notice::Refused {
        what: "timestamp".to_owned(),
        code: "Rollback",
        from: Some(FAR),
    };
    assert!(again.said.contains(&Action::Notify(refused)));
}

/// T-74.
#[test]
fn what_is_not_in_the_log_is_not_usable() {
    let (mut publisher, mut desk) = begun();
    publisher.log.leave_out = true;
    publisher.publish(&[index("KB-2", 0, 4)], 90);
    claim(&mut desk, FAR, 2);
    desk.settle(&publisher.folder);
    assert_eq!(head(&desk), [1, 2, 2]);
    assert_eq!(desk.catalog.listed().len(), 1);
    assert!(desk.catalog.usable(desk.now).is_empty());
    publisher.log.leave_out = false;
    publisher.publish(&[index("KB-2", 0, 4)], 90);
    claim(&mut desk, FAR, 3);
    desk.settle(&publisher.folder);
    assert_eq!(desk.catalog.usable(desk.now).len(), 1);
}

fn served(desk: &mut Desk, document: DocumentRef) -> Option<std::sync::Arc<[u8]>> {
    desk.said
        .retain(|action| !matches!(action, Action::Answer { .. }));
    desk.tell(Event::Asked {
        asked: crate::ids::AskedId(1),
        document: Box::new(document),
    });
    desk.said.iter().find_map(|action| match action {
        Action::Answer {
            document: Some(Answer::Bytes(bytes)),
            ..
        } => Some(bytes.clone()),
        _ => None,
    })
}

/// T-79: after a rotation the leaves are asked for before the first timestamp
/// counts; a log that goes on is no news, another one is told of, again at each
/// start, until the next root.
#[test]
fn after_a_rotation_a_log_that_goes_on_is_shown_and_another_is_told_of() {
    let told = |desk: &Desk| {
        let said = desk.said.iter().filter_map(|action| match action {
            Action::Notify(Notice::LogReplaced(replaced)) => Some(*replaced),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let rotated = |goes_on: bool| {
        let (mut publisher, mut desk) = begun();
        let before = publisher.log.head().unwrap();
        publisher.rotate(8);
        if !goes_on {
            publisher.log.tree = Some(Tree::of([[7; 32]; 9]));
        }
        publisher.publish(&[index("KB-1", 0, 4)], 90);
        desk.tell(Event::Head {
            from: FAR,
            head: [2, 2, 2],
        });
        let mut leaves = Vec::new();
        while let Some(ask) = desk.asks.keys().next().copied() {
            leaves.extend(asked(&desk).into_iter().map(str::to_owned));
            desk.answer(ask, &publisher.folder);
        }
        assert!(leaves.iter().all(|from| from == "0") && !leaves.is_empty());
        assert_eq!(head(&desk), [2, 2, 2]);
        assert_eq!(desk.catalog.usable(desk.now).len(), 1);
        (publisher, desk, before)
    };
    let (_, desk, _) = rotated(true);
    assert_eq!(told(&desk), []);

    let (mut publisher, mut desk, before) = rotated(false);
    let replaced = Some(Replaced {
        before,
        after: publisher.log.head(),
        root_version: 2,
    });
    assert_eq!(told(&desk), [replaced]);
    let mut restored = Restored {
        floors: Some(desk.catalog.verifier.floors()),
        ..Restored::default()
    };
    for action in &desk.said {
        if let Action::Persist(Record::Document { role, bytes, .. }) = action {
            restored.documents.push((role.clone(), bytes.clone()));
        }
    }
    let mut restarted = Desk::restored(&publisher, ME, restored);
    restarted.tell(Event::Tick);
    assert_eq!(told(&restarted), [replaced]);
    publisher.rotate(8);
    desk.tell(Event::Head {
        from: FAR,
        head: [3, 2, 2],
    });
    desk.settle(&publisher.folder);
    assert_eq!(told(&desk), [replaced, None]);
}
