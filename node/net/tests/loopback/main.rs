//! Nodes on the loopback interface, seen through commands and events only;
//! outsiders and liars speak raw bytes.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the one event it waits for, and fails on anything unexpected"
)]

mod exchange;
mod gossip;
mod harness;
mod hello;
mod liar;
mod multicast;
mod traffic;
