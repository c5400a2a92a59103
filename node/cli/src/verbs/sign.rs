//! `sign`: look, type the release id, sign.

use std::path::PathBuf;

use patchmesh_trust::threshold::RoleKeys;
use serde::Serialize;

use crate::args::sign::SignArgs;
use crate::draft::authority::Authority;
use crate::draft::change::Change;
use crate::draft::compare;
use crate::draft::folder::DraftFolder;
use crate::draft::signature::Signature;
use crate::failure::Failure;
use crate::keys::spec::{self, Signer};
use crate::output::Output;
use crate::text::{safe, short};

#[derive(Debug, Serialize)]
struct SignDocument {
    role: String,
    version: u64,
    statement: String,
    keyid: Option<String>,
    signature: Option<String>,
    changes: Vec<Change>,
    dry_run: bool,
}

/// Signs a draft with one key.
pub(crate) fn run(args: &SignArgs, output: &Output) -> anyhow::Result<()> {
    let key = spec::parse(&args.key)?;
    let draft = DraftFolder::open(&args.draft)?;
    let authority = draft.authority()?.trusting(args.root.as_deref())?;
    let payload = draft.payload()?;
    if authority.root.is_some() {
        authority.check_previous(draft.statement.role(), &draft.names)?;
    }
    let changes = compare::draft(&draft, &authority, payload.as_ref(), &draft.carried()?)?;
    Output::tell(compare::lines(&changes, output).trim_end());
    let mut document = SignDocument {
        role: draft.statement.role().to_string(),
        version: draft.statement.version(),
        statement: draft.hash(),
        keyid: None,
        signature: None,
        changes,
        dry_run: args.dry_run,
    };
    if args.dry_run {
        return print(&document, output);
    }
    spec::check(&key)?;
    let word = draft.word(payload.as_ref());
    confirm(&word, payload.is_some(), output)?;
    let signer = spec::open(key, &args.key, output)?;
    refuse_stranger(&signer, &draft, &authority)?;
    let signature = Signature::sign(&draft.statement, &signer)?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| beside(&draft, &signature.keyid));
    signature.write(&out)?;
    output.say(format!(
        "signed as {}; next: hand {} to whoever assembles",
        safe(&signer.name),
        out.display()
    ));
    document.keyid = Some(signature.keyid);
    document.signature = Some(out.display().to_string());
    print(&document, output)
}

/// The person types what they sign; there is no option that does it for them.
fn confirm(word: &str, is_release: bool, output: &Output) -> anyhow::Result<()> {
    let what = if is_release {
        "the release id"
    } else {
        "the first 8 characters of the hash"
    };
    let typed = output.ask(&format!("type {what} to sign: "))?;
    if typed == word {
        return Ok(());
    }
    let message = format!("not signed: {what} was not typed");
    let failure = Failure::failed("E_NOT_CONFIRMED", message);
    Err(failure
        .hint("look at the difference above once more")
        .into())
}

/// A signature that nobody counts would only confuse whoever assembles.
fn refuse_stranger(
    signer: &Signer,
    draft: &DraftFolder,
    authority: &Authority,
) -> anyhow::Result<()> {
    let key = signer.public_key();
    let listed = |keys: &RoleKeys| keys.keys().any(|(_, other)| *other == key);
    let lists = match authority.keys(&draft.statement) {
        Ok(lists) => lists,
        // Without root and targets in the draft, `assemble` decides.
        Err(_) if authority.root.is_none() => return Ok(()),
        Err(error) => return Err(error),
    };
    if lists.iter().any(listed) {
        return Ok(());
    }
    let message = format!(
        "{} may not sign {}",
        safe(&signer.name),
        draft.statement.role()
    );
    Err(Failure::trust("E_SIG_UNKNOWN_KEY", message).into())
}

fn beside(draft: &DraftFolder, keyid: &str) -> PathBuf {
    let name = format!("{}.{}.sig", draft.name(), short(keyid));
    draft.path.with_file_name(name)
}

fn print(document: &SignDocument, output: &Output) -> anyhow::Result<()> {
    output.document("patchmesh.sign/1", document, || match &document.signature {
        Some(signature) => format!("{signature}\n"),
        None => String::new(),
    })
}
