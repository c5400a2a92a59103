//! The real program, from the outside: what a signer, a publisher and an
//! attacker see.

mod ceremony;
mod contract;
mod hostile;
mod keys;
mod node;
mod support;
mod tree;
