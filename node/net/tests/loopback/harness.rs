//! Starts nodes, connects them, and waits for events with a bound.

use std::time::Duration;

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::ContentId;
use patchmesh_core::ids::HelloId;
use patchmesh_core::message::Want;
use patchmesh_core::peer::{Address, Member, Path, PeerId, PeerRefusal, Proof};
use patchmesh_net::{Command, Config, Event, Handle, HelloParts, Timing, start};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// No wait of a test is longer.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// A node and the events it has reported and no test has taken yet.
pub(crate) struct Node {
    pub(crate) handle: Handle,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) seen: Vec<Event>,
    pub(crate) address: Address,
}

/// A configuration for the loopback interface.
pub(crate) fn config(seed: u8) -> Config {
    Config {
        identity_seed: [seed; 32],
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        hello: HelloParts {
            certificate: vec![seed; 100],
            signature: vec![seed; 64],
            protocol: (1, 1),
            head: [1, 2, 3],
            mark: patchmesh_core::message::Mark::default(),
            addresses: vec![],
        },
        gossip_topic: "0123456789abcdef".to_owned(),
        mdns: false,
        short_queues: true,
        timing: Timing::default(),
    }
}

impl Node {
    pub(crate) async fn new(seed: u8) -> Self {
        Self::with(config(seed)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let (handle, events) = start(config).unwrap();
        let mut node = Self {
            handle,
            events,
            seen: vec![],
            address: vec![],
        };
        node.address = node
            .wait(|event| match event {
                Event::ListenAddresses(all) => all.first().cloned(),
                _ => None,
            })
            .await;
        node
    }

    pub(crate) fn peer(&self) -> PeerId {
        self.handle.peer
    }

    pub(crate) async fn send(&self, command: Command) {
        self.handle.commands.send(command).await.unwrap();
    }

    /// Takes the first event that `pick` answers, waiting for it if need be.
    pub(crate) async fn wait<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        if let Some(at) = self.seen.iter().position(|event| pick(event).is_some()) {
            return pick(&self.seen.remove(at)).unwrap();
        }
        let found = timeout(BOUND, async {
            loop {
                let event = self.events.recv().await.expect("the network ended");
                if let Some(found) = pick(&event) {
                    return found;
                }
                self.seen.push(event);
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("nothing came; seen: {:?}", self.seen))
    }

    pub(crate) async fn hello(&mut self) -> (HelloId, Proof) {
        self.wait(|event| match event {
            Event::Hello { hello, proof, .. } => Some((*hello, (**proof).clone())),
            _ => None,
        })
        .await
    }

    /// Answers the next hello.
    pub(crate) async fn verdict(&mut self, verdict: Result<Path, PeerRefusal>) -> Proof {
        let (hello, proof) = self.hello().await;
        let member = Member {
            peer: proof.peer,
            site: "home".to_owned(),
            origin: false,
            addresses: proof.addresses.clone(),
        };
        let verdict = verdict.map(|path| Box::new((member, path)));
        self.send(Command::Admit { hello, verdict }).await;
        proof
    }

    pub(crate) async fn up(&mut self, peer: PeerId) {
        self.wait(|event| (*event == Event::PeerUp { peer }).then_some(()))
            .await;
    }

    pub(crate) async fn down(&mut self, peer: PeerId) -> patchmesh_core::peer::Down {
        self.wait(|event| match event {
            Event::PeerDown { peer: down, why } if *down == peer => Some(*why),
            _ => None,
        })
        .await
    }
}

/// Connects two nodes over this path, `a` dialling `address` for `b`.
pub(crate) async fn connect_at(a: &mut Node, b: &mut Node, address: Address, path: Path) {
    a.send(Command::Dial {
        peer: b.peer(),
        addresses: vec![address],
    })
    .await;
    b.verdict(Ok(path)).await;
    a.verdict(Ok(path)).await;
    let (a_peer, b_peer) = (a.peer(), b.peer());
    tokio::join!(a.up(b_peer), b.up(a_peer));
}

/// Connects two nodes in one site.
pub(crate) async fn connect(a: &mut Node, b: &mut Node) {
    connect_at(a, b, b.address.clone(), Path::Lan).await;
}

/// Two connected nodes.
pub(crate) async fn pair() -> (Node, Node) {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    connect(&mut a, &mut b).await;
    (a, b)
}

/// A want for the chunk of this number.
pub(crate) fn want(chunk: u32) -> Want {
    Want {
        content: ContentId([9; 32]),
        chunk: ChunkIndex(chunk),
        unreachable: false,
    }
}

/// Bytes that no encoder shortens, the same for the same seed.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..len).map(step).collect()
}
