//! Members of the site that promise every chunk and deliver other bytes, bombs,
//! or nothing.

use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::ids::ServeId;
use patchmesh_core::message::{Decline, DeclineReason, Message, Want};
use patchmesh_core::time::Duration;
use patchmesh_demo::compare::fingerprint;
use patchmesh_net::{Bytes, Command, Event};
use patchmesh_tests::bench::{Bench, mbit, peer};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::input::{self, Numbers};
use patchmesh_tests::until::until;

use crate::support::{SOON, member, memory_kib};

/// Memory that bombs may cost a node beside what a release costs.
const GROWTH_MAX_KIB: u64 = 64 * 1024;
/// Requests that a liar may get from one node: what may be under way to one
/// member at one time, and three that were not kept.
const REQUESTS_MAX: usize = 8 + 3;

#[test]
fn attack_20_chunk_poison() {
    let mut world = World::new();
    let lengths: Vec<_> = world
        .index
        .chunks
        .iter()
        .map(|chunk| chunk.wire_len)
        .collect();
    let mut numbers = Numbers::new(24);
    let liar = world.boaster(33, move |serve, want| {
        let len = lengths.get(want.chunk.0 as usize).copied().unwrap_or(1);
        vec![Command::ServeBytes {
            serve,
            bytes: Bytes::from(numbers.noise(len as usize)),
        }]
    });
    world.run();
    let named = world.blaming(&liar);
    let served = liar.count(|event| matches!(event, Event::Served { .. }));
    println!("20 chunk-poison: {served} wrong chunks served, named by {named} nodes");
    assert!(served > 0, "nobody asked the liar");
    assert!(named > 0, "nobody names the liar");
}

/// Wire frames that promise the signed length, or four gigabytes, and unfold
/// into gigabytes.
#[test]
fn attack_22_index_bomb_frames() {
    let mut world = World::new();
    let lengths: Vec<_> = world.index.chunks.iter().map(|chunk| chunk.len).collect();
    let nodes = &world.bench.endpoints;
    let before: Vec<_> = nodes.iter().map(memory_kib).collect();
    let bombers: Vec<_> = [None, Some(u32::MAX)]
        .into_iter()
        .zip(34..)
        .map(|(stated, seed)| {
            let lengths = lengths.clone();
            world.boaster(seed, move |serve, want| {
                let len = lengths.get(want.chunk.0 as usize).copied().unwrap_or(1);
                vec![Command::ServeBytes {
                    serve,
                    bytes: bomb(stated.unwrap_or(len), len as usize),
                }]
            })
        })
        .collect();
    world.run();
    let named: u32 = bombers.iter().map(|bomber| world.blaming(bomber)).sum();
    let served = |bomber: &Hostile| bomber.count(|event| matches!(event, Event::Served { .. }));
    let bombs: usize = bombers.iter().map(served).sum();
    let nodes = world.bench.endpoints.iter().zip(before);
    let growth = nodes.map(|(node, before)| memory_kib(node).saturating_sub(before));
    let growth = growth.max().unwrap();
    println!(
        "22 index-bomb, frames: {bombs} chunks of 32,768 to 1 served, named {named} times, \
         memory grew by {growth} KiB"
    );
    assert!(named > 0, "nobody names the bombers");
    assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
}

/// A wire frame of at most this length that states a content size and unfolds
/// into 128 KiB for each four of its bytes.
fn bomb(stated: u32, len: usize) -> Bytes {
    // Compressed; the magic of zstd; one segment, a size of four bytes.
    let mut frame = vec![1, 0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(stated.to_le_bytes());
    // Blocks of one repeated byte, 128 KiB each, and none is the last.
    while frame.len() + 4 <= len {
        frame.extend([0x02, 0x00, 0x10, 0x00]);
    }
    Bytes::from(frame)
}

/// S-20: who announces all and has nothing is not believed for long.
#[test]
fn attack_23_false_have() {
    let mut world = World::new();
    let liars: Vec<_> = (36..39)
        .map(|seed| {
            world.boaster(seed, |serve, _| {
                vec![Command::Decline {
                    serve,
                    decline: Box::new(Decline {
                        reason: DeclineReason::Gone,
                        retry_after: Duration::millis(0),
                        holders: Vec::new(),
                    }),
                }]
            })
        })
        .collect();
    world.run();
    let requested = |liar: &Hostile| liar.count(|event| matches!(event, Event::Requested { .. }));
    let requests: Vec<_> = liars.iter().map(requested).collect();
    let wire = world.index.wire_bytes();
    let down = world.bench.links[0].down_bytes();
    println!(
        "23 false-have: 3 liars of 5 members got {requests:?} requests in vain; \
         {down} bytes over the WAN for {wire}"
    );
    assert!(requests.iter().sum::<usize>() > 0, "nobody asked the liars");
    let most = REQUESTS_MAX * world.bench.endpoints.len();
    assert!(requests.iter().all(|count| *count <= most), "{requests:?}");
    assert!(down <= 2 * wire, "{down} bytes over the WAN");
}

/// S-20: who announces all and never answers. It takes as long as members are
/// given before they count as stalled, several times over.
#[test]
#[ignore = "long tier"]
fn attack_19_slow_retrieval() {
    let mut world = World::new();
    let slow: Vec<_> = (39..44)
        .map(|seed| world.boaster(seed, |_, _| Vec::new()))
        .collect();
    let began = std::time::Instant::now();
    world.run();
    let requested = |liar: &Hostile| liar.count(|event| matches!(event, Event::Requested { .. }));
    let requests: Vec<_> = slow.iter().map(requested).collect();
    let down = world.bench.links[0].down_bytes();
    println!(
        "19 slow-retrieval: 5 of 7 members never answer {requests:?} requests; \
         staged in {:?}, {down} bytes over the WAN for {}",
        began.elapsed(),
        world.index.wire_bytes()
    );
    assert!(requests.iter().sum::<usize>() > 0, "nobody asked them");
    let most = 2 * REQUESTS_MAX * world.bench.endpoints.len();
    assert!(requests.iter().all(|count| *count <= most), "{requests:?}");
}

/// Two honest members, a release that is not published yet, and liars.
struct World {
    bench: Bench,
    index: ReleaseIndex,
}

impl World {
    fn new() -> Self {
        let mut bench = Bench::with_sites(&[mbit(8)]);
        bench.add(0, 2, &[]);
        let tree = bench.path("tree");
        input::tree(&tree, 23, 2_000_000);
        let index = bench.forge.build(&tree, "release-1");
        Self { bench, index }
    }

    /// A member that says it has all of what it hears of, and answers requests
    /// with this.
    fn boaster(
        &self,
        seed: u8,
        mut serve: impl FnMut(ServeId, &Want) -> Vec<Command> + Send + 'static,
    ) -> Hostile {
        let attacker = Hostile::start(&member(&self.bench, seed), move |event| match event {
            Event::Message { from, message } => match **message {
                Message::Interest { content } | Message::Have { content, .. } => {
                    let have = Message::Have {
                        content,
                        all: true,
                        words: Vec::new(),
                    };
                    vec![Command::Send {
                        to: *from,
                        message: Box::new(have),
                    }]
                }
                Message::Alarm { .. }
                | Message::Claim { .. }
                | Message::Cosignature(_)
                | Message::Cosigned { .. }
                | Message::Digest { .. }
                | Message::Head(_)
                | Message::Introduce(_)
                | Message::Mark(_)
                | Message::Release { .. }
                | Message::Stop(_) => Vec::new(),
            },
            Event::Requested {
                serve: number,
                want,
                ..
            } => serve(*number, want),
            _ => Vec::new(),
        });
        for node in &self.bench.endpoints {
            attacker.dial(node);
            let id = peer(node);
            until("the liar is let in", SOON, || {
                attacker.is_up(id).then_some(())
            });
        }
        attacker
    }

    /// Publishes, waits until it is staged, and compares.
    fn run(&mut self) {
        let tree = self.bench.path("tree");
        self.bench.release(&tree, "release-1");
        self.bench.until_staged("release-1");
        let wanted = fingerprint(&tree).unwrap();
        for endpoint in 0..self.bench.endpoints.len() {
            let staged = self.bench.staged(endpoint, "release-1");
            assert_eq!(fingerprint(&staged).unwrap(), wanted);
            let status = self.bench.endpoints[endpoint].status().unwrap();
            let vain = status.wasted_bytes;
            assert!(vain <= self.index.wire_bytes(), "{vain} bytes in vain");
        }
    }

    /// How many nodes blame this one and have turned it away; nobody else is
    /// blamed but it and those of its kind.
    fn blaming(&self, liar: &Hostile) -> u32 {
        let mut named = 0;
        for node in &self.bench.endpoints {
            for found in node.peers().unwrap() {
                let is_honest = found.origin
                    || self
                        .bench
                        .endpoints
                        .iter()
                        .any(|node| peer(node) == found.peer);
                assert!(
                    !is_honest || found.corrupt_chunks == 0,
                    "an honest peer is blamed"
                );
                let is_liar = found.peer == liar.peer;
                named += u32::from(is_liar && found.corrupt_chunks > 0 && found.refused);
            }
        }
        named
    }
}
