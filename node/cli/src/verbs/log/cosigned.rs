//! Which of the named witnesses have cosigned a checkpoint.

use patchmesh_content::id::hex;
use patchmesh_trust::log::cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::note::Note;
use patchmesh_trust::refusal::Refusal;
use serde::Serialize;

use crate::clock;
use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::keys::node;
use crate::text::{push, safe};

/// A cosignature that holds.
#[derive(Debug, Serialize)]
pub(crate) struct Cosigned {
    /// The node.
    pub(crate) witness: String,
    /// When, as its clock says.
    pub(crate) at: String,
}

/// Checks that each of these nodes has cosigned the head by a line of this note.
pub(crate) fn check(
    bytes: &[u8],
    origin: &str,
    head: &LogHead,
    witnesses: &[String],
) -> anyhow::Result<Vec<Cosigned>> {
    let note = Note::read(bytes).map_err(|refusal| refused("the checkpoint", refusal))?;
    let mut cosigned = Vec::new();
    for text in witnesses {
        let witness = node::read(text).ok_or_else(|| {
            let failure = Failure::usage(format!("{} names no node", safe(text)));
            failure.hint("its 64 digits, its PeerId, or an address that ends with it")
        })?;
        let at = match cosignature::on_note(&note, &witness, origin, head) {
            Ok(at) => clock::shown(at),
            Err(Refusal::UnknownKey) => return Err(missing(&witness).into()),
            Err(refusal) => return Err(refused("the cosignature", refusal).into()),
        };
        let witness = hex(&witness);
        cosigned.push(Cosigned { witness, at });
    }
    Ok(cosigned)
}

fn missing(witness: &[u8; 32]) -> Failure {
    let message = format!("{} has not cosigned the checkpoint", hex(witness));
    let failure = Failure::trust("E_LOG_UNCOSIGNED", message);
    failure.hint("`patchmesh status --json` at a node has the line of each witness")
}

/// The lines for people.
pub(crate) fn text(cosigned: &[Cosigned]) -> String {
    let mut text = String::new();
    for one in cosigned {
        let (witness, at) = (&one.witness, &one.at);
        push(&mut text, format_args!("cosigned by {witness} at {at}\n"));
    }
    text
}
