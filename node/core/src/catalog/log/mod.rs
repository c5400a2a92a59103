//! The log of a network, as one node follows it.

pub mod follow;
pub mod learn;
