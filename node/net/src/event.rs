//! Everything the network reports.

use patchmesh_core::ids::{AskId, AskedId, FetchId, GossipId, HelloId, ServeId};
use patchmesh_core::input::Answered;
use patchmesh_core::message::{Announcement, Decline, DocumentRef, Message, Want};
use patchmesh_core::peer::{Address, Down, PeerId, Proof};
use patchmesh_proto::frame::FrameRefusal;
use prost::bytes::Bytes;

/// One report. Ids are unique within one run of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Answer to [`crate::Command::Ask`].
    Answered {
        /// The order.
        ask: AskId,
        /// What came of it.
        outcome: Answered,
    },
    /// A peer asks for a document.
    Asked {
        /// To be answered by [`crate::Command::Answer`].
        asked: AskedId,
        /// Who asks.
        from: PeerId,
        /// What is asked for.
        document: Box<DocumentRef>,
    },
    /// No connection came of a [`crate::Command::Dial`].
    DialFailed {
        /// The peer.
        peer: PeerId,
    },
    /// A peer was found by multicast: a hint, not checked.
    Discovered {
        /// The peer.
        peer: PeerId,
        /// Where it may be dialled.
        addresses: Vec<Address>,
    },
    /// Answer to [`crate::Command::Fetch`].
    Fetched {
        /// The order.
        fetch: FetchId,
        /// What came of it.
        outcome: FetchOutcome,
    },
    /// A gossip message, size-checked, untrusted.
    Gossip {
        /// To be answered by [`crate::Command::Judge`].
        id: GossipId,
        /// The neighbour that forwarded it.
        from: PeerId,
        /// The message.
        announcement: Box<Announcement>,
    },
    /// A connection wants in. It is closed when the time of a hello runs out,
    /// whatever the answer.
    Hello {
        /// To be answered by [`crate::Command::Admit`].
        hello: HelloId,
        /// What it shows; the key is proved, the rest is a claim.
        proof: Box<Proof>,
        /// The other end as this host sees it.
        remote: Address,
    },
    /// The addresses this node listens on have changed; all of them.
    ListenAddresses(Vec<Address>),
    /// A control message, decoded, size-checked, untrusted.
    Message {
        /// Who sent it.
        from: PeerId,
        /// The message.
        message: Box<Message>,
    },
    /// An admitted peer sent what is not of the protocol; it was dropped.
    MessageRefused {
        /// Who sent it.
        from: PeerId,
        /// Why.
        refusal: FrameRefusal,
    },
    /// An admitted peer does not read what it is sent; its connection is closed.
    NotReading {
        /// The peer.
        peer: PeerId,
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
    /// A peer asks for a chunk.
    Requested {
        /// To be answered by [`crate::Command::ServeBytes`] or
        /// [`crate::Command::Decline`].
        serve: ServeId,
        /// Who asks.
        from: PeerId,
        /// What is asked for.
        want: Box<Want>,
    },
    /// A [`crate::Command::ServeBytes`] ended.
    Served {
        /// The order.
        serve: ServeId,
        /// Length of the wire frame handed to the connection; 0 where it failed.
        bytes: u64,
    },
    /// A peer that was dialled proved its key and closed the connection on this
    /// node's hello; [`Event::DialFailed`] follows.
    TurnedAway {
        /// The peer.
        peer: PeerId,
    },
}

/// What came of asking a peer for a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The other side declined.
    Declined(Box<Decline>),
    /// The wire frame, of the length the other side announced; not decoded,
    /// not hashed.
    Frame(Bytes),
    /// Cancelled, too late, or the connection failed.
    Stalled,
}
