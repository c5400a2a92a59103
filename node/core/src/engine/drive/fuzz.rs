//! Arbitrary inputs, hostile and honest mixed: no panic, every drain ends, and
//! every id is answered once.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "only orders with an id are counted"
)]

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_trust::key::NodeKey;

use crate::config::Mode;
use crate::engine::Engine;
use crate::fixture::host::Host;
use crate::fixture::publisher::{Publisher, config, index, named};
use crate::ids::{AskId, AskedId, CommandId, FetchId, GossipId, HelloId, InstallId, ServeId};
use crate::input::{Answered, Command, Fetched, HostChange, Input, Installed};
use crate::limits::{ASKS_MAX, FETCHES_MAX};
use crate::message::{Announcement, Decline, DeclineReason, DocumentRef, Message, Want};
use crate::output::Output;
use crate::peer::Down;
use crate::record::Restored;
use crate::rng::{Rng, Seed};
use crate::time::{Duration, Time};

/// What the driver owes and is owed.
#[derive(Default)]
struct Ledger {
    asks: BTreeMap<AskId, DocumentRef>,
    fetches: BTreeSet<FetchId>,
    installs: BTreeSet<InstallId>,
    open: BTreeSet<String>,
    requests: BTreeSet<ServeId>,
    serving: BTreeSet<ServeId>,
    /// Fetches, installs and serves ever ordered: how deep the inputs reach.
    reached: [u32; 3],
}

struct Chaos {
    rng: Rng,
    publisher: Publisher,
    news: Vec<Announcement>,
    contents: Vec<ContentId>,
    next: u64,
    ledger: Ledger,
}

impl Chaos {
    fn new(seed: u8) -> Self {
        let mut publisher = Publisher::new();
        let (one, two) = (index("KB-1", 0, 8), index("KB-2", 4, 8));
        let contents = [&one, &two].map(|index| ReleaseIndex::content_id(&index.encode()));
        let mut news = vec![publisher.publish(&[one], 90)];
        publisher.rotate(8);
        news.push(publisher.publish(&[two], 90));
        Self {
            rng: Rng::new(Seed([seed; 32])),
            publisher,
            news,
            contents: contents.to_vec(),
            next: 0,
            ledger: Ledger::default(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound as u64)).unwrap()
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn number(&mut self) -> u64 {
        let edges = [0, 1, 2, 3, 64, 70, u64::from(u32::MAX), u64::MAX];
        edges[self.below(edges.len())]
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    fn peer(&mut self) -> PeerId {
        let number = u8::try_from(self.below(6)).unwrap() + 1;
        PeerId(NodeKey::from_seed([number; 32]).public())
    }

    fn content(&mut self) -> ContentId {
        let at = self.below(self.contents.len() + 1);
        self.contents
            .get(at)
            .copied()
            .unwrap_or(ContentId([0xAB; 32]))
    }

    fn want(&mut self) -> Want {
        Want {
            content: self.content(),
            chunk: ChunkIndex(self.small()),
            unreachable: self.below(4) == 0,
        }
    }

    fn message(&mut self) -> Message {
        let content = self.content();
        match self.below(6) {
            0 => {
                let all = self.below(4) == 0;
                let words = if all { 0 } else { self.below(4) };
                let words = (0..words).map(|_| (self.small(), self.rng.below(u64::MAX)));
                let words = words.collect();
                Message::Have {
                    content,
                    all,
                    words,
                }
            }
            1 => Message::Claim {
                holder: (self.rng.below(2) == 0).then(|| self.peer()),
                content,
                span: SpanIndex(self.small()),
                duration: Duration::secs(self.rng.below(121)),
            },
            2 => Message::Head([self.number(), self.number(), self.number()]),
            3 => Message::Interest { content },
            4 => Message::Introduce(vec![(self.peer(), vec![vec![1]])]),
            _ => Message::Release {
                content,
                span: SpanIndex(self.small()),
            },
        }
    }

    fn document(&mut self) -> DocumentRef {
        let known: Vec<_> = self.publisher.folder.keys().cloned().collect();
        let roles = ["root", "", "release/", "release/../x", "index/a"];
        match self.below(3) {
            0 => named(roles[self.below(roles.len())], self.number()),
            _ => known[self.below(known.len())].clone(),
        }
    }

    /// The genuine document, a bent one, or none.
    fn answer(&mut self, document: &DocumentRef) -> Answered {
        let genuine = self.publisher.folder.get(document).cloned();
        match (genuine, self.below(6)) {
            (_, 0) => Answered::Failed,
            (Some(bytes), 1) => {
                let mut bent = bytes.to_vec();
                let at = self.below(bent.len());
                bent[at] ^= 1;
                Answered::Bytes(bent.into())
            }
            (_, 2) => Answered::Bytes((*b"{\"signed\":{}}").into()),
            (Some(bytes), _) => Answered::Bytes(bytes),
            (None, _) => Answered::Gone,
        }
    }

    fn hello(&mut self) -> Input {
        let number = u8::try_from(self.below(6)).unwrap() + 1;
        let site = ["a", "a", "b", ""][self.below(4)];
        let head = [self.number(), self.number(), self.number()];
        let mut proof = self.publisher.proof(number, site, head);
        match self.below(8) {
            0 => proof.certificate.push(0),
            1 => proof.addresses = vec![vec![0; 300]; 9],
            2 => proof.protocol = (9, 3),
            _ => {}
        }
        let hello = HelloId(self.id());
        self.ledger.open.insert(format!("{hello:?}"));
        let proof = Box::new(proof);
        Input::Hello { hello, proof }
    }

    fn gossip(&mut self) -> Input {
        let at = self.below(self.news.len());
        let mut announcement = self.news[at].clone();
        match self.below(4) {
            0 => announcement.root_version = self.number(),
            1 => announcement.timestamp.truncate(50),
            _ => {}
        }
        let id = GossipId(self.id());
        self.ledger.open.insert(format!("{id:?}"));
        let announcement = Box::new(announcement);
        Input::Gossip {
            id,
            from: self.peer(),
            announcement,
        }
    }

    fn command(&mut self) -> Input {
        let release = ["KB-1", "desktop/KB-2", "KB-9", ""][self.below(4)].to_owned();
        let command = match self.below(3) {
            0 => Command::Fetch { release },
            1 => Command::Forget { release },
            _ => Command::Refresh,
        };
        let id = CommandId(self.id());
        self.ledger.open.insert(format!("{id:?}"));
        Input::Command { id, command }
    }

    fn fetched(&mut self) -> Option<Input> {
        let fetch = self.ledger.fetches.pop_first()?;
        let outcome = match self.below(10) {
            0 => Fetched::Corrupt,
            1 => Fetched::Declined(Box::new(Decline {
                reason: [
                    DeclineReason::Busy,
                    DeclineReason::Gone,
                    DeclineReason::HeldBySite,
                    DeclineReason::Leased,
                    DeclineReason::Refused,
                ][self.below(5)],
                retry_after: Duration(self.number()),
                holders: vec![(self.peer(), vec![])],
            })),
            2 => Fetched::NoRoom,
            3 => Fetched::Stalled,
            _ => Fetched::Held,
        };
        Some(Input::Fetched { fetch, outcome })
    }

    fn input(&mut self) -> Input {
        match self.below(18) {
            0 | 1 => self.hello(),
            2 | 3 => Input::PeerUp { peer: self.peer() },
            4 => Input::PeerDown {
                peer: self.peer(),
                why: Down::TimedOut,
            },
            5 => self.gossip(),
            6 => {
                let asked = AskedId(self.id());
                self.ledger.open.insert(format!("{asked:?}"));
                Input::Asked {
                    asked,
                    from: self.peer(),
                    document: Box::new(self.document()),
                }
            }
            7 => self.command(),
            8 => {
                let (content, chunk) = (self.content(), ChunkIndex(self.small()));
                Input::Damaged { content, chunk }
            }
            9 => Input::Discovered {
                peer: self.peer(),
                addresses: vec![vec![2]],
            },
            10 => {
                let serve = ServeId(self.id());
                self.ledger.requests.insert(serve);
                let (from, want) = (self.peer(), Box::new(self.want()));
                Input::Requested { serve, from, want }
            }
            11 => Input::Host(HostChange::Room(self.below(3) > 0)),
            12 => Input::Tick,
            _ => Input::Message {
                from: self.peer(),
                message: Box::new(self.message()),
            },
        }
    }

    /// Answers what is owed, most of the time.
    fn owed(&mut self) -> Option<Input> {
        if let Some((ask, document)) = self.ledger.asks.pop_first() {
            let outcome = self.answer(&document);
            return Some(Input::Answered { ask, outcome });
        }
        if let Some(install) = self.ledger.installs.pop_first() {
            let failed = self.below(3) == 0;
            let outcome = if failed {
                Installed::Failed("disk".to_owned())
            } else {
                Installed::Passed
            };
            return Some(Input::Installed { install, outcome });
        }
        if let Some(serve) = self.ledger.serving.pop_first() {
            let bytes = self.rng.below(600);
            return Some(Input::Served { serve, bytes });
        }
        self.fetched()
    }

    fn drain(&mut self, engine: &mut Engine) {
        let ledger = &mut self.ledger;
        for _ in 0..20_000 {
            let answered = match engine.poll() {
                Output::Wait(_) => return,
                Output::Ask { ask, document, .. } => {
                    assert!(ledger.asks.insert(ask, *document).is_none());
                    assert!(ledger.asks.len() <= ASKS_MAX);
                    continue;
                }
                Output::Fetch { fetch, .. } => {
                    assert!(ledger.fetches.insert(fetch));
                    ledger.reached[0] += 1;
                    assert!(ledger.fetches.len() <= FETCHES_MAX);
                    continue;
                }
                Output::Install { install, .. } => {
                    assert!(ledger.installs.insert(install));
                    ledger.reached[1] += 1;
                    continue;
                }
                Output::Serve { serve, .. } => {
                    assert!(
                        ledger.requests.remove(&serve),
                        "{serve:?} is answered twice"
                    );
                    ledger.serving.insert(serve);
                    ledger.reached[2] += 1;
                    continue;
                }
                Output::Decline { serve, .. } => {
                    assert!(
                        ledger.requests.remove(&serve),
                        "{serve:?} is answered twice"
                    );
                    continue;
                }
                Output::Admit { hello, .. } => format!("{hello:?}"),
                Output::Answer { asked, .. } => format!("{asked:?}"),
                Output::Judge { id, .. } => format!("{id:?}"),
                Output::Reply { id, .. } => format!("{id:?}"),
                _ => continue,
            };
            assert!(
                ledger.open.remove(&answered),
                "{answered} is answered twice"
            );
        }
        panic!("a drain without end");
    }
}

#[test]
fn arbitrary_inputs_are_answered_once_and_never_panic() {
    let mut reached = [0; 3];
    for (seed, mode) in (0..24u8).zip(
        [Mode::Endpoint, Mode::EndpointWithHttp, Mode::Origin]
            .into_iter()
            .cycle(),
    ) {
        let mut chaos = Chaos::new(seed);
        let anchor = chaos.publisher.anchor.clone();
        let mut now = Host::at(0);
        let restored = Restored::default();
        let mut engine =
            Engine::new(config(mode), &anchor, restored, Seed([seed; 32]), now).unwrap();
        chaos.drain(&mut engine);
        for _ in 0..600 {
            now.mono = now.mono.plus(Duration::millis(chaos.rng.below(300)));
            let owed = if chaos.below(3) > 0 {
                chaos.owed()
            } else {
                None
            };
            let input = owed.unwrap_or_else(|| chaos.input());
            let shown = format!("{input:?}");
            engine.handle(input, now);
            chaos.drain(&mut engine);
            assert!(
                chaos.ledger.open.is_empty(),
                "not answered at once: {shown}"
            );
        }
        // Requests may wait in a queue, but not for ever.
        for _ in 0..300 {
            now.mono = Time(now.mono.0 + 1_000_000);
            let input = chaos.owed().unwrap_or(Input::Tick);
            engine.handle(input, now);
            chaos.drain(&mut engine);
        }
        assert!(chaos.ledger.requests.is_empty(), "seed {seed}");
        drop(engine.view(now));
        for (sum, one) in reached.iter_mut().zip(chaos.ledger.reached) {
            *sum += one;
        }
    }
    assert!(
        reached.iter().all(|count| *count > 5),
        "not deep enough: {reached:?}"
    );
}
