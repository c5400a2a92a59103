//! What the verifier and the author say, as ends of the program.

use patchmesh_trust::author::{AuthorError, Missing};
use patchmesh_trust::refusal::Refusal;

use crate::draft::names::Names;
use crate::failure::Failure;

/// A refusal of the verifier: exit 12 with its stable id and what to do.
pub(crate) fn refused(what: &str, refusal: Refusal) -> Failure {
    Failure::trust(refusal.id(), format!("{what} is refused as {refusal}"))
}

/// A failure of building or assembling a document.
pub(crate) fn author(error: &AuthorError, names: &Names) -> Failure {
    match error {
        AuthorError::BadPlan(_) => Failure::usage(error.to_string()),
        AuthorError::BadSignature { key_id } => {
            let message = format!("the signature of {} does not verify", names.of(key_id));
            Failure::trust("E_SIG_BAD", message)
        }
        AuthorError::LostPath { .. } => Failure::trust("E_TRUST_NOT_DELEGATED", error.to_string())
            .hint("list it in the new targets as well, or withdraw its releases first"),
        AuthorError::Missing(missing) => below(missing, names),
        AuthorError::NotSeparated { .. } => {
            Failure::trust("E_ROLES_NOT_SEPARATED", error.to_string())
                .hint("operations sign with keys of their own, which no release line lists")
        }
        AuthorError::NotADocument(refusal) => refused("the document", *refusal),
        AuthorError::OtherStatement => Failure::trust("E_OTHER_STATEMENT", error.to_string())
            .hint("sign and assemble copies of one draft"),
        AuthorError::Refused(refusal) => refused("the assembled document", *refusal),
        AuthorError::StatementTooLarge { .. } => {
            let failure = Failure::failed("E_STATEMENT_TOO_LARGE", error.to_string());
            failure.hint("drop an older release from the statement: --drop ID")
        }
        AuthorError::UnknownKey { key_id } => {
            let message = format!("{} may not sign this", names.of(key_id));
            Failure::trust("E_SIG_UNKNOWN_KEY", message)
        }
    }
}

fn below(lists: &[Missing], names: &Names) -> Failure {
    let shown: Vec<String> = lists.iter().map(|list| below_one(list, names)).collect();
    let failure = Failure::trust("E_SIG_THRESHOLD", shown.join("; and of "));
    failure.hint("each of them runs `patchmesh sign`; then assemble with all signature files")
}

fn below_one(missing: &Missing, names: &Names) -> String {
    let list = |ids: &[String]| {
        let shown: Vec<String> = ids.iter().map(|id| names.of(id)).collect();
        if shown.is_empty() {
            "nobody".to_owned()
        } else {
            shown.join(", ")
        }
    };
    format!(
        "{}: {} of {} signatures; signed by {}; missing: {} out of {}",
        missing.of,
        missing.have,
        missing.threshold,
        list(&missing.signed),
        missing.threshold.saturating_sub(missing.have),
        list(&missing.missing),
    )
}

/// Exit 12: parts of a draft do not belong together.
pub(crate) fn tampered(message: impl Into<String>) -> Failure {
    Failure::trust("E_TAMPERED", message).hint(
        "it was changed or cut: get it again from who built or published it, or build it again",
    )
}
