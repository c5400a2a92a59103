//! Everything that can happen to a node.

use std::sync::Arc;

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::ContentId;
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_trust::log::cosignature::Cosignature;

use crate::ids::{AskId, AskedId, CommandId, FetchId, GossipId, HelloId, InstallId, ServeId};
use crate::message::{Announcement, Decline, DocumentRef, Message, Want};
use crate::peer::{Address, Down, PeerId, Proof};

/// One event; the driver reads both clocks once for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Answer to `Output::Ask`.
    Answered {
        /// The order.
        ask: AskId,
        /// What came of it.
        outcome: Answered,
    },
    /// A peer asks for a document.
    Asked {
        /// To be answered by `Output::Answer`.
        asked: AskedId,
        /// Who asks.
        from: PeerId,
        /// What is asked for.
        document: Box<DocumentRef>,
    },
    /// A user's command.
    Command {
        /// To be answered by `Output::Reply`.
        id: CommandId,
        /// The command.
        command: Command,
    },
    /// Answer to `Output::Cosign`.
    Cosigned {
        /// The signature of the own key.
        cosignature: Box<Cosignature>,
    },
    /// A chunk on disk is missing or no longer equal to its hash; the driver
    /// has taken the file away.
    Damaged {
        /// Name of the content.
        content: ContentId,
        /// Position of the chunk.
        chunk: ChunkIndex,
    },
    /// A peer was found (multicast, or an address of the configuration).
    Discovered {
        /// The peer.
        peer: PeerId,
        /// Where it may be dialled.
        addresses: Vec<Address>,
    },
    /// Answer to `Output::Fetch`.
    Fetched {
        /// The order.
        fetch: FetchId,
        /// What came of it.
        outcome: Fetched,
    },
    /// A gossip message, size-checked, untrusted.
    Gossip {
        /// To be answered by `Output::Judge`.
        id: GossipId,
        /// The neighbour that forwarded it.
        from: PeerId,
        /// The message.
        announcement: Box<Announcement>,
    },
    /// A connection wants in.
    Hello {
        /// To be answered by `Output::Admit`.
        hello: HelloId,
        /// What it shows.
        proof: Box<Proof>,
    },
    /// Something about this host changed.
    Host(HostChange),
    /// Answer to `Output::Install`.
    Installed {
        /// The order.
        install: InstallId,
        /// What came of it.
        outcome: Installed,
    },
    /// A control message of an admitted peer, decoded, size-checked, untrusted.
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
        /// Why.
        why: Down,
    },
    /// The first connection to an admitted peer stands.
    PeerUp {
        /// The peer.
        peer: PeerId,
    },
    /// An admitted peer sent what is not of the protocol, as a message, a request
    /// or an answer; it was dropped.
    Refused {
        /// Who sent it.
        from: PeerId,
        /// Why.
        refusal: FrameRefusal,
    },
    /// A peer asks for a chunk.
    Requested {
        /// To be answered by `Output::Serve` or `Output::Decline`.
        serve: ServeId,
        /// Who asks.
        from: PeerId,
        /// What is asked for.
        want: Box<Want>,
    },
    /// A serve ended, delivered or not.
    Served {
        /// The order.
        serve: ServeId,
        /// Bytes handed to the connection; 0 where it failed.
        bytes: u64,
    },
    /// A moment that `Output::Wait` asked for, or any other.
    Tick,
}

/// What came of asking for a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The bytes, at most as long as the order's cap.
    Bytes(Arc<[u8]>),
    /// The connection failed or the time ran out.
    Failed,
    /// The other side does not have it.
    Gone,
}

/// What came of fetching a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bytes were not the signed chunk; nothing was stored.
    Corrupt,
    /// The other side declined.
    Declined(Box<Decline>),
    /// Written, and equal to the signed id.
    Held,
    /// The store has no room, or the disk failed.
    NoRoom,
    /// Cancelled, too late, or the connection failed.
    Stalled,
}

/// What came of a step on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// It failed; the text is for people.
    Failed(String),
    /// Done.
    Passed,
}

/// A user's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Fetch this release now, wanted by policy or not.
    Fetch {
        /// Release id; the line may stand before it, as `<line>/<id>`.
        release: String,
    },
    /// Forget a release: give up its chunks.
    Forget {
        /// Release id.
        release: String,
    },
    /// Take an emergency stop and pass it on, if it stands.
    Stop {
        /// The signed stop as its file holds it.
        bytes: Vec<u8>,
    },
    /// Look at the source of truth now: the repository folder or the HTTP origin changed.
    Refresh,
}

/// Something about this host changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostChange {
    /// Store or disk: whether there is room for chunks.
    Room(bool),
}
