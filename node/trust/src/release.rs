//! What a release line says.

use patchmesh_content::id::ContentId;
use patchmesh_proto::limits::INDEX_LEN_MAX;
use serde::{Deserialize, Serialize};

use crate::canonical::Value;
use crate::document::Target;
use crate::limits::CUSTOM_LEN_MAX;
use crate::role::is_release_id;

/// Format of a release target's `custom`.
pub(crate) const CUSTOM_FORMAT: i64 = 1;

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

impl Release {
    /// What a target entry at `release/<line>/<id>` says; `None` if it states
    /// no release that a node could fetch.
    pub(crate) fn read(line: &str, path: &str, target: &Target, version: u64) -> Option<Self> {
        let id = path.strip_prefix("release/")?.strip_prefix(line)?;
        let id = id.strip_prefix('/')?;
        let custom = target.custom.as_ref()?;
        if !is_release_id(id)
            || target.len > INDEX_LEN_MAX as u64
            || custom.canonical().len() > CUSTOM_LEN_MAX
        {
            return None;
        }
        let custom = custom.as_object()?;
        let plain = |value: &Value| matches!(value, Value::Text(_) | Value::Integer(_));
        let format_ok = custom.get("v") == Some(&Value::Integer(CUSTOM_FORMAT));
        if !format_ok || !custom.values().all(plain) {
            return None;
        }
        let severity = match custom.get("sev") {
            Some(severity) => severity.as_text()?.to_owned(),
            None => String::new(),
        };
        Some(Self {
            line: line.to_owned(),
            id: id.to_owned(),
            content: ContentId::from_hex(custom.get("b3")?.as_text()?)?,
            sha256: target.hashes.sha256?,
            len: target.len,
            severity,
            statement_version: version,
        })
    }
}
