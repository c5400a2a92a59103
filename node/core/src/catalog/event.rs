//! Everything that can happen to the catalog machine.

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::stop::signed::SignedStop;

use crate::ids::{AskId, AskedId, GossipId};
use crate::input::Answered;
use crate::message::{Announcement, DocumentRef};
use crate::peer::Path;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An admitted peer says that it has a proof.
    Alarm {
        /// Who says so.
        from: PeerId,
        /// The role that was signed twice.
        role: String,
        /// The version.
        version: u64,
    },
    /// Answer to `Action::Ask`.
    Answered {
        /// The order.
        ask: AskId,
        /// What came of it.
        outcome: Answered,
    },
    /// An admitted peer asks for a document.
    Asked {
        /// To be answered.
        asked: AskedId,
        /// What is asked for.
        document: Box<DocumentRef>,
    },
    /// A cosignature, not checked.
    Cosignature {
        /// The admitted peer that passed it on; `None` for the own key's, the
        /// answer to `Action::Cosign`.
        from: Option<PeerId>,
        /// The cosignature.
        cosignature: Box<Cosignature>,
    },
    /// An admitted peer says which cosignatures it keeps.
    Cosigned {
        /// Who says so.
        from: PeerId,
        /// Which.
        digest: [u8; 32],
        /// It wants those of this node if they are others.
        asks: bool,
    },
    /// An admitted peer says which timestamp of a version it holds.
    Digest {
        /// Who says so.
        from: PeerId,
        /// The version.
        version: u64,
        /// SHA-256 of the signed part.
        digest: [u8; 32],
        /// Size and root of its log.
        log: Option<(u64, [u8; 32])>,
    },
    /// The index of a content is given up and not asked for again.
    Drop {
        /// Name of the content.
        content: ContentId,
    },
    /// A gossip message.
    Gossip {
        /// To be answered.
        id: GossipId,
        /// The neighbour that forwarded it.
        from: PeerId,
        /// The message.
        announcement: Box<Announcement>,
    },
    /// An admitted peer says which versions it holds.
    Head {
        /// Who says so.
        from: PeerId,
        /// Root, timestamp, snapshot.
        head: [u64; 3],
    },
    /// The last connection to an admitted peer ended.
    PeerDown {
        /// The peer.
        peer: PeerId,
    },
    /// The first connection to an admitted peer stands.
    PeerUp {
        /// The peer.
        peer: PeerId,
        /// How it is reached.
        path: Path,
        /// Whether it is an origin.
        origin: bool,
        /// Versions it holds: root, timestamp, snapshot.
        head: [u64; 3],
    },
    /// An admitted peer says which stops it knows.
    Mark {
        /// Who says so.
        from: PeerId,
        /// Which.
        mark: Mark,
    },
    /// A peer that knows other stops is about to come up: it gets them first.
    Meet {
        /// The peer.
        peer: PeerId,
    },
    /// An emergency stop, not checked.
    Stop {
        /// The admitted peer that passed it on; `None` for a person here.
        from: Option<PeerId>,
        /// The stop.
        stop: Box<SignedStop>,
    },
    /// Look at the source of truth now.
    Refresh,
    /// An admitted peer sent what is not of the protocol.
    Refused {
        /// Who sent it.
        from: PeerId,
        /// Why it was dropped.
        refusal: FrameRefusal,
    },
    /// A moment that `Catalog::wake` named, or any other.
    Tick,
    /// The index of a dropped content is wanted again.
    Want {
        /// Name of the content.
        content: ContentId,
    },
}
