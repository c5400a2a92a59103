//! What keeps a node from its work.

use serde::{Deserialize, Serialize};

/// Something that keeps a node from its work and an administrator can mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Stable code.
    pub code: String,
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
    /// What is wrong, for people.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
}
