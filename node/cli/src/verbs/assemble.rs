//! `assemble`: signature files in, a signed document out, or who is missing.

use serde::Serialize;

use crate::args::sign::AssembleArgs;
use crate::clock;
use crate::draft::folder::{DraftFolder, SIGNED_FILE};
use crate::draft::signature::Signature;
use crate::files::{self, MODE_PUBLIC};
use crate::output::Output;
use crate::verbs::next_step;

#[derive(Debug, Serialize)]
struct AssembleDocument {
    role: String,
    version: u64,
    statement: String,
    signed_by: Vec<SignerLine>,
    document: String,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct SignerLine {
    name: String,
    keyid: String,
}

/// Merges signatures.
pub(crate) fn run(args: &AssembleArgs, output: &Output) -> anyhow::Result<()> {
    let mut draft = DraftFolder::open(&args.draft)?;
    let authority = draft.authority()?.trusting(args.root.as_deref())?;
    draft.payload()?;
    draft.carried()?;
    let mut copies = vec![draft.statement.clone()];
    let mut signed_by = Vec::new();
    for path in &args.signatures {
        let signature = Signature::read(path)?;
        copies.push(signature.copy_of(&draft.statement, path)?);
        draft.names.insert(&signature.keyid, &signature.name);
        signed_by.push(SignerLine {
            name: signature.name,
            keyid: signature.keyid,
        });
    }
    let bytes = authority.assemble(&copies, &draft.names, clock::now())?;
    let path = draft.path.join(SIGNED_FILE);
    if !args.dry_run {
        files::write(&path, &bytes, MODE_PUBLIC)?;
        output.say(next_step::after_assembly(&draft, authority.root.as_deref()));
    }
    let document = AssembleDocument {
        role: draft.statement.role().to_string(),
        version: draft.statement.version(),
        statement: draft.hash(),
        signed_by,
        document: path.display().to_string(),
        dry_run: args.dry_run,
    };
    output.document("patchmesh.assemble/1", &document, || {
        let signers = document.signed_by.iter();
        let signers: Vec<String> = signers.map(|one| draft.names.of(&one.keyid)).collect();
        format!(
            "{} version {}: signed by {}\n{}\n",
            document.role,
            document.version,
            signers.join(", "),
            document.document
        )
    })
}
