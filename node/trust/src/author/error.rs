//! Why a document was not written.

use std::fmt;

use crate::refusal::Refusal;

/// Why a document was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorError {
    /// The plan states something that no document can say.
    #[error("failed to build the document: {0}")]
    BadPlan(&'static str),
    /// The bytes are not a draft or document of this role.
    #[error("failed to read the document: {0}")]
    NotADocument(Refusal),
    /// The signed part of a statement is longer than signing hardware
    /// accepts (T-01).
    #[error("failed to build the statement: {bytes} signed bytes, at most 1024 are allowed")]
    StatementTooLarge {
        /// Length of the signed part.
        bytes: usize,
    },
    /// One key would speak for a release line and for `rollout`, and could
    /// install alone (T-12).
    #[error("failed to build the targets: one key speaks for release/{line} and for rollout")]
    NotSeparated {
        /// The line.
        line: String,
    },
    /// Copies of different documents were given.
    #[error("failed to merge: the copies do not state the same")]
    OtherStatement,
    /// A signature does not verify.
    #[error("failed to accept the signature of key {key_id}")]
    BadSignature {
        /// The key it claims.
        key_id: String,
    },
    /// Signed by a key that the role does not list.
    #[error("failed to accept a signature: the role does not list key {key_id}")]
    UnknownKey {
        /// The key it claims.
        key_id: String,
    },
    /// More signatures are needed, by each of these key lists: one, or for a
    /// root the list of the root before, its own, or both.
    #[error("failed to assemble: {}", all(.0))]
    Missing(Vec<Missing>),
    /// A node would not see this release.
    #[error("failed to assemble: a node would leave out {path}")]
    LostPath {
        /// The target path.
        path: String,
    },
    /// A node would refuse the document.
    #[error("failed to assemble: a node would refuse it as {0}")]
    Refused(Refusal),
}

fn all(lists: &[Missing]) -> String {
    let lists = lists.iter().map(Missing::to_string);
    lists.collect::<Vec<_>>().join("; ")
}

/// Whose signatures are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_field_names,
    reason = "the keys that are missing have no other name"
)]
pub struct Missing {
    /// Which key list asks: the role's name; for a root, with its version.
    pub of: String,
    /// Distinct keys that signed.
    pub have: u64,
    /// Distinct keys that must sign.
    pub threshold: u64,
    /// Ids of the keys that signed.
    pub signed: Vec<String>,
    /// Ids of the keys that could still sign.
    pub missing: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            of,
            have,
            threshold,
            missing,
            ..
        } = self;
        write!(f, "{of}: {have} of {threshold} signatures; missing of ")?;
        write!(f, "{}", missing.join(", "))
    }
}
