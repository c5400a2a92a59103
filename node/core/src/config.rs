//! What the driver tells the engine once, at the start.

use serde::{Deserialize, Serialize};

use crate::peer::{Address, PeerId};

/// Settings of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// This node.
    pub peer: PeerId,
    /// Its site; empty for an origin outside all sites.
    pub site: String,
    /// Release lines this node wants.
    pub lines: Vec<String>,
    /// Whether wanted releases are fetched without a command.
    pub automatic: bool,
    /// What this node is and where its source of truth lies.
    pub mode: Mode,
    /// Weight in the duty rank: wired 4, wireless 1, metered 0.
    pub weight: u32,
    /// Peers to keep connections to: usually the origin.
    pub bootstrap: Vec<(PeerId, Vec<Address>)>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Fetches from peers only.
    Endpoint,
    /// Fetches from peers, and from an HTTP origin (`Source::Origin`).
    EndpointWithHttp,
    /// Serves a published repository folder: documents come from
    /// `Source::Origin` (the folder), and every chunk of every listed release
    /// is held from the start.
    Origin,
}
