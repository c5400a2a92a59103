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
    /// An approval begins or ends, or a statement expires.
    Rollout,
    /// Exchange heads, or ask again for metadata.
    Sync,
}

/// What a release waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "on")]
pub enum WaitingOn {
    /// The apply step on this host.
    Applying,
    /// An approval of operations for it.
    Approval,
    /// Chunks: held and total.
    Chunks {
        /// Chunks held.
        held: u32,
        /// Chunks of the release.
        total: u32,
    },
    /// Witnesses that cosign what it rests on.
    Cosignatures {
        /// Witnesses that did.
        keys: u32,
        /// Witnesses that are asked for.
        keys_asked: u32,
        /// Sites that these stand in.
        sites: u32,
        /// Sites that are asked for.
        sites_asked: u32,
    },
    /// Free space in the store or on the disk.
    Disk,
    /// The keys of a role that was signed twice are changed.
    Frozen,
    /// The end of a hold.
    Hold {
        /// Why operations hold it.
        reason: String,
    },
    /// The release index.
    Index,
    /// A log that holds its statement (T-74).
    Log,
    /// Trusted metadata that is not expired.
    Metadata,
    /// Another release of its line, which was approved later.
    Newer {
        /// Its id.
        id: String,
    },
    /// An approval of its own index: another one of this id is approved.
    OtherIndex,
    /// Not wanted by policy; a fetch command starts it.
    Policy,
    /// An approval for the ring of this node.
    Ring {
        /// The ring; empty without rings.
        ring: String,
    },
    /// A statement of operations that is not expired, and its policy.
    Rollout,
    /// Keys of a line and of operations that differ (T-12).
    Separation {
        /// The line.
        line: String,
    },
    /// A peer or origin that has what is missing.
    Source,
    /// The stage step on this host.
    Staging,
    /// The end of a stop.
    Stop,
    /// The time at which its approval begins.
    Window {
        /// Seconds since 1970.
        from: i64,
    },
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
