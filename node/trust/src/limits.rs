//! Every bound of the verifier, each with its reason. Wire sizes of documents
//! of a mesh are in `patchmesh_proto::limits`, since peers and origins apply
//! them too.

use patchmesh_proto::limits::{
    ROOT_LEN_MAX, SNAPSHOT_LEN_MAX, STATEMENT_LEN_MAX, TARGETS_LEN_MAX, TIMESTAMP_LEN_MAX,
};

use crate::role::RoleName;

/// Nesting of JSON: documents need 7; 64 leaves room for foreign `custom` data.
pub const DEPTH_MAX: usize = 64;
/// JSON values in one document: a snapshot of 512 KiB with the shortest useful
/// entries holds about 25,000. Bounds memory while reading to 3 MiB, measured
/// with nothing but objects of one short member: 13 times the text; a list of
/// digits takes 16 times its text, which is shorter.
pub const VALUES_MAX: usize = MESH.values;
/// Signatures of one document: two thresholds of a root rotation, and spare.
/// Counted while reading; one more is `TooLarge`, and none behind it is built.
pub const SIGNATURES_MAX: usize = MESH.signatures;
/// Keys of one role.
pub const KEYS_PER_ROLE_MAX: usize = MESH.keys_per_role;
/// Keys that one document describes: 1,024 lines share a few teams' keys.
pub const KEYS_MAX: usize = 1_024;
/// Roles that one document delegates to.
pub const DELEGATIONS_MAX: usize = 1_024;
/// Canonical bytes of a target's `custom`.
pub const CUSTOM_LEN_MAX: usize = 256;
/// Signed bytes of a release statement that our tool exports: the smallest
/// input limit of the signing hardware in use (T-01).
pub const STATEMENT_SIGNED_LEN_MAX: usize = 1_024;
/// Payload of a certificate.
pub const CERTIFICATE_LEN_MAX: usize = 1_024;

/// Leaves of a log: a century of hourly timestamps. A node holds them all, 32
/// bytes each.
pub const LOG_LEAVES_MAX: u64 = 1 << 20;

/// Which kind of repository is verified: it decides bounds and forms, never
/// what a signature must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The network of this product: release lines, one level of delegation.
    Mesh,
    /// A repository of any tool that follows the TUF specification.
    Foreign,
}

/// Bounds that differ between the profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a timestamp.
    pub timestamp_len: usize,
    /// Bytes of a root.
    pub root_len: usize,
    /// Bytes of a snapshot.
    pub snapshot_len: usize,
    /// Bytes of the top targets.
    pub targets_len: usize,
    /// Bytes of the document of a delegated role.
    pub delegated_len: usize,
    /// JSON values of one document.
    pub values: usize,
    /// Signatures of one document.
    pub signatures: usize,
    /// Keys of one role.
    pub keys_per_role: usize,
    /// Path patterns or hash prefixes of one delegation.
    pub patterns: usize,
    /// Delegated roles visited for one path; no more than that wait to be.
    pub visited: usize,
    /// Roles that one snapshot lists.
    pub snapshot_roles: usize,
    /// Roots taken in one walk; the next walk continues.
    pub roots: u64,
    /// Bytes of stored floors: a name, a version and a digest of 100 bytes for
    /// each role of the largest snapshot.
    pub floors_len: usize,
}

/// A snapshot lists all roles that may be delegated to, and three times as many
/// that once were, since none may vanish.
const MESH: Limits = Limits {
    timestamp_len: TIMESTAMP_LEN_MAX,
    root_len: ROOT_LEN_MAX,
    snapshot_len: SNAPSHOT_LEN_MAX,
    targets_len: TARGETS_LEN_MAX,
    delegated_len: STATEMENT_LEN_MAX,
    values: 65_536,
    signatures: 32,
    keys_per_role: 32,
    patterns: 32,
    visited: 4,
    snapshot_roles: 4 * DELEGATIONS_MAX,
    roots: 32,
    floors_len: 1024 * 1024,
};

/// Wire sizes, visits and roots are the defaults of python-tuf 7. A targets
/// document of 5,000,000 bytes holds about 20,000 targets of 8 values; twice
/// that, and the largest snapshot, still fit the bound on values.
const FOREIGN: Limits = Limits {
    timestamp_len: 16_384,
    root_len: 512_000,
    snapshot_len: 2_000_000,
    targets_len: 5_000_000,
    delegated_len: 5_000_000,
    values: 393_216,
    signatures: 256,
    keys_per_role: 256,
    patterns: 4_096,
    visited: 32,
    snapshot_roles: 65_536,
    roots: 256,
    floors_len: 16 * 1024 * 1024,
};

impl Profile {
    /// Its bounds.
    pub fn limits(self) -> &'static Limits {
        match self {
            Self::Mesh => &MESH,
            Self::Foreign => &FOREIGN,
        }
    }

    /// Longest acceptable document of a role in bytes.
    pub fn document_len_max(self, role: &RoleName) -> usize {
        let limits = self.limits();
        match role {
            RoleName::Root => limits.root_len,
            RoleName::Timestamp => limits.timestamp_len,
            RoleName::Snapshot => limits.snapshot_len,
            RoleName::Targets => limits.targets_len,
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => limits.delegated_len,
        }
    }
}

/// Longest acceptable document of a role of a mesh in bytes.
pub fn document_len_max(role: &RoleName) -> usize {
    Profile::Mesh.document_len_max(role)
}
