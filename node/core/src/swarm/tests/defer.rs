//! Chunks that come by another content (S-23), as one machine orders them.

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::config::{Config, Mode};
use crate::message::Message;
use crate::peer::{Member, Path};
use crate::rng::{Rng, Seed};
use crate::swarm::action::Action;
use crate::swarm::event::Event;
use crate::swarm::machine::Swarm;
use crate::time::Time;

const CHUNKS: u32 = 8;
const BRINGS: ContentId = ContentId([1; 32]);
const LEAVES: ContentId = ContentId([2; 32]);
const MEMBER: PeerId = PeerId([7; 32]);

/// A machine of a site, and what it ordered so far.
struct Node {
    swarm: Swarm,
    out: Vec<Action>,
}

impl Node {
    /// It wants the second content, and a member of its site is connected.
    fn new() -> Self {
        let config = Config {
            peer: PeerId([0; 32]),
            site: "hall".to_owned(),
            lines: Vec::new(),
            automatic: true,
            mode: Mode::Endpoint,
            weight: 1,
            bootstrap: Vec::new(),
        };
        let mut node = Self {
            swarm: Swarm::new(&config, Rng::new(Seed([3; 32]))),
            out: Vec::new(),
        };
        let member = Box::new(Member {
            peer: MEMBER,
            site: "hall".to_owned(),
            origin: false,
            addresses: Vec::new(),
        });
        node.give(Event::PeerUp {
            member,
            path: Path::Lan,
        });
        node.add(LEAVES, true);
        node
    }

    fn give(&mut self, event: Event) {
        self.swarm.handle(event, Time(1), &mut self.out);
    }

    fn add(&mut self, content: ContentId, wanted: bool) {
        self.give(Event::Add {
            content,
            wire_lens: (0..CHUNKS).map(|_| 1_000).collect(),
            held: Box::new(Bitfield::empty(CHUNKS)),
            wanted,
        });
    }

    fn hear_all(&mut self, content: ContentId) {
        let words = Vec::new();
        self.give(Event::Message {
            from: MEMBER,
            message: Box::new(Message::Have {
                content,
                all: true,
                words,
            }),
        });
    }

    /// All chunks of the second content come by the first.
    fn defer(&mut self) {
        self.add(BRINGS, false);
        let chunks = (0..CHUNKS).map(ChunkIndex);
        self.give(Event::Defer {
            content: LEAVES,
            to: chunks.map(|chunk| (chunk, (BRINGS, chunk))).collect(),
        });
        self.give(Event::Want {
            content: BRINGS,
            wanted: true,
        });
    }

    fn fetches(&self, content: ContentId) -> usize {
        let wants = self.out.iter().filter_map(|action| {
            if let Action::Fetch { want, .. } = action {
                Some(want.content)
            } else {
                None
            }
        });
        wants.filter(|of| *of == content).count()
    }
}

#[test]
fn what_a_member_holds_for_both_is_fetched_for_the_one_that_brings_it() {
    let mut node = Node::new();
    node.defer();
    node.hear_all(BRINGS);
    node.hear_all(LEAVES);
    assert!(node.fetches(BRINGS) > 0);
    assert_eq!(node.fetches(LEAVES), 0);
}

/// Nobody else may be in reach: what can be had must not wait for what can't.
#[test]
fn what_a_member_announces_for_one_content_alone_is_fetched_for_it() {
    let mut node = Node::new();
    node.defer();
    assert_eq!(node.fetches(LEAVES), 0);
    node.hear_all(LEAVES);
    assert!(node.fetches(LEAVES) > 0);
}

/// The same where it was announced before it was left to the other.
#[test]
fn what_a_member_held_before_is_not_left_to_a_content_that_nobody_holds() {
    let mut node = Node::new();
    // No room for fetches while the announcement comes in.
    node.give(Event::Room(false));
    node.hear_all(LEAVES);
    node.defer();
    node.give(Event::Room(true));
    assert!(node.fetches(LEAVES) > 0);
}
