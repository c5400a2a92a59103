//! A TUF client for repositories of any tool: the node's verifier, a folder,
//! and HTTP.

pub(crate) mod download;
pub(crate) mod folder;
pub(crate) mod http;
pub(crate) mod refresh;
