//! `log verify`: a whole log computed again, or a proof file or a checkpoint
//! checked.

use std::path::Path;

use anyhow::Context as _;
use patchmesh_content::id::hex;
use patchmesh_proto::limits::ROOT_LEN_MAX;
use patchmesh_trust::author::RootPlan;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::log::checkpoint;
use patchmesh_trust::log::head::leaf_hash;
use patchmesh_trust::log::inclusion::{self, PROOF_FILE_LEN_MAX};
use patchmesh_trust::log::note::NOTE_LEN_MAX;
use patchmesh_trust::log::tile::{CHECKPOINT_PATH, TILE_LEN_MAX, Tile};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use serde::Serialize;

use crate::args::log::LogVerifyArgs;
use crate::draft::names::Names;
use crate::draft::refusal::{self, refused};
use crate::failure::Failure;
use crate::files;
use crate::output::Output;
use crate::repository::chain::{self, Mode, Source};
use crate::repository::log::{Log, damaged, entry_of, published};
use crate::text::{push, safe};
use crate::verbs::log::cosigned::{self, Cosigned};
use crate::verbs::log::show;

#[derive(Debug, Serialize)]
struct RepositoryLog {
    what: &'static str,
    origin: String,
    size: u64,
    root: String,
    timestamp: u64,
    documents: usize,
    /// Files of the metadata folder that are not in the log: older than it, or
    /// left by a publication that was cut off.
    unlogged: Vec<String>,
    cosigned: Vec<Cosigned>,
}

#[derive(Debug, Serialize)]
struct ProvedDocument {
    what: &'static str,
    origin: String,
    size: u64,
    root: String,
    index: u64,
    kind: String,
    version: u64,
    entry: String,
    cosigned: Vec<Cosigned>,
}

#[derive(Debug, Serialize)]
struct SignedNote {
    what: &'static str,
    origin: String,
    size: u64,
    root: String,
    cosigned: Vec<Cosigned>,
}

/// Verifies.
pub(crate) fn run(args: &LogVerifyArgs, output: &Output) -> anyhow::Result<()> {
    let anchor = files::read(&args.root, ROOT_LEN_MAX)?;
    if args.path.is_dir() {
        return repository(&args.path, &anchor, &args.witness, output);
    }
    let bytes = files::read(&args.path, PROOF_FILE_LEN_MAX)?;
    if inclusion::is_proof(&bytes) {
        proof(&bytes, &anchor, &args.witness, output)
    } else {
        note(&bytes, &anchor, &args.witness, output)
    }
}

fn repository(
    path: &Path,
    anchor: &[u8],
    witnesses: &[String],
    output: &Output,
) -> anyhow::Result<()> {
    let held = chain::walk(&Source::new(path), anchor, Mode::Stored)?;
    refuse_other_network(path, anchor, &held)?;
    let own = chain::load(path)?.context("the repository has no documents")?;
    let log = Log::open(path, &own)?;
    let named = held.log_head().filter(|named| log.tree.has(named));
    let named = named.ok_or_else(|| {
        let failure = Failure::trust("E_NO_LOG", "the timestamp names no log");
        failure.hint("`patchmesh publish` begins one")
    })?;
    check_tiles(path, &log)?;
    let mut documents = 0;
    for (role, bytes) in published(&held) {
        let leaf = leaf_hash(&entry_of(&role, &bytes)?);
        let at = log.tree.position(&leaf).filter(|at| *at < named.size);
        if at.is_none() && role != RoleName::Timestamp {
            let message = format!("{role} version {} is not in the log", held.version(&role));
            let failure = Failure::trust("E_LOG_UNLOGGED", message);
            return Err(failure
                .hint("nodes do not act on what is not in the log")
                .into());
        }
        documents += usize::from(at.is_some());
    }
    let mut unlogged = show::names(path)?;
    unlogged.retain(|entry, name| {
        *name != "timestamp.json" && log.tree.position(&leaf_hash(entry)).is_none()
    });
    let top = log.tree.head();
    let signed = files::read(&path.join(CHECKPOINT_PATH), NOTE_LEN_MAX)?;
    let cosigned = cosigned::check(&signed, &log.origin, &top, witnesses)?;
    let document = RepositoryLog {
        what: "repository",
        origin: log.origin,
        size: top.size,
        root: hex(&top.root),
        timestamp: held.version(&RoleName::Timestamp),
        documents,
        unlogged: unlogged.into_values().collect(),
        cosigned,
    };
    output.document("patchmesh.log-verify/1", &document, || text(&document))
}

/// A root of another network may be signed by the same people.
fn refuse_other_network(path: &Path, anchor: &[u8], held: &Verifier) -> anyhow::Result<()> {
    let version = RootPlan::read(anchor).map(|plan| plan.version);
    let version = version.map_err(|error| refusal::author(&error, &Names::default()))?;
    let own = Source::new(path).read(&RoleName::Root, version, ROOT_LEN_MAX)?;
    let same = own.is_some_and(|own| own == anchor);
    if same || held.version(&RoleName::Root) < version {
        return Ok(());
    }
    Err(refused("the repository", Refusal::WrongNetwork).into())
}

/// Every tile and every entry, byte for byte.
fn check_tiles(path: &Path, log: &Log) -> anyhow::Result<()> {
    for tile in Tile::between(0, log.tree.size()) {
        let name = tile.path();
        let bytes = files::read_if_there(&path.join(&name), TILE_LEN_MAX)?;
        let bytes = bytes.ok_or_else(|| damaged(&format!("{name} is missing")))?;
        if tile.bytes(&log.tree) != Some(bytes) {
            return Err(damaged(&format!("{name} is not what its entries give")).into());
        }
    }
    Ok(())
}

/// Origin of the log, and the keys that sign for it.
fn signers(bytes: &[u8], anchor: &[u8]) -> anyhow::Result<(String, Vec<PublicKey>)> {
    let root = Verifier::new(anchor, &[]);
    let root = root.map_err(|refusal| refused("the root", refusal))?;
    let plan = RootPlan::read(anchor);
    let plan = plan.map_err(|error| refusal::author(&error, &Names::default()))?;
    // Only the first root names the network; a later one names the keys alone.
    let origin = if plan.version == 1 {
        checkpoint::origin(&root.mesh_id())
    } else {
        stated_origin(bytes)
    };
    let keys = plan.timestamp.keys().map(|(_, key)| key.clone());
    Ok((origin, keys.collect()))
}

fn proof(bytes: &[u8], anchor: &[u8], witnesses: &[String], output: &Output) -> anyhow::Result<()> {
    let (origin, keys) = signers(bytes, anchor)?;
    let included = inclusion::open(bytes, &origin, &keys);
    let included = included.map_err(|refusal| refused("the proof", refusal))?;
    let signed = inclusion::note_of(bytes);
    let cosigned = cosigned::check(signed, &origin, &included.head, witnesses)?;
    let document = ProvedDocument {
        what: "proof",
        origin,
        size: included.head.size,
        root: hex(&included.head.root),
        index: included.index,
        kind: included.kind,
        version: included.version,
        entry: hex(&included.entry),
        cosigned,
    };
    output.document("patchmesh.log-verify/1", &document, || {
        format!(
            "{} version {} ({}) is leaf {} of the {} of {}\n{}",
            safe(&document.kind),
            document.version,
            &document.entry[..12],
            document.index,
            document.size,
            safe(&document.origin),
            cosigned::text(&document.cosigned),
        )
    })
}

fn note(bytes: &[u8], anchor: &[u8], witnesses: &[String], output: &Output) -> anyhow::Result<()> {
    let (origin, keys) = signers(bytes, anchor)?;
    let head = checkpoint::open(bytes, &origin, &keys);
    let head = head.map_err(|refusal| refused("the checkpoint", refusal))?;
    let document = SignedNote {
        what: "checkpoint",
        cosigned: cosigned::check(bytes, &origin, &head, witnesses)?,
        origin,
        size: head.size,
        root: hex(&head.root),
    };
    output.document("patchmesh.log-verify/1", &document, || {
        format!(
            "{}: {} leaves, root {}\n{}",
            safe(&document.origin),
            document.size,
            document.root,
            cosigned::text(&document.cosigned),
        )
    })
}

/// First line of the checkpoint in a proof file.
fn stated_origin(bytes: &[u8]) -> String {
    let note = String::from_utf8_lossy(inclusion::note_of(bytes));
    note.lines().next().unwrap_or_default().to_owned()
}

fn text(document: &RepositoryLog) -> String {
    let mut text = format!(
        "{}: {} leaves, root {}\n{} documents of timestamp {} are in it; tiles, checkpoint and \
         timestamp agree\n",
        document.origin, document.size, document.root, document.documents, document.timestamp
    );
    for name in &document.unlogged {
        let name = safe(name);
        push(
            &mut text,
            format_args!("note: metadata/{name} is not in the log\n"),
        );
    }
    text.push_str(&cosigned::text(&document.cosigned));
    text
}
