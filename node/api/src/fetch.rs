//! Progress of a fetch.

use serde::{Deserialize, Serialize};

use crate::releases::{ReleaseState, WaitingOn};
use crate::status::Sources;

/// One line of a followed fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchEvent {
    /// Kind of line; the stream ends with a summary or an error.
    pub message_type: FetchKind,
    /// Release line.
    pub line: String,
    /// Release id.
    pub id: String,
    /// State on this host.
    pub state: ReleaseState,
    /// Chunks held.
    pub chunks_held: u32,
    /// Chunks of the release; 0 while the index is missing.
    pub chunks_total: u32,
    /// Wire bytes of the chunks held.
    pub bytes_done: u64,
    /// Wire bytes of the release; 0 while the index is missing.
    pub bytes_total: u64,
    /// Estimate; `None` while unknown.
    pub seconds_remaining: Option<u64>,
    /// Chunk bytes that this node received since the command began.
    pub received: Sources,
    /// What it waits on; empty once staged.
    #[serde(default)]
    pub waiting_on: Vec<WaitingOn>,
    /// Why it failed; empty unless the kind is `error`.
    #[serde(default)]
    pub error: String,
}

/// Kinds of progress lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchKind {
    /// It failed; the last line.
    Error,
    /// Under way.
    Status,
    /// Staged; the last line.
    Summary,
}

impl FetchEvent {
    /// Whether no further line follows.
    pub fn is_last(&self) -> bool {
        self.message_type != FetchKind::Status
    }
}
