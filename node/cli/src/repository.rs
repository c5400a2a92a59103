//! A published repository folder: read it as a node would, write it so that a
//! reader sees all of a publication or nothing.

pub(crate) mod chain;
pub(crate) mod input;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod online;
pub(crate) mod payloads;
pub(crate) mod stops;
pub(crate) mod write;
