//! `verify`: a draft or a repository, offline, against a root that the user
//! trusts.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use patchmesh_proto::limits::{ROOT_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::Draft;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{TrustState, Verifier};
use patchmesh_trust::time::UtcTime;
use serde::Serialize;

use crate::args::sign::VerifyArgs;
use crate::clock;
use crate::draft::annexes;
use crate::draft::authority::Authority;
use crate::draft::change::Change;
use crate::draft::compare;
use crate::draft::folder::{DraftFolder, PACK_FILE, SIGNED_FILE, is_draft};
use crate::draft::refusal;
use crate::draft::refusal::tampered;
use crate::failure::Failure;
use crate::files;
use crate::output::{Output, Tone};
use crate::repository::chain::{self, Mode, Source};
use crate::repository::payloads;
use crate::text::{bytes, push, safe};
use crate::tree::check;
use crate::verbs::next_step;

#[derive(Debug, Serialize)]
struct DraftDocument {
    what: &'static str,
    role: String,
    version: u64,
    statement: String,
    signed_by: Vec<String>,
    pack_checked: bool,
    changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
struct RepositoryDocument {
    what: &'static str,
    mesh: String,
    root: u64,
    timestamp: u64,
    snapshot: u64,
    releases: Vec<ReleaseLine>,
    documents: Vec<DocumentLine>,
}

#[derive(Debug, Serialize)]
struct ReleaseLine {
    line: String,
    id: String,
    content: String,
    total_bytes: u64,
    wire_bytes: u64,
}

#[derive(Debug, Serialize)]
struct DocumentLine {
    role: String,
    version: u64,
    expires: String,
}

/// Verifies.
pub(crate) fn run(args: &VerifyArgs, output: &Output) -> anyhow::Result<()> {
    if is_draft(&args.path) {
        return draft(args, output);
    }
    repository(args, output)
}

fn draft(args: &VerifyArgs, output: &Output) -> anyhow::Result<()> {
    let draft = DraftFolder::open(&args.path)?;
    let mut authority = draft.authority()?.trusting(Some(&args.root))?;
    let payload = draft.payload()?;
    let mut pack_checked = false;
    if let Some(payload) = &payload {
        let path = draft.path.join(PACK_FILE);
        if let Some(pack) = check::open_pack(&path)? {
            check::pack(&payload.index, BufReader::new(pack), io::sink())?;
            check::files(&payload.index, &File::open(&path)?)?;
            pack_checked = true;
        }
    }
    let role = draft.statement.role();
    let changes = compare::draft(&draft, &authority, payload.as_ref(), &draft.carried()?)?;
    let mut copy = draft.statement.clone();
    if let Some(signed) = files::read_if_there(&draft.path.join(SIGNED_FILE), TARGETS_LEN_MAX)? {
        let signed =
            Draft::read(role, &signed).map_err(|error| refusal::author(&error, &draft.names))?;
        if signed.signing_bytes() != copy.signing_bytes() {
            return Err(tampered("signed.json is not the statement of this draft").into());
        }
        copy = signed;
    }
    if *role == RoleName::Root && copy.version() == 1 {
        refuse_other_root(&authority, &copy)?;
        authority.root = None;
    }
    authority.check_previous(role, &draft.names)?;
    output.say(compare::lines(&changes, output).trim_end());
    let signed_by: Vec<String> = copy.signatures().map(|(id, _)| id.to_owned()).collect();
    authority.assemble(&[copy], &draft.names, clock::now())?;
    let document = DraftDocument {
        what: "draft",
        role: role.to_string(),
        version: draft.statement.version(),
        statement: draft.hash(),
        signed_by,
        pack_checked,
        changes,
    };
    output.document("patchmesh.verify/1", &document, || {
        let signers = document.signed_by.iter().map(|id| draft.names.of(id));
        let signers: Vec<String> = signers.collect();
        let pack = if payload.is_none() {
            ""
        } else if pack_checked {
            "; index and pack agree with it"
        } else {
            "; the index agrees with it, the pack is not here"
        };
        let good = output.paint(Tone::Good, "good");
        let (role, version) = (&document.role, document.version);
        format!(
            "{good}: {role} version {version} signed by {}{pack}\n",
            signers.join(", ")
        )
    })
}

/// The first root has no root before it: it is right if it is the trusted one.
fn refuse_other_root(authority: &Authority, root: &Draft) -> anyhow::Result<()> {
    let trusted = authority.root.as_deref().unwrap_or_default();
    let trusted = Draft::read(&RoleName::Root, trusted);
    let same = trusted.is_ok_and(|trusted| trusted.signing_bytes() == root.signing_bytes());
    if same {
        return Ok(());
    }
    let message = "the draft is another first root than the one given with --root";
    Err(Failure::trust("E_TRUST_WRONG_NETWORK", message).into())
}

fn repository(args: &VerifyArgs, output: &Output) -> anyhow::Result<()> {
    chain::existing(&args.path)?;
    let now = clock::now();
    let anchor = files::read(&args.root, ROOT_LEN_MAX)?;
    let source = Source::new(&args.path);
    let verifier = chain::walk(&source, &anchor, Mode::Now(now))?;
    refuse_not_current(&verifier, &args.path, now)?;
    let checked = payloads::check_all(&args.path, &verifier, now)?;
    annexes::in_repository(&args.path, &verifier, Some(now))?;
    let head = verifier.head();
    let document = RepositoryDocument {
        what: "repository",
        mesh: patchmesh_content::id::hex(&verifier.mesh_id()),
        root: head.root,
        timestamp: head.timestamp,
        snapshot: head.snapshot,
        releases: checked
            .iter()
            .map(|one| ReleaseLine {
                line: one.release.line.clone(),
                id: one.release.id.clone(),
                content: one.release.content.to_hex(),
                total_bytes: one.index.total_bytes(),
                wire_bytes: one.index.wire_bytes(),
            })
            .collect(),
        documents: documents(&verifier),
    };
    output.document("patchmesh.verify/1", &document, || {
        text(&document, &args.path, output)
    })
}

fn documents(verifier: &Verifier) -> Vec<DocumentLine> {
    let all = verifier.expiries().into_iter();
    all.map(|(role, expires)| DocumentLine {
        version: verifier.version(&role),
        role: role.to_string(),
        expires: clock::shown(expires),
    })
    .collect()
}

/// A repository whose documents a node would not act on is not good.
pub(crate) fn refuse_not_current(
    verifier: &Verifier,
    repository: &Path,
    now: UtcTime,
) -> anyhow::Result<()> {
    match verifier.state(now) {
        TrustState::Current => Ok(()),
        TrustState::Bootstrapped => {
            let message = "timestamp, snapshot or targets are missing";
            Err(Failure::trust("E_TRUST_PENDING", message).into())
        }
        TrustState::Stale { .. } => Err(expired(verifier, repository, now).into()),
    }
}

fn expired(verifier: &Verifier, repository: &Path, now: UtcTime) -> Failure {
    let all = verifier.expiries().into_iter();
    let expired: Vec<_> = all.filter(|(_, expires)| *expires <= now).collect();
    let online = |role: &RoleName| matches!(role, RoleName::Snapshot | RoleName::Timestamp);
    let hint = if let Some((role, _)) = expired.iter().find(|(role, _)| !online(role)) {
        let command = next_step::renew(role, repository);
        format!("its signers must sign a new one: {command}")
    } else {
        let root = verifier.document(&RoleName::Root, None).unwrap_or_default();
        let command = next_step::publish(&[], repository, &root);
        command.unwrap_or_else(|| next_step::ONLINE_ELSEWHERE.to_owned())
    };
    let shown = expired.iter();
    let shown = shown.map(|(role, expires)| format!("{role} at {}", clock::shown(*expires)));
    let message = format!("expired: {}", shown.collect::<Vec<_>>().join(", "));
    Failure::trust("E_TRUST_EXPIRED", message).hint(hint)
}

fn text(document: &RepositoryDocument, path: &Path, output: &Output) -> String {
    let good = output.paint(Tone::Good, "good");
    let mut text = format!("{good}: {} of network {}\n", path.display(), document.mesh);
    for one in &document.documents {
        push(
            &mut text,
            format_args!(
                "  {} version {} until {}\n",
                one.role, one.version, one.expires
            ),
        );
    }
    for release in &document.releases {
        push(
            &mut text,
            format_args!(
                "  release {}/{}: {}, {} on the wire, index and pack agree\n",
                safe(&release.line),
                safe(&release.id),
                bytes(release.total_bytes),
                bytes(release.wire_bytes)
            ),
        );
    }
    text
}
