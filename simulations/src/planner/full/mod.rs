//! The node's own swarm machine in every endpoint of a site, on virtual time.

pub mod drive;
pub mod grain;
pub mod net;
pub mod pilot;
pub mod policy;
pub mod queue;
pub mod site;
pub mod unit;
pub mod wire;
