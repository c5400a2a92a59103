//! The catalog alone: verdicts, lost and shuffled messages, liars, turns.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look for one kind among many"
)]

use std::collections::BTreeMap;

use patchmesh_content::id::PeerId;

use crate::catalog::peers::GOSSIP_PER_SEC_MAX;
use crate::catalog::{Action, Catalog, Event};
use crate::config::Mode;
use crate::fixture::publisher::{Folder, Publisher, UTC, config, index, named};
use crate::ids::{AskId, GossipId};
use crate::input::Answered;
use crate::message::{Announcement, DocumentRef};
use crate::output::{Answer, Notice, Source, Verdict};
use crate::peer::Path;
use crate::record::{Record, Restored};
use crate::rng::{Rng, Seed};
use crate::time::{Duration, Now, Time};

const FAR: PeerId = PeerId([1; 32]);
const OTHER: PeerId = PeerId([2; 32]);

mod annexes;
mod log;
mod town;
mod witness;

/// A catalog and what it asked for and said.
struct Desk {
    catalog: Catalog,
    now: Now,
    asks: BTreeMap<AskId, (Source, DocumentRef)>,
    said: Vec<Action>,
}

impl Desk {
    fn new(publisher: &Publisher, me: PeerId) -> Self {
        Self::restored(publisher, me, Restored::default())
    }

    fn restored(publisher: &Publisher, me: PeerId, mut restored: Restored) -> Self {
        let mut settings = config(Mode::Endpoint);
        settings.peer = me;
        let now = Now {
            mono: Time(0),
            utc: UTC,
        };
        let rng = Rng::new(Seed([1; 32]));
        let catalog = Catalog::new(&settings, &publisher.anchor, &mut restored, rng, now);
        Self {
            catalog: catalog.unwrap(),
            now,
            asks: BTreeMap::new(),
            said: vec![],
        }
    }

    fn tell(&mut self, event: Event) {
        let mut out = vec![];
        self.catalog.handle(event, self.now, &mut out);
        for action in out {
            if let Action::Ask {
                ask,
                from,
                document,
                ..
            } = action
            {
                assert!(self.asks.insert(ask, (from, document)).is_none());
            } else {
                self.said.push(action);
            }
        }
    }

    fn peer_up(&mut self, peer: PeerId, path: Path, head: [u64; 3]) {
        let origin = path == Path::Wan;
        self.tell(Event::PeerUp {
            peer,
            path,
            origin,
            head,
        });
    }

    fn gossip(&mut self, from: PeerId, announcement: &Announcement) -> Verdict {
        let id = GossipId(7);
        let announcement = Box::new(announcement.clone());
        self.tell(Event::Gossip {
            id,
            from,
            announcement,
        });
        let judged = self.said.iter().rev().find_map(|action| match action {
            Action::Judge { verdict, .. } => Some(*verdict),
            _ => None,
        });
        judged.unwrap()
    }

    /// Answers one question from a folder.
    fn answer(&mut self, ask: AskId, folder: &Folder) {
        let (_, document) = self.asks.remove(&ask).unwrap();
        let bytes = folder.get(&document).cloned();
        let outcome = bytes.map_or(Answered::Gone, Answered::Bytes);
        self.tell(Event::Answered { ask, outcome });
    }

    fn settle(&mut self, folder: &Folder) {
        while let Some(ask) = self.asks.keys().next().copied() {
            self.answer(ask, folder);
        }
    }

    fn wait(&mut self) {
        let (at, _) = self.catalog.wake().unwrap();
        self.now.mono = self.now.mono.max(at);
        self.tell(Event::Tick);
    }

    fn scored(&self, code: &str) -> bool {
        self.said.iter().any(|action| match action {
            Action::Notify(Notice::PeerScored { code: scored, .. }) => *scored == code,
            _ => false,
        })
    }
}

fn head(desk: &Desk) -> [u64; 3] {
    desk.catalog.head()
}

#[test]
fn gossip_is_accepted_once_and_only_if_newer_and_genuine() {
    let mut publisher = Publisher::new();
    let old = publisher.publish(&[], 90);
    let new = publisher.publish(&[], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    assert_eq!(
        desk.gossip(FAR, &new),
        Verdict::Ignore,
        "T-42: not admitted"
    );
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);

    let mut broken = new.clone();
    let text = String::from_utf8(broken.timestamp.clone()).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 8;
    broken.timestamp[at] = if broken.timestamp[at] == b'0' {
        b'1'
    } else {
        b'0'
    };
    assert_eq!(desk.gossip(FAR, &broken), Verdict::Reject);
    let garbage = Announcement {
        root_version: 1,
        timestamp: b"{}".to_vec(),
        log_from: 0,
        leaves: Vec::new(),
    };
    assert_eq!(desk.gossip(FAR, &garbage), Verdict::Reject);
    assert_eq!(
        head(&desk),
        [1, 0, 0],
        "T-18: a refused timestamp leaves no trace"
    );

    desk.said.clear();
    assert_eq!(desk.gossip(FAR, &new), Verdict::Accept);
    let persisted = desk
        .said
        .iter()
        .position(|action| matches!(action, Action::Persist(_)));
    let judged = desk
        .said
        .iter()
        .position(|action| matches!(action, Action::Judge { .. }));
    assert!(
        persisted.unwrap() < judged.unwrap(),
        "durable before it is forwarded"
    );
    assert_eq!(desk.gossip(FAR, &new), Verdict::Ignore);
    desk.said.clear();
    assert_eq!(desk.gossip(FAR, &old), Verdict::Ignore);
    let own = Action::SendHead {
        to: FAR,
        head: [1, 2, 0],
    };
    assert!(
        desk.said.contains(&own),
        "the own head goes back to who is behind"
    );
    desk.said.clear();
    assert_eq!(desk.gossip(FAR, &old), Verdict::Ignore);
    assert!(!desk.said.contains(&own), "at most once in 10 s");
}

/// T-41.
#[test]
fn a_flood_of_one_peer_is_judged_up_to_its_limit() {
    let publisher = Publisher::new();
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    desk.peer_up(OTHER, Path::Wan, [1, 0, 0]);
    let garbage = Announcement {
        root_version: 1,
        timestamp: b"{}".to_vec(),
        log_from: 0,
        leaves: Vec::new(),
    };
    desk.now.mono = Time(5_000_000);
    for _ in 0..GOSSIP_PER_SEC_MAX {
        assert_eq!(desk.gossip(FAR, &garbage), Verdict::Reject);
    }
    assert_eq!(desk.gossip(FAR, &garbage), Verdict::Ignore);
    assert_eq!(desk.gossip(OTHER, &garbage), Verdict::Reject);
    desk.now.mono = Time(6_000_000);
    assert_eq!(desk.gossip(FAR, &garbage), Verdict::Reject);
}

#[test]
fn an_expired_timestamp_is_ignored_not_punished() {
    let mut publisher = Publisher::new();
    let expired = publisher.publish(&[], -1);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    assert_eq!(desk.gossip(FAR, &expired), Verdict::Ignore);
    assert_eq!(head(&desk), [1, 0, 0]);
}

#[test]
fn a_hint_of_a_newer_root_is_followed_and_a_lie_holds_up_nothing() {
    let mut publisher = Publisher::new();
    publisher.publish(&[], 90);
    publisher.rotate(8);
    let rotated = publisher.publish(&[], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    desk.peer_up(OTHER, Path::Wan, [1, 0, 0]);
    let lie = Announcement {
        root_version: 1_000,
        ..rotated.clone()
    };
    assert_eq!(desk.gossip(OTHER, &lie), Verdict::Ignore);
    let asked: Vec<_> = desk.asks.values().cloned().collect();
    assert_eq!(asked, [(Source::Peer(OTHER), named("root", 2))]);
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &Folder::new());
    assert!(desk.scored("HintLie"));
    assert_eq!(desk.gossip(OTHER, &lie), Verdict::Ignore);
    assert!(desk.asks.is_empty(), "T-40: not asked again within 10 s");

    assert_eq!(desk.gossip(FAR, &rotated), Verdict::Ignore);
    let asked: Vec<_> = desk.asks.values().cloned().collect();
    assert_eq!(asked, [(Source::Peer(FAR), named("root", 2))]);
    let ask = *desk.asks.keys().next().unwrap();
    desk.answer(ask, &publisher.folder);
    assert_eq!(head(&desk)[0], 2);
    desk.tell(Event::Head {
        from: FAR,
        head: [2, 2, 2],
    });
    desk.settle(&publisher.folder);
    assert_eq!(head(&desk), [2, 2, 2]);
}

/// T-47.
#[test]
fn any_order_same_state() {
    let mut publisher = Publisher::new();
    let first = publisher.publish(&[index("KB-1", 0, 5)], 90);
    let early = publisher.folder.clone();
    publisher.rotate(8);
    let second = publisher.publish(&[index("KB-2", 3, 5)], 90);
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..60u8 {
        let mut rng = Rng::new(Seed([seed; 32]));
        let mut desk = Desk::new(&publisher, PeerId([9; 32]));
        desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
        let announcement = |announcement: &Announcement| Event::Gossip {
            id: GossipId(1),
            from: FAR,
            announcement: Box::new(announcement.clone()),
        };
        let mut events = vec![
            announcement(&first),
            announcement(&first),
            announcement(&second),
            Event::Head {
                from: FAR,
                head: [1, 1, 1],
            },
            Event::Tick,
        ];
        while !events.is_empty() || !desk.asks.is_empty() {
            let pick = rng.below((events.len() + desk.asks.len()) as u64);
            let pick = usize::try_from(pick).unwrap();
            if pick < events.len() {
                desk.tell(events.remove(pick));
            } else {
                let ask = *desk.asks.keys().nth(pick - events.len()).unwrap();
                // Some answers come from before the second publication.
                let stale = rng.below(3) == 0 && !events.is_empty();
                desk.answer(ask, if stale { &early } else { &publisher.folder });
            }
        }
        // Lost or late news is healed by the exchange of heads.
        for _ in 0..40 {
            desk.tell(Event::Head {
                from: FAR,
                head: [2, 2, 2],
            });
            desk.settle(&publisher.folder);
            desk.wait();
            desk.settle(&publisher.folder);
        }
        let listed: Vec<_> = desk.catalog.listed().keys().copied().collect();
        let open = listed
            .iter()
            .filter(|content| desk.catalog.index(content).is_some());
        ends.insert((head(&desk), open.count(), listed));
    }
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends.first().unwrap().0, [2, 2, 2]);
    assert_eq!(ends.first().unwrap().1, 1);
}

#[test]
fn a_peer_that_gives_false_bytes_is_scored_and_another_is_asked() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 5)], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(OTHER, Path::Lan, [1, 1, 1]);
    desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    let mut asked_of = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let Some((&ask, (source, document))) = desk.asks.iter().next() else {
            desk.wait();
            continue;
        };
        if *source == Source::Peer(OTHER) {
            let mut bytes = publisher.folder[document].to_vec();
            let at = bytes.len() / 2;
            bytes[at] ^= 0x20;
            asked_of.insert(document.clone());
            desk.asks.remove(&ask);
            let outcome = Answered::Bytes(bytes.into());
            desk.tell(Event::Answered { ask, outcome });
        } else {
            desk.answer(ask, &publisher.folder);
        }
    }
    assert_eq!(head(&desk), [1, 1, 1]);
    assert!(desk.catalog.is_complete());
    assert!(!asked_of.is_empty(), "the liar was asked at least once");
    let scored = |of: PeerId| {
        desk.said.iter().any(|action| match action {
            Action::Notify(Notice::PeerScored { peer, .. }) => *peer == of,
            _ => false,
        })
    };
    assert!(scored(OTHER) && !scored(FAR));
}

#[test]
fn a_silent_source_is_given_up_and_another_is_asked() {
    let mut publisher = Publisher::new();
    publisher.publish(&[], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(OTHER, Path::Lan, [1, 1, 1]);
    desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    assert_eq!(desk.asks.len(), 1);
    let silent = *desk.asks.keys().next().unwrap();
    assert_eq!(desk.asks[&silent].0, Source::Peer(OTHER), "the site first");
    while desk.asks.len() == 1 {
        desk.wait();
    }
    let (source, document) = desk.asks.values().nth(1).unwrap();
    assert_eq!(
        (*source, document),
        (Source::Peer(FAR), &named("timestamp", 0))
    );
    assert!(desk.now.mono < Time(0).plus(Duration::secs(5)));
    // The late answer still counts, and is no offence.
    desk.answer(silent, &publisher.folder);
    assert_eq!(head(&desk)[1], 1);
    assert!(
        !desk
            .said
            .iter()
            .any(|action| matches!(action, Action::Notify(Notice::PeerScored { .. })))
    );
}

#[test]
fn over_the_wan_a_site_asks_once_for_each_document() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 200)], 90);
    let ids: Vec<_> = (10..18u8).map(|number| PeerId([number; 32])).collect();
    let mut desks: Vec<_> = ids.iter().map(|me| Desk::new(&publisher, *me)).collect();
    for (desk, me) in desks.iter_mut().zip(&ids) {
        for peer in ids.iter().filter(|peer| *peer != me) {
            desk.peer_up(*peer, Path::Lan, [1, 0, 0]);
        }
    }
    for desk in &mut desks {
        desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    }
    let mut crossed: BTreeMap<DocumentRef, u32> = BTreeMap::new();
    // 20 ms steps; the WAN answers in the next step, the site at once.
    for step in 0..200u64 {
        for at in 0..desks.len() {
            desks[at].now.mono = Time(step * 20_000);
            desks[at].tell(Event::Tick);
            let asks: Vec<_> = desks[at].asks.keys().copied().collect();
            for ask in asks {
                let (source, document) = desks[at].asks[&ask].clone();
                let Source::Peer(source) = source else {
                    panic!("no HTTP here")
                };
                if let Some(near) = ids.iter().position(|peer| *peer == source) {
                    let answer = desks[near].catalog.document(&document);
                    let held = answer.is_some();
                    let folder = if held {
                        publisher.folder.clone()
                    } else {
                        Folder::new()
                    };
                    desks[at].answer(ask, &folder);
                } else {
                    *crossed.entry(document).or_default() += 1;
                    desks[at].answer(ask, &publisher.folder);
                }
            }
        }
        for at in 0..desks.len() {
            for action in std::mem::take(&mut desks[at].said) {
                if let Action::SendHead { to, head } = action
                    && let Some(near) = ids.iter().position(|peer| *peer == to)
                {
                    desks[near].tell(Event::Head {
                        from: ids[at],
                        head,
                    });
                }
            }
        }
    }
    for desk in &desks {
        assert!(desk.catalog.is_complete() && desk.catalog.indexes.missing().count() == 0);
    }
    assert_eq!(
        crossed.len(),
        5,
        "timestamp, snapshot, targets, line, index: {crossed:?}"
    );
    assert_eq!(crossed.values().sum::<u32>(), 5, "{crossed:?}");
}

#[test]
fn every_document_is_persisted_with_the_floors_after_it() {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("KB-1", 0, 5)], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 1, 1]);
    desk.settle(&publisher.folder);
    let roles: Vec<_> = desk
        .said
        .iter()
        .filter_map(|action| match action {
            Action::Persist(Record::Document { role, floors, .. }) => {
                assert!(!floors.is_empty());
                Some(role.to_string())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        roles,
        ["timestamp", "snapshot", "targets", "release/desktop"],
        "T-30"
    );
}

/// Desks that are connected in a line, and what each holds as its folder.
struct Line {
    ids: Vec<PeerId>,
    desks: Vec<Desk>,
}

impl Line {
    /// Neighbours meet, with what they hold at that time.
    fn meet(&mut self, a: usize, b: usize) {
        for (me, other) in [(a, b), (b, a)] {
            let head = self.desks[other].catalog.head();
            let peer = self.ids[other];
            self.desks[me].peer_up(peer, Path::Wan, head);
        }
    }

    /// Carries everything that is said and asked, until nothing is.
    fn carry(&mut self) -> u32 {
        let mut alarms = 0;
        loop {
            let mut moved = false;
            for at in 0..self.desks.len() {
                for action in std::mem::take(&mut self.desks[at].said) {
                    let from = self.ids[at];
                    let (to, event) = match action {
                        Action::SendAlarm { to, role, version } => {
                            alarms += 1;
                            let role = role.to_string();
                            (
                                to,
                                Event::Alarm {
                                    from,
                                    role,
                                    version,
                                },
                            )
                        }
                        Action::SendDigest {
                            to,
                            version,
                            digest,
                            log,
                        } => (
                            to,
                            Event::Digest {
                                from,
                                version,
                                digest,
                                log,
                            },
                        ),
                        _ => continue,
                    };
                    let to = self.ids.iter().position(|id| *id == to).unwrap();
                    self.desks[to].tell(event);
                    moved = true;
                }
                while let Some(ask) = self.desks[at].asks.keys().next().copied() {
                    let (source, document) = self.desks[at].asks.remove(&ask).unwrap();
                    let Source::Peer(peer) = source else {
                        panic!("no origin here")
                    };
                    let holder = self.ids.iter().position(|id| *id == peer).unwrap();
                    let outcome = match self.desks[holder].catalog.document(&document) {
                        Some(Answer::Bytes(bytes)) => Answered::Bytes(bytes),
                        _ => Answered::Gone,
                    };
                    self.desks[at].tell(Event::Answered { ask, outcome });
                    moved = true;
                }
            }
            if !moved {
                return alarms;
            }
        }
    }
}

/// T-43, T-44, T-47: two views meet, and everybody has the proof.
#[test]
fn attack_equivocation_is_proved_at_the_first_contact_and_told_to_all() {
    let mut publisher = Publisher::new();
    let first = publisher.publish(&[], 90);
    let twin = publisher.twin();
    let ids: Vec<_> = (10..18u8).map(|number| PeerId([number; 32])).collect();
    let desks = ids.iter().map(|me| Desk::new(&publisher, *me)).collect();
    let mut line = Line { ids, desks };
    for (at, desk) in line.desks.iter_mut().enumerate() {
        desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
        let view = if at < 4 { &first } else { &twin };
        assert_eq!(desk.gossip(FAR, view), Verdict::Accept);
        desk.asks.clear();
        desk.tell(Event::PeerDown { peer: FAR });
        desk.said.clear();
    }
    for at in [0, 1, 2, 4, 5, 6] {
        line.meet(at, at + 1);
    }
    assert_eq!(
        line.carry(),
        0,
        "neighbours of one view have nothing to say"
    );
    line.meet(3, 4);
    let alarms = line.carry();
    let proofs: Vec<_> = line
        .desks
        .iter()
        .map(|desk| desk.catalog.frozen())
        .collect();
    assert!(
        proofs
            .iter()
            .all(|frozen| frozen.len() == 1 && *frozen == proofs[0])
    );
    assert!(
        alarms <= 2 * 8 * 2,
        "each tells its neighbours once: {alarms}"
    );
    assert_eq!(line.carry(), 0, "nothing is told again");
    // Nothing newer of the role is taken any more, by any way.
    let newer = publisher.publish(&[], 90);
    let desk = &mut line.desks[0];
    desk.peer_up(FAR, Path::Wan, [1, 2, 2]);
    let newest = named("timestamp", 0);
    assert!(desk.asks.values().all(|(_, document)| *document != newest));
    assert_eq!(desk.gossip(FAR, &newer), Verdict::Ignore);
    assert_eq!(head(desk)[1], 1);
}

/// T-46.
#[test]
fn a_peer_that_offers_proofs_it_has_not_costs_little() {
    let mut publisher = Publisher::new();
    publisher.publish(&[], 90);
    let mut desk = Desk::new(&publisher, PeerId([9; 32]));
    desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
    let mut roles: Vec<String> = (0..100).map(|n| format!("release/line-{n}")).collect();
    roles.push("no role".to_owned());
    roles.push("proof/timestamp".to_owned());
    for role in roles {
        desk.tell(Event::Alarm {
            from: FAR,
            role,
            version: 7,
        });
    }
    let mut asked = 0;
    while let Some(ask) = desk.asks.keys().next().copied() {
        assert_eq!(desk.asks.len(), 1, "one at a time");
        desk.answer(ask, &Folder::new());
        asked += 1;
    }
    assert_eq!(asked, 32);
    assert!(
        desk.asks.is_empty(),
        "what it has not is not asked for again"
    );
    desk.tell(Event::Alarm {
        from: FAR,
        role: "timestamp".to_owned(),
        version: 1,
    });
    let ask = *desk.asks.keys().next().unwrap();
    desk.asks.clear();
    let outcome = Answered::Bytes(b"no proof".to_vec().into());
    desk.tell(Event::Answered { ask, outcome });
    assert!(desk.scored("Malformed"));
    assert_eq!(desk.catalog.frozen(), []);
}

mod watch;
