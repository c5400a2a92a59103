//! What the network must know before it starts.

use std::time::Duration;

use patchmesh_core::message::Mark;
use patchmesh_core::peer::Address;

/// Configuration of [`crate::start`].
#[derive(Clone)]
pub struct Config {
    /// Seed of the node's Ed25519 key; the key's public half is its `PeerId`.
    pub identity_seed: [u8; 32],
    /// Where to listen, as multiaddress text, for example
    /// `/ip4/0.0.0.0/tcp/4001`; port 0 takes a free one.
    pub listen: Vec<String>,
    /// What this node shows of itself.
    pub hello: HelloParts,
    /// First 16 hex digits of the mesh id; names the gossip topic.
    pub gossip_topic: String,
    /// Look for peers by multicast, and answer others.
    pub mdns: bool,
    /// Keep what a socket holds unsent short: for a node that serves over thin
    /// lines. Less of what a peer does not read is then taken in.
    pub short_queues: bool,
    /// Times.
    pub timing: Timing,
}

/// What a node shows of itself to whoever it meets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelloParts {
    /// The certificate's payload as signed bytes.
    pub certificate: Vec<u8>,
    /// Signature over the certificate.
    pub signature: Vec<u8>,
    /// Lowest and highest protocol version this node speaks.
    pub protocol: (u32, u32),
    /// Versions of the metadata it holds: root, timestamp, snapshot.
    pub head: [u64; 3],
    /// Stops it knows.
    pub mark: Mark,
    /// Addresses it listens on; empty for those found on its interfaces.
    pub addresses: Vec<Address>,
}

/// Times of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// From the encrypted connection to both verdicts.
    pub hello: Duration,
    /// Between two pings of a connection. Each costs about a kilobyte of a thin
    /// link with all headers; what is under way has shorter limits of its own.
    pub ping: Duration,
    /// How long the answer to a ping may take; without one a peer is down.
    pub pong: Duration,
    /// Two connections to one peer that come within this time are both sides
    /// dialling at once. One that comes later is a new session: the peer has
    /// lost the first connection, which this side has not noticed.
    pub both_dialled: Duration,
    /// How long a document or a control message may make no progress. On a line of
    /// 64 kbit/s it waits half a minute behind sixteen chunks.
    pub progress: Duration,
    /// The same of a chunk. Sixteen streams that share a line of 64 kbit/s get a
    /// frame through in half a minute each; who asks for chunks has a limit of its
    /// own.
    pub chunk_progress: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            both_dialled: Duration::from_secs(10),
            hello: Duration::from_secs(5),
            ping: Duration::from_mins(1),
            pong: Duration::from_secs(15),
            progress: Duration::from_mins(1),
            chunk_progress: Duration::from_mins(2),
        }
    }
}

impl std::fmt::Debug for Config {
    /// Without the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("gossip_topic", &self.gossip_topic)
            .field("mdns", &self.mdns)
            .field("short_queues", &self.short_queues)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
