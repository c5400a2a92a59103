//! Stable codes of refused requests, as they stand in `code` of
//! [`crate::answer::Refused`].

/// The request line is not a request that this node knows.
pub const BAD_REQUEST: &str = "E_BAD_REQUEST";
/// The node has no room for the command now.
pub const BUSY: &str = "E_BUSY";
/// The disk of the node fails.
pub const DISK_FAILED: &str = "E_DISK_FAILED";
/// The disk of the node is full; it goes on once there is room.
pub const DISK_FULL: &str = "E_DISK_FULL";
/// The node failed to carry the command out.
pub const FAILED: &str = "E_FAILED";
/// The node has no root or no certificate yet.
pub const NOT_JOINED: &str = "E_NOT_JOINED";
/// Only a node with a repository or an HTTP origin carries this command out.
pub const NOT_ORIGIN: &str = "E_NOT_ORIGIN";
/// The store's quota is used up.
pub const STORE_FULL: &str = "E_STORE_FULL";
/// The verifier refused what the command needs; the message names its code.
pub const TRUST: &str = "E_TRUST";
/// No release of this name is known.
pub const UNKNOWN_RELEASE: &str = "E_UNKNOWN_RELEASE";
