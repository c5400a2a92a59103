//! A timestamp whose log is not shown to continue the known one waits here, and
//! the leaves that it waits for are named.

use std::sync::Arc;

use patchmesh_trust::limits::LOG_LEAVES_MAX;
use patchmesh_trust::log::head::{LogHead, Replaced};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{Verifier, Want};

use crate::message::DocumentRef;

/// What leaves are asked for by, before the position of the first.
const PREFIX: &str = "log/";

/// What a node knows of the log beside the verifier.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    pub(crate) waiting: Option<Waiting>,
    /// Leaves before the newest timestamp.
    pub(crate) told_from: u64,
    /// What was said of a log that took the place of another.
    pub(crate) replaced: Option<Replaced>,
}

/// A verified timestamp that waits for leaves.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) version: u64,
    pub(crate) head: LogHead,
    /// The known leaves did not lead to it: the whole list is needed, to see
    /// whether it is another log or a lie.
    pub(crate) whole: bool,
}

impl Follow {
    /// Version of the timestamp that waits; 0 without one.
    pub fn version(&self) -> u64 {
        self.waiting.as_ref().map_or(0, |waiting| waiting.version)
    }

    /// What is missing while a timestamp waits.
    pub fn want(&self) -> Option<Want> {
        let waiting = self.waiting.as_ref()?;
        Some(Want {
            role: RoleName::Timestamp,
            version: Some(waiting.version),
            sha256: None,
            len_max: 0,
        })
    }

    /// Leaves that are needed now, and the longest acceptable answer in bytes:
    /// those of the timestamp that waits, or of the held one.
    pub fn needed(&self, verifier: &Verifier) -> Option<(DocumentRef, usize)> {
        let lacks = verifier.lacks_leaves();
        let (head, whole) = match &self.waiting {
            Some(waiting) => (waiting.head, lacks || waiting.whole),
            None if lacks => (verifier.log_floor()?, true),
            None => return None,
        };
        let from = if whole { 0 } else { verifier.log_tree().size() };
        let count = head.size.checked_sub(from)?.min(LOG_LEAVES_MAX);
        let len = usize::try_from(count).ok()?.checked_mul(32)?;
        Some((leaves_of(from, head.size), len))
    }
}

/// How leaves are asked for: from this position up to a size.
fn leaves_of(from: u64, size: u64) -> DocumentRef {
    DocumentRef::Metadata {
        role: format!("{PREFIX}{from}"),
        version: size,
    }
}

/// Position of the first and the size, of leaves that are asked for.
pub fn asked_leaves(document: &DocumentRef) -> Option<(u64, u64)> {
    match document {
        DocumentRef::Metadata { role, version } => {
            let from = role.strip_prefix(PREFIX)?.parse().ok()?;
            (from < *version).then_some((from, *version))
        }
        DocumentRef::Annex { .. } | DocumentRef::Index { .. } => None,
    }
}
