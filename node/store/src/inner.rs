//! The store itself.

/// Chunk files, trust files and the index of one node. All calls block; share
/// it as `Arc<Store>` between blocking threads.
#[derive(Debug)]
pub struct Store {}
