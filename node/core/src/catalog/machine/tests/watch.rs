//! Peers that flood, and floors that were lost.

use patchmesh_content::id::PeerId;
use patchmesh_proto::frame::FrameRefusal;

use super::{Desk, FAR, OTHER, head};
use crate::catalog::peers::{GOSSIP_PER_SEC_MAX, REJECTS_MAX};
use crate::catalog::{Action, Event};
use crate::fixture::publisher::{Publisher, index};
use crate::message::Announcement;
use crate::output::Verdict;
use crate::peer::Path;
use crate::record::{Record, Restored};
use crate::time::{Duration, Time};

/// T-41: who sends nothing but what is rejected is turned away, once.
#[test]
fn a_peer_that_floods_is_turned_away() {
    let mut publisher = Publisher::new();
    publisher.publish(&[], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    let broken = Announcement {
        root_version: 1,
        timestamp: b"{}".to_vec(),
        log_from: 0,
        leaves: Vec::new(),
    };
    for _ in 0..REJECTS_MAX {
        assert_eq!(desk.gossip(FAR, &broken), Verdict::Reject);
    }
    assert_eq!(away(&desk), 0);
    for _ in 0..3 {
        desk.gossip(FAR, &broken);
    }
    assert_eq!(away(&desk), 1);
}

fn away(desk: &Desk) -> usize {
    let turned = |action: &&Action| **action == Action::TurnAway { peer: FAR };
    desk.said.iter().filter(turned).count()
}

/// T-41: what is no message counts like what is rejected, with which it adds up.
#[test]
fn a_peer_that_pours_in_what_is_no_message_is_turned_away() {
    let publisher = Publisher::new();
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    let kinds = [
        FrameRefusal::Malformed,
        FrameRefusal::TooLarge,
        FrameRefusal::TooManyElements,
    ];
    for number in 0..=REJECTS_MAX {
        assert_eq!(away(&desk), 0, "after {number}");
        let refusal = kinds[number as usize % 3];
        let from = FAR;
        desk.tell(Event::Refused { from, refusal });
    }
    assert_eq!(away(&desk), 1);
    assert!(desk.scored("too-many-elements"));
}

/// T-41: messages that are not judged, since they name a root that nobody has,
/// count all the same where they are too many.
#[test]
fn a_peer_that_pours_in_what_cannot_be_judged_is_turned_away() {
    let publisher = Publisher::new();
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    let ahead = Announcement {
        root_version: 99,
        timestamp: b"{}".to_vec(),
        log_from: 0,
        leaves: Vec::new(),
    };
    // An honest burst of twice the limit costs nothing, whenever it comes.
    for minute in 1..20 {
        desk.now.mono = Time(minute * 60_000_000);
        for _ in 0..2 * GOSSIP_PER_SEC_MAX {
            assert_eq!(desk.gossip(FAR, &ahead), Verdict::Ignore);
        }
    }
    assert_eq!(away(&desk), 0);
    desk.now.mono = Time(30 * 60_000_000);
    let sent = (1..10_000).find(|_| {
        desk.gossip(FAR, &ahead);
        away(&desk) > 0
    });
    assert_eq!(sent, Some(GOSSIP_PER_SEC_MAX * (REJECTS_MAX + 2)));
}

/// T-33: documents without their floors may be of an older time; what they list
/// is not installed before others have spoken, also over a restart.
#[test]
fn without_floors_nothing_is_installed_until_others_have_spoken() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 5)], 90);
    let me = PeerId([9; 32]);
    let mut before = Desk::new(&publisher, me);
    before.peer_up(FAR, Path::Wan, [1, 1, 1]);
    before.settle(&publisher.folder);
    assert_eq!(before.catalog.usable(before.now).len(), 1);
    let documents = before.said.iter().filter_map(|action| match action {
        Action::Persist(Record::Document { role, bytes, .. }) => {
            Some((role.clone(), bytes.clone()))
        }
        _ => None,
    });
    let documents: Vec<_> = documents.collect();
    publisher.publish(&[index("KB-2", 0, 5)], 90);
    let mut floors = None;
    for restart in 0..2 {
        let restored = Restored {
            documents: documents.clone(),
            floors: floors.take(),
            ..Restored::default()
        };
        let mut desk = Desk::restored(&publisher, me, restored);
        assert_eq!(head(&desk), [1, 1, 1]);
        assert!(desk.catalog.is_recovering(), "start {restart}");
        assert!(desk.catalog.usable(desk.now).is_empty());
        // One member that is behind as well proves nothing.
        desk.peer_up(OTHER, Path::Lan, [1, 1, 1]);
        assert!(desk.catalog.usable(desk.now).is_empty());
        floors = Some(desk.catalog.verifier.floors());
        desk.peer_up(FAR, Path::Wan, [1, 2, 2]);
        desk.settle(&publisher.folder);
        assert!(desk.catalog.usable(desk.now).is_empty(), "others may come");
        while desk.catalog.is_recovering() {
            desk.wait();
            desk.settle(&publisher.folder);
        }
        assert!(desk.now.mono < Time(0).plus(Duration::secs(30)));
        let usable = desk.catalog.usable(desk.now);
        let ids: Vec<_> = usable.values().map(|release| release.id.as_str()).collect();
        assert_eq!((head(&desk), ids), ([1, 2, 2], vec!["KB-2"]));
        assert!(!desk.catalog.verifier.has_lost_floors());
    }
}

/// T-40: a timestamp that was asked for and then comes by gossip travels on with
/// that message, and only with it.
#[test]
fn what_was_asked_for_before_gossip_brings_it_still_travels_on() {
    let mut publisher = Publisher::new();
    let news = publisher.publish(&[index("KB-1", 0, 5)], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    while head(&desk)[1] == 0 {
        let ask = *desk.asks.keys().next().unwrap();
        desk.answer(ask, &publisher.folder);
    }
    assert_eq!(desk.gossip(FAR, &news), Verdict::Accept);
    assert_eq!(desk.gossip(FAR, &news), Verdict::Ignore);
    desk.settle(&publisher.folder);
    let travels = |action: &Action| matches!(action, Action::Publish(_));
    assert!(!desk.said.iter().any(travels), "it was passed on already");
}
