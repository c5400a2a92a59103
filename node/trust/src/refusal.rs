//! Stable codes for what the verifier refuses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a document or index was refused. Codes are stable across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// A signature of a listed key does not verify.
    BadSignature,
    /// Fewer distinct keys signed than the threshold asks for.
    BelowThreshold,
    /// Two signed statements contradict each other.
    Contradiction,
    /// The document has expired.
    Expired,
    /// Length or hash differ from what is pinned.
    HashMismatch,
    /// The bytes are not a document of this role.
    Malformed,
    /// The role or path is not delegated.
    NotDelegated,
    /// Something that must come first is missing; ask again later.
    Pending,
    /// The version is below one that was seen.
    Rollback,
    /// Longer than the cap or the pinned length.
    TooLarge,
    /// Signed by keys that the role does not list.
    UnknownKey,
    /// Belongs to another network.
    WrongNetwork,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadSignature => "BadSignature",
            Self::BelowThreshold => "BelowThreshold",
            Self::Contradiction => "Contradiction",
            Self::Expired => "Expired",
            Self::HashMismatch => "HashMismatch",
            Self::Malformed => "Malformed",
            Self::NotDelegated => "NotDelegated",
            Self::Pending => "Pending",
            Self::Rollback => "Rollback",
            Self::TooLarge => "TooLarge",
            Self::UnknownKey => "UnknownKey",
            Self::WrongNetwork => "WrongNetwork",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refusal {}
