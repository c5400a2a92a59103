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
    /// Its log is not shown to continue the one that was seen; ask for leaves.
    Unproven,
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
            Self::Unproven => "Unproven",
            Self::WrongNetwork => "WrongNetwork",
        }
    }
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 13] = [
        Self::BadSignature,
        Self::BelowThreshold,
        Self::Contradiction,
        Self::Expired,
        Self::HashMismatch,
        Self::Malformed,
        Self::NotDelegated,
        Self::Pending,
        Self::Rollback,
        Self::TooLarge,
        Self::UnknownKey,
        Self::Unproven,
        Self::WrongNetwork,
    ];

    /// The refusal with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// The stable id with which a program ends because of it.
    pub fn id(self) -> &'static str {
        match self {
            Self::BadSignature => "E_SIG_BAD",
            Self::BelowThreshold => "E_SIG_THRESHOLD",
            Self::Contradiction => "E_TRUST_CONTRADICTION",
            Self::Expired => "E_TRUST_EXPIRED",
            Self::HashMismatch => "E_TRUST_HASH",
            Self::Malformed => "E_TRUST_MALFORMED",
            Self::NotDelegated => "E_TRUST_NOT_DELEGATED",
            Self::Pending => "E_TRUST_PENDING",
            Self::Rollback => "E_TRUST_ROLLBACK",
            Self::TooLarge => "E_TRUST_TOO_LARGE",
            Self::UnknownKey => "E_SIG_UNKNOWN_KEY",
            Self::Unproven => "E_LOG_UNPROVEN",
            Self::WrongNetwork => "E_TRUST_WRONG_NETWORK",
        }
    }

    /// What a person can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::BadSignature => {
                "the document or a signature was changed: get it again from who signed it"
            }
            Self::BelowThreshold => {
                "more of the listed people have to run `patchmesh sign`; then assemble again"
            }
            Self::Contradiction => {
                "two signed documents have one version: ask the signers which one is theirs, \
                 and publish a higher version"
            }
            Self::Expired => {
                "is the clock of this host right? `patchmesh publish` renews snapshot and \
                 timestamp; other documents have to be signed again"
            }
            Self::HashMismatch => "the file was changed or cut: get it again, or publish it again",
            Self::Malformed => {
                "it is no such document, or it was changed: is it the right file? else get it \
                 again from who published it"
            }
            Self::NotDelegated => "have targets signed that list it",
            Self::Pending => {
                "what it rests on is missing: give the whole published folder, or try again \
                 once it is complete"
            }
            Self::Rollback => {
                "a newer version was seen before: is this an old copy or a backup? publish a \
                 higher version"
            }
            Self::TooLarge => "it is longer than any such document may be: is it the right file?",
            Self::UnknownKey => {
                "look who signed it; a new key has to be listed by the root or the targets first"
            }
            Self::Unproven => {
                "the leaves of its log are missing: give the whole published folder, or try again"
            }
            Self::WrongNetwork => {
                "it belongs to another network: `patchmesh root show` prints the id of a root"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_its_own_code_id_and_advice() {
        let each = |of: fn(Refusal) -> &'static str| {
            let texts = Refusal::ALL.map(of);
            assert!(texts.iter().all(|text| !text.is_empty()));
            BTreeSet::from(texts).len()
        };
        assert_eq!(each(Refusal::code), Refusal::ALL.len());
        assert_eq!(each(Refusal::id), Refusal::ALL.len());
        assert_eq!(each(Refusal::advice), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
        }
        assert_eq!(Refusal::from_code("Corrupt"), None);
    }
}
