//! Every bound of the verifier, each with its reason. Wire sizes of documents
//! are in `patchmesh_proto::limits`, since peers and origins apply them too.

use patchmesh_proto::limits::{
    ROOT_LEN_MAX, SNAPSHOT_LEN_MAX, STATEMENT_LEN_MAX, TARGETS_LEN_MAX, TIMESTAMP_LEN_MAX,
};

use crate::role::RoleName;

/// Nesting of JSON: documents need 7; 64 leaves room for foreign `custom` data.
pub const DEPTH_MAX: usize = 64;
/// JSON values in one document: a snapshot of 512 KiB with the shortest useful
/// entries holds about 25,000. Bounds memory to a few MiB for any document.
pub const VALUES_MAX: usize = 65_536;
/// Signatures of one document: two thresholds of a root rotation, and spare.
pub const SIGNATURES_MAX: usize = 32;
/// Keys of one role.
pub const KEYS_PER_ROLE_MAX: usize = 32;
/// Keys that one document describes: 1,024 lines share a few teams' keys.
pub const KEYS_MAX: usize = 1_024;
/// Roles that one document delegates to.
pub const DELEGATIONS_MAX: usize = 1_024;
/// Path patterns of one delegation.
pub const PATHS_MAX: usize = 32;
/// Delegated roles visited for one path.
pub const VISITED_MAX: usize = 4;
/// Canonical bytes of a target's `custom`.
pub const CUSTOM_LEN_MAX: usize = 256;
/// Signed bytes of a release statement that our tool exports: the smallest
/// input limit of the signing hardware in use (T-01).
pub const STATEMENT_SIGNED_LEN_MAX: usize = 1_024;
/// Roles that one snapshot lists: all that may be delegated to, and three times
/// as many that once were, since none may vanish.
pub const SNAPSHOT_ROLES_MAX: usize = 4 * DELEGATIONS_MAX;
/// Stored floors: the names of the largest snapshot, and a version and a digest
/// of 100 bytes for each of its roles.
pub const FLOORS_LEN_MAX: usize = 1024 * 1024;
/// Payload of a certificate.
pub const CERTIFICATE_LEN_MAX: usize = 1_024;

/// Longest acceptable document of a role in bytes.
pub fn document_len_max(role: &RoleName) -> usize {
    match role {
        RoleName::Root => ROOT_LEN_MAX,
        RoleName::Timestamp => TIMESTAMP_LEN_MAX,
        RoleName::Snapshot => SNAPSHOT_LEN_MAX,
        RoleName::Targets => TARGETS_LEN_MAX,
        RoleName::Line(_) => STATEMENT_LEN_MAX,
    }
}
