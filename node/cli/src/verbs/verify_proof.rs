//! `verify-proof`: a proof that a role was signed twice, with nothing but a
//! root.

use patchmesh_content::id::hex;
use patchmesh_proto::limits::{PROOF_LEN_MAX, ROOT_LEN_MAX};
use patchmesh_trust::author::Draft;
use patchmesh_trust::state::equivocation::Equivocation;
use serde::Serialize;

use crate::args::sign::VerifyProofArgs;
use crate::clock;
use crate::draft::change::Change;
use crate::draft::compare;
use crate::draft::names::Names;
use crate::draft::refusal::{self, refused};
use crate::files;
use crate::output::{Output, Tone};
use crate::text::push;

#[derive(Debug, Serialize)]
struct ProofDocument {
    role: String,
    version: u64,
    /// Version of the root by which it was judged.
    root: u64,
    documents: Vec<Twin>,
    /// Heads of two logs that cannot both be true; `null` where one version was
    /// signed twice.
    split: Option<[LogLine; 2]>,
    changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
struct LogLine {
    size: u64,
    root: String,
}

#[derive(Debug, Serialize)]
struct Twin {
    /// SHA-256 of the signed part.
    sha256: String,
    expires: String,
    signed_by: Vec<String>,
}

/// Checks and shows a proof.
pub(crate) fn run(args: &VerifyProofArgs, output: &Output) -> anyhow::Result<()> {
    let bytes = files::read(&args.proof, PROOF_LEN_MAX)?;
    let anchor = files::read(&args.root, ROOT_LEN_MAX)?;
    let proof = Equivocation::check(&anchor, &bytes);
    let proof = proof.map_err(|error| refused("the proof", error))?;
    let names = args.root.parent().map(Names::in_folder).unwrap_or_default();
    let mut documents = Vec::new();
    for (bytes, digest) in proof.documents().into_iter().zip(proof.digests()) {
        let draft = Draft::read(proof.role(), bytes);
        let draft = draft.map_err(|error| refusal::author(&error, &names))?;
        documents.push(Twin {
            sha256: hex(&digest),
            expires: clock::shown(draft.expires()),
            signed_by: draft.signatures().map(|(id, _)| names.of(id)).collect(),
        });
    }
    let document = ProofDocument {
        role: proof.role().to_string(),
        version: proof.version(),
        root: proof.root_version(),
        documents,
        split: proof.split().map(|heads| {
            heads.map(|head| LogLine {
                size: head.size,
                root: hex(&head.root),
            })
        }),
        changes: compare::documents(proof.role(), proof.documents(), &names)?,
    };
    output.document("patchmesh.proof/1", &document, || text(&document, output))
}

fn text(document: &ProofDocument, output: &Output) -> String {
    let proved = output.paint(Tone::Bad, "proved");
    let mut text = match &document.split {
        None => format!(
            "{proved}: two different documents were signed as {} version {}, by the keys of \
             root {}\n",
            document.role, document.version, document.root
        ),
        Some([first, second]) => format!(
            "{proved}: the log was split: two timestamps up to version {}, signed by the keys of \
             root {}, name logs that cannot both be true: {} leaves with root {}, {} leaves with \
             root {}\n",
            document.version, document.root, first.size, first.root, second.size, second.root
        ),
    };
    for one in &document.documents {
        push(
            &mut text,
            format_args!(
                "  {} until {}, signed by {}\n",
                one.sha256,
                one.expires,
                one.signed_by.join(", ")
            ),
        );
    }
    text.push_str("the second differs from the first:\n");
    text.push_str(&compare::lines(&document.changes, output));
    text
}
