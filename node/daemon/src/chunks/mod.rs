//! Chunks between network, disk and index: where they lie, how they come in, what
//! was found altered.

pub(crate) mod contents;
pub(crate) mod corrupt;
pub(crate) mod intake;
pub(crate) mod repair;
