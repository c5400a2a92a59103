//! patchmesh-sim: worlds that drive the engine of the node.
//!
//! A world is N real engines on virtual time, with a modelled network (shaped
//! WAN per site, switched LAN), a modelled store (records and chunks, the
//! unsynced part lost at a crash) and real trust documents from test keys. A
//! seed chooses topology, faults and their times. Invariants are checked after
//! every event; the same seed gives the same world, event for event.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod act;
pub mod bound;
pub mod broken;
pub mod capped;
pub mod check;
pub mod fault;
pub mod freight;
pub mod host;
pub mod link;
pub mod net;
pub mod operations;
pub mod plan;
pub mod planner;
pub mod publisher;
pub mod replayed;
pub mod store;
pub mod world;

pub use fault::{Failure, Report, run};
