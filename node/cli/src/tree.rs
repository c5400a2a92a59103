//! From a folder to chunks, and a check of the way back.

pub(crate) mod check;
pub(crate) mod cut;
pub(crate) mod progress;
pub(crate) mod walk;
