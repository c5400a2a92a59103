//! Files of a published repository that are missing, unreadable or others than
//! what was signed, as troubles that name the file.

use std::io;

use patchmesh_content::id::hex;
use patchmesh_core::message::DocumentRef;
use patchmesh_trust::refusal::Refusal;

use crate::troubles::Found;

/// What the cure is for bytes of a release. A node does not look again at a
/// pack that was broken.
const RESTORE: &str = "restore the file from the publisher's copy, or publish the release again, \
    and restart this node";

/// A file that has to be there.
pub(crate) fn missing(file: &str) -> Found {
    Found {
        code: "RepositoryMissing",
        detail: format!("{file}: there is no such file"),
        hint: RESTORE,
    }
}

/// A file that the system does not give.
pub(crate) fn unreadable(file: &str, error: &io::Error) -> Found {
    Found {
        code: "RepositoryUnreadable",
        detail: format!("{file}: {error}"),
        hint: "give the user of the node the right to read the whole folder; if the disk fails, \
            restore the file; then restart this node",
    }
}

/// A file that has other bytes.
pub(crate) fn altered(file: &str, how: &str) -> Found {
    Found {
        code: "RepositoryAltered",
        detail: format!("{file}: not what was published: {how}"),
        hint: RESTORE,
    }
}

/// A document that the verifier refused with this code.
pub(crate) fn refused(file: &str, code: &str) -> Found {
    let expired = code == Refusal::Expired.code();
    Found {
        code: "RepositoryRefused",
        detail: format!("{file}: refused as {code}"),
        hint: if expired {
            "run `patchmesh publish` again, which renews what the online key signs"
        } else {
            "restore the file from the publisher's copy, or publish again; does `trust.root` \
             belong to this repository?"
        },
    }
}

/// What a trouble with reading a document is about: one at a time for each role
/// or release, whatever the version.
pub(crate) fn about_read(document: &DocumentRef) -> String {
    match document {
        DocumentRef::Metadata { role, .. } => format!("origin read {role}"),
        DocumentRef::Index { name, .. } => format!("origin read index {name}"),
        DocumentRef::Annex { name, .. } => format!("origin read {name}"),
    }
}

/// What a trouble with the content of a document is about.
pub(crate) fn about_document(document: &DocumentRef) -> String {
    match document {
        DocumentRef::Metadata { role, .. } => format!("origin document {role}"),
        DocumentRef::Index { name, .. } => format!("origin document index {name}"),
        DocumentRef::Annex { name, .. } => format!("origin document {name}"),
    }
}

/// What a trouble with a pack is about.
pub(crate) fn about_pack(pack: &[u8; 32]) -> String {
    format!("origin pack {}", hex(pack))
}
