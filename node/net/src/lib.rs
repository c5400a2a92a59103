//! The libp2p adapter behind one typed Command/Event pair. It moves bytes and
//! judges nothing: who is let in, which gossip travels on and which chunk is
//! served is asked through an [`Event`] and answered by a [`Command`].
//!
//! No type of libp2p leaves this crate: peers are Ed25519 public keys,
//! addresses are binary multiaddresses. Every queue is bounded by a constant
//! in [`limits`].

pub mod address;
mod behaviour;
pub mod command;
pub mod config;
pub mod event;
mod exchange;
mod gossip;
mod heard;
mod hello;
mod identity;
pub mod limits;
mod link;
mod peers;
pub mod service;
mod task;
pub mod traffic;
mod wire;

pub use command::Command;
pub use config::{Config, HelloParts, Timing};
pub use event::{Event, FetchOutcome};
pub use prost::bytes::Bytes;
pub use service::{Handle, StartError, start};
pub use traffic::{PathBytes, PeerTraffic, Traffic, TrafficMeter};
