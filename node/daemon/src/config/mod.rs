//! Settings of the node: one table of keys, layered sources, typed values.

pub(crate) mod keys;
pub(crate) mod layer;
pub(crate) mod load;
pub(crate) mod show;
pub(crate) mod world;
