//! How the program ends: exit codes, stable ids, and the last line of stderr.

use std::fmt;
use std::io;

use patchmesh_api::exit::{self, ExitError};
use patchmesh_trust::refusal::Refusal;

/// Code, meaning; for the help text and the man page.
pub(crate) const EXIT_TABLE: [(u8, &str); 7] = [
    (exit::DONE, "done"),
    (exit::FAILED, "failed"),
    (exit::USAGE, "wrong usage"),
    (exit::NOT_JOINED, "not joined"),
    (exit::BUSY, "busy: another run holds the lock"),
    (
        exit::TRUST,
        "trust refused it (signature, threshold, expiry, rollback, revoked)",
    ),
    (exit::NO_NODE, "no node answers on the control socket"),
];

/// An end that is not success, with a stable id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) code: u8,
    /// Stable id, `E_...`.
    pub(crate) id: String,
    /// One sentence fragment for people.
    pub(crate) message: String,
    /// What to try next; empty if there is no advice.
    pub(crate) hint: String,
}

impl Failure {
    fn new(code: u8, id: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            id: id.to_owned(),
            message: message.into(),
            hint: String::new(),
        }
    }

    /// Exit 1.
    pub(crate) fn failed(id: &str, message: impl Into<String>) -> Self {
        Self::new(exit::FAILED, id, message)
    }

    /// Exit 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, "E_USAGE", message)
    }

    /// Exit 11.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(exit::BUSY, "E_BUSY", message)
    }

    /// Exit 12. An id of the verifier brings its advice along.
    pub(crate) fn trust(id: &str, message: impl Into<String>) -> Self {
        let known = Refusal::ALL.into_iter().find(|refusal| refusal.id() == id);
        let hint = known.map(Refusal::advice).unwrap_or_default();
        Self::new(exit::TRUST, id, message).hint(hint)
    }

    /// Exit 15.
    pub(crate) fn no_node(message: impl Into<String>) -> Self {
        Self::new(exit::NO_NODE, "E_NO_NODE", message)
    }

    /// Any exit code.
    pub(crate) fn with_code(code: u8, id: &str, message: impl Into<String>) -> Self {
        Self::new(code, id, message)
    }

    /// Adds advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What an error means for the program's end.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Self>() {
            Some(failure) => {
                let mut failure = failure.clone();
                failure.message = format!("{error:#}");
                failure
            }
            None => Self::failed("E_FAILED", format!("{error:#}")).hint(advice(error)),
        }
    }

    /// The last line of stderr in JSON mode.
    pub(crate) fn to_json(&self) -> String {
        let end = ExitError {
            code: self.code,
            id: &self.id,
            message: &self.message,
            hint: &self.hint,
        };
        end.to_json()
    }
}

/// What helps against a refusal of the system.
fn advice(error: &anyhow::Error) -> &'static str {
    let mut causes = error.chain();
    let kind = causes.find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    match kind {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            "free space on that disk, then run it again"
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "run it as a user who may do that, or name another place"
        }
        Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => "is the path right?",
        Some(io::ErrorKind::IsADirectory) => "name the file, not a folder",
        Some(_) | None => "",
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
