//! Everything the catalog machine can ask for.

use std::sync::Arc;

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::stop::signed::SignedStop;
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;

use crate::ids::{AskId, AskedId, GossipId};
use crate::message::{Announcement, DocumentRef};
use crate::output::{Answer, Notice, Source, Verdict};
use crate::record::Record;

/// One order; all but `Indexed`, `Listed` and `Stopped` are outputs of the engine as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Answer to `Event::Asked`.
    Answer {
        /// The request.
        asked: AskedId,
        /// The document; `None` where it is not held.
        document: Option<Answer>,
    },
    /// Ask for a document; answered by `Event::Answered`.
    Ask {
        /// Pairs the answer.
        ask: AskId,
        /// From whom.
        from: Source,
        /// What.
        document: DocumentRef,
        /// Longest acceptable answer in bytes.
        len_max: usize,
    },
    /// Sign this head as a witness; answered by `Event::Cosignature`.
    Cosign {
        /// The head, durable as signed.
        head: LogHead,
        /// The time to state.
        utc: UtcTime,
    },
    /// The index of a listed release is verified and durable.
    Indexed {
        /// Name of the content.
        content: ContentId,
        /// The index.
        index: Arc<Verified<ReleaseIndex>>,
    },
    /// Answer to `Event::Gossip`.
    Judge {
        /// The message.
        id: GossipId,
        /// Forward it, or not.
        verdict: Verdict,
    },
    /// The listed releases changed, or whether they may be installed.
    Listed,
    /// Something people, metrics or watchers may want to know.
    Notify(Notice),
    /// Make a fact durable before anything that follows.
    Persist(Record),
    /// Publish on the gossip topic.
    Publish(Announcement),
    /// Tell an admitted peer of a proof.
    SendAlarm {
        /// To whom.
        to: PeerId,
        /// The role that was signed twice.
        role: RoleName,
        /// The version.
        version: u64,
    },
    /// Pass a cosignature on.
    SendCosignature {
        /// To whom.
        to: PeerId,
        /// The cosignature.
        cosignature: Cosignature,
    },
    /// Say to an admitted peer which cosignatures this node keeps.
    SendCosigned {
        /// To whom.
        to: PeerId,
        /// Which.
        digest: [u8; 32],
        /// It is to send its own if they are others.
        asks: bool,
    },
    /// Say to an admitted peer which timestamp this is.
    SendDigest {
        /// To whom.
        to: PeerId,
        /// Version of the own timestamp.
        version: u64,
        /// SHA-256 of its signed part.
        digest: [u8; 32],
        /// Size and root of its log.
        log: Option<(u64, [u8; 32])>,
    },
    /// Say to an admitted peer which stops this node knows.
    SendMark {
        /// To whom.
        to: PeerId,
        /// Which.
        mark: Mark,
    },
    /// Pass an emergency stop on.
    SendStop {
        /// To whom.
        to: PeerId,
        /// The stop.
        stop: SignedStop,
    },
    /// Stops came or went: who is no member any more must leave.
    Stopped,
    /// Send the own head to an admitted peer.
    SendHead {
        /// To whom.
        to: PeerId,
        /// Root, timestamp, snapshot.
        head: [u64; 3],
    },
    /// Turn a peer away that floods.
    TurnAway {
        /// The peer.
        peer: PeerId,
    },
}
