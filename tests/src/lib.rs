//! What the end-to-end, attack, crash and fuzz tests share: networks of real
//! nodes, a publisher with keys of its own, inputs, and hostile peers.

pub mod bench;
pub mod ceremony;
pub mod forge;
pub mod fuzz;
pub mod gossip;
pub mod hostile;
pub mod input;
pub mod raw;
pub mod text;
pub mod told;
pub mod until;
pub mod web;
