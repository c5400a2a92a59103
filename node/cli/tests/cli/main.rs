//! The real program, from the outside: what a signer, a publisher and an
//! attacker see.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod agent;
mod authority;
mod backup;
mod ceremony;
mod contract;
mod hostile;
mod keys;
mod log;
mod node;
mod rollout;
mod stops;
mod support;
mod tree;
mod tuf;
mod witnesses;
