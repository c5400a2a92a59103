//! Everything that can happen to the swarm machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::ids::{FetchId, ServeId};
use crate::input::Fetched;
use crate::message::{Message, Want};
use crate::peer::{Address, Member, Path};

/// Missing chunks of a content that come by others: other content, and position
/// there.
pub type Elsewhere = BTreeMap<ChunkIndex, (ContentId, ChunkIndex)>;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A content to hold, serve and, where wanted, complete. Adding it again
    /// changes nothing.
    Add {
        /// Name of the content.
        content: ContentId,
        /// Length of each chunk's wire frame in bytes, in index order.
        wire_lens: Arc<[u32]>,
        /// Chunks in the store; an origin holds all of them. As many chunks
        /// as `wire_lens` has.
        held: Box<Bitfield>,
        /// Whether missing chunks are fetched.
        wanted: bool,
    },
    /// A chunk on disk is missing or damaged; it is withdrawn and fetched again.
    Damaged {
        /// Name of the content.
        content: ContentId,
        /// Position of the chunk.
        chunk: ChunkIndex,
    },
    /// Exactly these missing chunks of a content come by other contents, and are
    /// not fetched twice (S-23).
    Defer {
        /// Name of the content.
        content: ContentId,
        /// What comes by which other.
        to: Elsewhere,
    },
    /// A peer of this node's site may be found at these addresses.
    Discovered {
        /// The peer.
        peer: PeerId,
        /// Where it may be dialled.
        addresses: Vec<Address>,
    },
    /// Answer to `Action::Fetch`.
    Fetched {
        /// The order.
        fetch: FetchId,
        /// What came of it.
        outcome: Fetched,
    },
    /// A peer sends gossip without end that is rejected.
    Flooded {
        /// The peer.
        peer: PeerId,
    },
    /// A chunk came into the store in another way, such as from another content.
    Gained {
        /// Name of the content.
        content: ContentId,
        /// Position of the chunk.
        chunk: ChunkIndex,
    },
    /// A message of an admitted peer; `Head` is ignored here.
    Message {
        /// Who sent it.
        from: PeerId,
        /// The message.
        message: Box<Message>,
    },
    /// The last connection to an admitted peer ended.
    PeerDown {
        /// The peer.
        peer: PeerId,
    },
    /// The first connection to an admitted peer stands.
    PeerUp {
        /// What its certificate says.
        member: Box<Member>,
        /// How it is reached.
        path: Path,
    },
    /// A content is forgotten: nothing of it is held, fetched or served.
    Remove {
        /// Name of the content.
        content: ContentId,
    },
    /// A peer asks for a chunk; answered by `Action::Serve` or `Action::Decline`.
    Requested {
        /// To be answered.
        serve: ServeId,
        /// Who asks.
        from: PeerId,
        /// What is asked for.
        want: Want,
    },
    /// Whether the store has room for chunks; fetching stops without.
    Room(bool),
    /// A serve ended; 0 bytes where it failed.
    Served {
        /// The order.
        serve: ServeId,
        /// Bytes handed to the connection.
        bytes: u64,
    },
    /// A moment that `Swarm::wake` named, or any other.
    Tick,
    /// Whether missing chunks of a content are fetched.
    Want {
        /// Name of the content.
        content: ContentId,
        /// Fetch, or stop fetching and keep what is held.
        wanted: bool,
    },
}
