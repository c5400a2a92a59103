//! The node's source of truth outside the mesh: a published repository folder
//! on this host, or the same layout over HTTP.

pub(crate) mod broken;
pub(crate) mod folder;
pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod renewal;
pub(crate) mod source;
