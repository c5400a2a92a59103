//! One difference, as a signer sees it.

use serde::Serialize;

/// Kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Op {
    /// New.
    Added,
    /// Other than before.
    Changed,
    /// No longer there.
    Removed,
    /// A fact, not a difference.
    States,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Kind.
    pub(crate) op: Op,
    /// What differs: `release`, `file`, `key`, `threshold`, `line`, `approval`,
    /// `hold`, `ring`, `expires` and the like.
    pub(crate) what: &'static str,
    /// For people, already escaped.
    pub(crate) text: String,
}

impl Change {
    pub(crate) fn new(op: Op, what: &'static str, text: impl Into<String>) -> Self {
        Self {
            op,
            what,
            text: text.into(),
        }
    }
}
