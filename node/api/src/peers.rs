//! The peers of a node.

use patchmesh_content::id::PeerId;
use serde::{Deserialize, Serialize};

use crate::status::ByteCount;

/// Known peers, in ascending order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Peers {
    /// The peers.
    pub peers: Vec<Peer>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "field names are the schema's")]
pub struct Peer {
    /// Its public key.
    pub peer: PeerId,
    /// Its site; empty for an origin outside all sites.
    pub site: String,
    /// Whether it is an origin.
    pub origin: bool,
    /// How it is reached.
    pub path: Path,
    /// Whether a connection stands now.
    pub connected: bool,
    /// Received from it.
    pub received: ByteCount,
    /// Sent to it.
    pub sent: ByteCount,
    /// Chunks it sent that were not what was signed.
    pub corrupt_chunks: u32,
    /// Requests it let run out of time.
    pub stalled: u32,
    /// Whether it is refused for its behaviour.
    pub refused: bool,
}

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// Same site, same subnet.
    Lan,
    /// Same site, through a router.
    Site,
    /// Another site, or an origin.
    Wan,
}

impl Path {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Site => "site",
            Self::Wan => "wan",
        }
    }
}
