//! Why a node wakes up, and what an idle release waits on.

use patchmesh_trust::role::RoleName;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Why the engine asked for a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WakeReason {
    /// Renew or end a claim or lease.
    Claim,
    /// Dial a peer again.
    Dial,
    /// A fetch is due to be judged slow.
    FetchDue,
    /// Send batched have deltas.
    Have,
    /// Exchange heads, or ask again for metadata.
    Sync,
}

/// What a release that is not yet staged waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "on")]
pub enum WaitingOn {
    /// Chunks: held and total.
    Chunks {
        /// Chunks held.
        held: u32,
        /// Chunks of the release.
        total: u32,
    },
    /// Free space in the store or on the disk.
    Disk,
    /// The release index.
    Index,
    /// Trusted metadata that is not expired.
    Metadata,
    /// Not wanted by policy; a fetch command starts it.
    Policy,
    /// A peer or origin that has what is missing.
    Source,
    /// The stage step on this host.
    Staging,
}

/// A document that is missing for too long (T-48).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Role of the document.
    pub role: RoleName,
    /// The version that is named.
    pub version: u64,
    /// Since when it, or an earlier version that has not come either, has been
    /// missing.
    pub since: Time,
}

/// A role that was signed twice and has the same signers still (T-44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The role.
    pub role: RoleName,
    /// The version of both documents.
    pub version: u64,
}
