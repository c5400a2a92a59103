//! A site of many nodes that start together behind one origin, on virtual time:
//! how long until each has every document, and what that takes.

use std::collections::BTreeMap;

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::policy::{Hold, HoldScope, Policy};

use super::FAR;
use crate::catalog::{Action, Catalog, Event};
use crate::config::Mode;
use crate::fixture::publisher::{Folder, Publisher, UTC, config, index};
use crate::ids::AskId;
use crate::input::Answered;
use crate::message::DocumentRef;
use crate::output::Source;
use crate::peer::Path;
use crate::record::Restored;
use crate::rng::{Rng, Seed};
use crate::time::{Duration, Now, Time};

/// A question to the origin and its answer take so much longer than one way in the
/// site, both with what busy hosts add.
const FAR_MORE: Duration = Duration::millis(50);
/// Connections come up in this time.
const MEETING_MS: u64 = 1_000;

/// Something that reaches a node.
enum Arrival {
    Event(Event),
    /// A question of a member, to be answered.
    Asked(usize, AskId, DocumentRef),
}

struct Town {
    catalogs: Vec<Catalog>,
    ids: Vec<PeerId>,
    now: Time,
    /// One way in the site.
    near_way: Duration,
    queue: BTreeMap<(Time, u64), (usize, Arrival)>,
    next: u64,
    folder: Folder,
    /// Questions to the origin, to members, and those of them that held nothing.
    far: u32,
    near: u32,
    gone: u32,
    told: u32,
    done: Vec<Option<Time>>,
}

/// What a start of a site came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Took {
    last: Duration,
    far: u32,
    near: u32,
    gone: u32,
    told: u32,
}

impl Town {
    fn new(publisher: &Publisher, members: u8, near_way: Duration) -> Self {
        let ids: Vec<_> = (0..members).map(|n| PeerId([10 + n; 32])).collect();
        let now = Now {
            mono: Time(0),
            utc: UTC,
        };
        let catalogs = ids.iter().map(|me| {
            let mut settings = config(Mode::Endpoint);
            settings.peer = *me;
            let rng = Rng::new(Seed([me.0[0]; 32]));
            let restored = &mut Restored::default();
            Catalog::new(&settings, &publisher.anchor, restored, rng, now).unwrap()
        });
        Self {
            catalogs: catalogs.collect(),
            done: vec![None; ids.len()],
            ids,
            now: Time(0),
            near_way,
            queue: BTreeMap::new(),
            next: 0,
            folder: publisher.folder.clone(),
            far: 0,
            near: 0,
            gone: 0,
            told: 0,
        }
    }

    fn put(&mut self, after: Duration, to: usize, arrival: Arrival) {
        self.next += 1;
        let at = self.now.plus(after);
        self.queue.insert((at, self.next), (to, arrival));
    }

    /// Every node meets the origin and every other, at moments of their own.
    fn meet(&mut self, seed: u8, version: u64) {
        let mut rng = Rng::new(Seed([seed; 32]));
        for one in 0..self.ids.len() {
            let after = Duration::millis(rng.below(MEETING_MS));
            let origin = up(FAR, Path::Wan, [1, version, version]);
            self.put(after, one, Arrival::Event(origin));
            for other in one + 1..self.ids.len() {
                let after = Duration::millis(rng.below(MEETING_MS));
                for (at, peer) in [(one, other), (other, one)] {
                    let met = up(self.ids[peer], Path::Lan, [1, 0, 0]);
                    self.put(after, at, Arrival::Event(met));
                }
            }
        }
    }

    fn run(&mut self) -> Took {
        while self.done.contains(&None) {
            let wakes = self.catalogs.iter().enumerate();
            let wakes = wakes.filter_map(|(at, one)| Some((one.wake()?.0, at)));
            let wake = wakes.min();
            let first = self.queue.first_key_value().map(|((at, _), _)| *at);
            let woken = wake.filter(|(at, _)| first.is_none_or(|first| *at < first));
            if let Some((at, node)) = woken {
                self.now = self.now.max(at);
                self.tell(node, Event::Tick);
                continue;
            }
            let ((at, _), (node, arrival)) = self.queue.pop_first().expect("no end in sight");
            self.now = at;
            match arrival {
                Arrival::Event(event) => self.tell(node, event),
                Arrival::Asked(from, ask, document) => self.asked(node, from, ask, &document),
            }
        }
        let last = self.done.iter().flatten().max().unwrap();
        Took {
            last: last.since(Time(0)),
            far: self.far,
            near: self.near,
            gone: self.gone,
            told: self.told,
        }
    }

    fn asked(&mut self, node: usize, from: usize, ask: AskId, document: &DocumentRef) {
        let held = self.catalogs[node].document(document).is_some();
        self.gone += u32::from(!held);
        let bytes = self.folder.get(document).filter(|_| held).cloned();
        let outcome = bytes.map_or(Answered::Gone, Answered::Bytes);
        let answered = Event::Answered { ask, outcome };
        self.put(self.near_way, from, Arrival::Event(answered));
    }

    fn tell(&mut self, node: usize, event: Event) {
        assert!(
            self.now < Time(0).plus(Duration::secs(60)),
            "no end in sight"
        );
        let mut out = vec![];
        let now = Now {
            mono: self.now,
            utc: UTC,
        };
        self.catalogs[node].handle(event, now, &mut out);
        for action in out {
            self.act(node, action);
        }
        let one = &self.catalogs[node];
        let missing = one.indexes.missing().count() + one.annexes.missing().count();
        if one.is_complete() && missing == 0 {
            self.done[node].get_or_insert(self.now);
        }
    }

    fn act(&mut self, node: usize, action: Action) {
        let me = self.ids[node];
        let (to, event) = match action {
            Action::Ask {
                ask,
                from: Source::Peer(FAR),
                document,
                ..
            } => {
                self.far += 1;
                let far = Duration(2 * self.near_way.0 + FAR_MORE.0);
                let bytes = self.folder.get(&document).cloned();
                let outcome = bytes.map_or(Answered::Gone, Answered::Bytes);
                let answered = Event::Answered { ask, outcome };
                return self.put(far, node, Arrival::Event(answered));
            }
            Action::Ask {
                ask,
                from: Source::Peer(from),
                document,
                ..
            } => {
                self.near += 1;
                let to = self.number(from).expect("a member");
                return self.put(self.near_way, to, Arrival::Asked(node, ask, document));
            }
            Action::SendHead { to, head } => (to, Event::Head { from: me, head }),
            Action::SendDigest {
                to,
                version,
                digest,
                log,
            } => (
                to,
                Event::Digest {
                    from: me,
                    version,
                    digest,
                    log,
                },
            ),
            Action::SendMark { to, mark } => (to, Event::Mark { from: me, mark }),
            _ => return,
        };
        if let Some(to) = self.number(to) {
            self.told += 1;
            self.put(self.near_way, to, Arrival::Event(event));
        }
    }

    fn number(&self, peer: PeerId) -> Option<usize> {
        self.ids.iter().position(|id| *id == peer)
    }
}

fn up(peer: PeerId, path: Path, head: [u64; 3]) -> Event {
    Event::PeerUp {
        peer,
        path,
        origin: path == Path::Wan,
        head,
    }
}

fn publisher(annexes: bool) -> Publisher {
    let mut publisher = Publisher::new();
    if annexes {
        let policy = Policy {
            holds: vec![Hold {
                scope: HoldScope::Everything,
                reason: "a test".to_owned(),
            }],
            ..Policy::default()
        };
        publisher.policy = Some(policy.write().unwrap());
        publisher.keys = Some(Keys::default().write().unwrap());
    }
    publisher.publish(&[index("KB-1", 0, 200)], 90);
    publisher
}

/// Who begins as others do asks the one whose turn it is, and neither everybody in
/// vain nor the origin only after everybody. Before that rule a member asked up to
/// 245 times, and with 150 ms one way some site had not all it needed in a minute.
#[test]
fn twenty_that_start_together_have_everything_soon() {
    for (annexes, documents) in [(false, 5), (true, 9)] {
        let publisher = publisher(annexes);
        for (way, within) in [(10, 1_500), (150, 5_000)] {
            for seed in 0..3 {
                let mut town = Town::new(&publisher, 20, Duration::millis(way));
                town.meet(seed, 1);
                let took = town.run();
                println!("20 nodes, {way} ms, {documents} documents, seed {seed}: {took:?}");
                assert!(took.last <= Duration::millis(within), "{took:?}");
                assert!(took.near <= 20 * 4 * documents, "{took:?}");
                assert!(took.far <= 4 * documents, "{took:?}");
            }
        }
    }
}
