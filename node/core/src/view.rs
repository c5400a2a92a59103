//! Read-only answers about the state of a node.

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::state::{Head, TrustState};

use patchmesh_trust::stop::set::Standing;

use crate::peer::Path;
use crate::reason::{Frozen, WaitingOn, Withheld};
use crate::record::ReleaseState;

/// The whole node on one screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Versions of the trusted metadata.
    pub head: Head,
    /// Freshness of the trusted metadata.
    pub trust: TrustState,
    /// Roles that were signed twice; nothing newer of them is taken.
    pub frozen: Vec<Frozen>,
    /// Documents that are named and do not come; with any, the node is stale.
    pub withheld: Vec<Withheld>,
    /// The version floors are lost: nothing is installed for now (T-33).
    pub recovering: bool,
    /// Stops that are in force.
    pub stops: Vec<Standing>,
    /// Head of the log that the newest timestamp names.
    pub log: Option<LogHead>,
    /// Witnesses of the network.
    pub witnesses: Vec<WitnessView>,
    /// Admitted peers.
    pub peers: Vec<PeerView>,
    /// Known releases.
    pub releases: Vec<ReleaseView>,
}

/// One witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessView {
    /// Its node key.
    pub witness: PeerId,
    /// Its site.
    pub site: String,
    /// Its cosignature of the highest head of the known log.
    pub cosignature: Option<Cosignature>,
    /// A head that it has cosigned and that the known log does not have.
    pub other: Option<LogHead>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// The peer.
    pub peer: PeerId,
    /// Its site.
    pub site: String,
    /// Whether it is an origin.
    pub origin: bool,
    /// How it is reached.
    pub path: Path,
    /// Whether a connection stands now.
    pub connected: bool,
    /// Chunks it sent that were not what was signed.
    pub corrupt_chunks: u32,
    /// Requests it let run out of time.
    pub stalled: u32,
    /// Whether it is refused for its behaviour.
    pub refused: bool,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseView {
    /// Release line.
    pub line: String,
    /// Release id.
    pub id: String,
    /// Name of the content.
    pub content: ContentId,
    /// Severity word.
    pub severity: String,
    /// State on this host.
    pub state: ReleaseState,
    /// Chunks held.
    pub chunks_held: u32,
    /// Chunks of the release; 0 while the index is missing.
    pub chunks_total: u32,
    /// Wire bytes of the release.
    pub wire_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// What it waits on; empty once it is in use, or staged where nobody could
    /// approve it.
    pub waiting_on: Vec<WaitingOn>,
}
