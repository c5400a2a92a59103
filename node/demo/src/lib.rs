//! Real nodes on loopback behind shaped WAN links: the tour, and the fleet that
//! end-to-end tests use.

pub mod args;
pub mod authority;
pub mod binaries;
pub mod bound;
pub mod compare;
pub mod fleet;
pub mod input;
pub mod measure;
pub mod network;
pub mod relay;
pub mod show;
pub mod tamper;
pub mod tour;
pub mod warden;
pub mod watch;
