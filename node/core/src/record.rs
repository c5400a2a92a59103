//! What survives a crash: written by `Output::Persist`, given back at the start.

use std::sync::Arc;

use patchmesh_content::id::{ChunkId, ContentId};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;
use serde::{Deserialize, Serialize};

/// One durable fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A verified document, byte for byte, and the floors after it (T-30).
    Document {
        /// Role of the document.
        role: RoleName,
        /// Its version.
        version: u64,
        /// The bytes as received.
        bytes: Arc<[u8]>,
        /// Floors of the verifier after this document.
        floors: Vec<u8>,
    },
    /// A proof that a role was signed twice; it takes the place of one before.
    Proof {
        /// The role.
        role: RoleName,
        /// The proof as it travels.
        bytes: Arc<[u8]>,
    },
    /// A verified annex; it takes the place of the one before.
    Annex {
        /// Which one.
        name: AnnexName,
        /// The bytes as received.
        bytes: Arc<[u8]>,
    },
    /// Leaf hashes of the log: one tile of them, in place of what it held.
    Log {
        /// Number of the tile.
        tile: u64,
        /// The hashes, 32 bytes each, 256 at most.
        hashes: Arc<[u8]>,
    },
    /// What this node has signed as a witness, before the signature is made; it
    /// takes the place of the one before.
    Witnessed(Witnessed),
    /// The highest cosignature of a witness, or that none is kept any longer.
    Cosignature {
        /// The witness.
        witness: [u8; 32],
        /// The cosignature by itself.
        bytes: Option<Arc<[u8]>>,
    },
    /// An emergency stop that a key signed alone, or that it is no longer kept.
    Stop {
        /// Its name.
        name: [u8; 32],
        /// The stop as it travels; `None` once the list has settled it.
        bytes: Option<Arc<[u8]>>,
    },
    /// The list of stops that is in force, apart from the document that named
    /// it: a newer statement whose list is not at hand must start nothing.
    StopList {
        /// The list as the annex `membership/revocations`.
        bytes: Arc<[u8]>,
    },
    /// A verified release index.
    Index {
        /// Name of the content.
        content: ContentId,
        /// The bytes as received.
        bytes: Arc<[u8]>,
    },
    /// The state of a release on this host.
    Release {
        /// Name of the content.
        content: ContentId,
        /// The state.
        state: ReleaseState,
    },
    /// A content is no longer worked with; its chunks may be swept.
    Forget {
        /// Name of the content.
        content: ContentId,
    },
}

/// The last head that this node signed as a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// The head; an empty one if none was signed.
    pub head: LogHead,
    /// The time that was stated.
    pub utc: UtcTime,
}

impl Default for Witnessed {
    fn default() -> Self {
        Self {
            head: LogHead::empty(),
            utc: UtcTime(0),
        }
    }
}

impl Witnessed {
    /// Bytes of the stored form.
    pub const LEN: usize = 48;

    /// The stored form: size and time little-endian, then the root.
    pub fn to_bytes(self) -> Vec<u8> {
        let (size, utc) = (self.head.size.to_le_bytes(), self.utc.0.to_le_bytes());
        [&size[..], &utc, &self.head.root].concat()
    }

    /// Reads the stored form; `None` for another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk()?;
        let (utc, root) = rest.split_first_chunk()?;
        Some(Self {
            head: LogHead {
                size: u64::from_le_bytes(*size),
                root: root.try_into().ok()?,
            },
            utc: UtcTime(i64::from_le_bytes(*utc)),
        })
    }
}

/// State of a release on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseState {
    /// Listed by verified metadata.
    Known,
    /// Being fetched.
    Fetching,
    /// Every file is staged and equal to its signed hashes.
    Staged,
    /// It is being put into use.
    Applying,
    /// It is in use on this host.
    Good,
    /// Staging or applying failed; the reason is in the notice.
    Failed,
}

/// The stops that the store kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredStops {
    /// The list in force.
    pub list: Option<Arc<[u8]>>,
    /// Stops of single keys.
    pub outstanding: Vec<Arc<[u8]>>,
}

/// What the store gives back at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Documents: roots in ascending version, then the newest of each role.
    pub documents: Vec<(RoleName, Arc<[u8]>)>,
    /// The floors, if any were stored.
    pub floors: Option<Vec<u8>>,
    /// Proofs that a role was signed twice.
    pub proofs: Vec<Arc<[u8]>>,
    /// Annexes.
    pub annexes: Vec<(AnnexName, Arc<[u8]>)>,
    /// Leaf hashes of the log, 32 bytes each.
    pub log: Vec<u8>,
    /// What was signed as a witness, an empty head for nothing; `None` if that was
    /// lost.
    pub witnessed: Option<Witnessed>,
    /// The highest cosignature of each witness.
    pub cosignatures: Vec<Arc<[u8]>>,
    /// Emergency stops.
    pub stops: StoredStops,
    /// Release indexes.
    pub indexes: Vec<(ContentId, Arc<[u8]>)>,
    /// States of releases.
    pub releases: Vec<(ContentId, ReleaseState)>,
    /// Chunks on disk, verified when they were written.
    pub chunks: Vec<ChunkId>,
}
