//! What the swarm machine knows of one content.

pub(crate) mod chunks;
pub(crate) mod claim;
pub(crate) mod duty;
pub(crate) mod have;
pub(crate) mod state;
pub(crate) mod window;
