//! What a release line says.

use patchmesh_content::id::ContentId;
use serde::{Deserialize, Serialize};

/// One active release of a line, as its target entry states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Release line, without the `release/` prefix.
    pub line: String,
    /// Release id within the line.
    pub id: String,
    /// BLAKE3 of the release index: the name of the content.
    pub content: ContentId,
    /// SHA-256 of the release index.
    pub sha256: [u8; 32],
    /// Length of the release index in bytes.
    pub len: u64,
    /// Severity word for people; empty if not stated.
    pub severity: String,
    /// Version of the line's statement that lists it.
    pub statement_version: u64,
}
