//! Nodes on the loopback interface, seen through commands and events only;
//! outsiders and liars speak raw bytes.

mod exchange;
mod gossip;
mod harness;
mod hello;
mod liar;
mod throughput;
mod traffic;
