//! The transparency log: an append-only Merkle tree over all signed metadata,
//! in the formats of C2SP (tlog-tiles, tlog-checkpoint, signed-note,
//! tlog-cosignature, tlog-proof), hashed as in RFC 6962.

pub mod checkpoint;
pub mod cosignature;
pub mod head;
pub mod inclusion;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod witnesses;
