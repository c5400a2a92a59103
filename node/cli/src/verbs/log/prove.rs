//! `log prove`: a proof file for one document.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_proto::limits::SNAPSHOT_LEN_MAX;
use patchmesh_trust::layout::{encode, metadata_path};
use patchmesh_trust::log::head::leaf_hash;
use patchmesh_trust::log::inclusion::{read_document, write};
use patchmesh_trust::log::note::NOTE_LEN_MAX;
use patchmesh_trust::log::tile::CHECKPOINT_PATH;
use patchmesh_trust::role::RoleName;
use serde::Serialize;

use crate::args::log::LogProveArgs;
use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::output::Output;
use crate::repository::chain;
use crate::text::safe;
use crate::verbs::log::show;

#[derive(Debug, Serialize)]
struct ProveDocument {
    document: String,
    version: u64,
    index: u64,
    size: u64,
    out: String,
}

/// Writes the proof.
pub(crate) fn run(args: &LogProveArgs, output: &Output) -> anyhow::Result<()> {
    let log = show::open(&args.repository)?;
    let bytes = files::read(&document_path(args)?, SNAPSHOT_LEN_MAX)?;
    let shown = safe(&args.document);
    let read = read_document(&bytes).map_err(|refusal| refused(&shown, refusal));
    let (entry, _, version) = read?;
    let index = log.tree.position(&leaf_hash(&entry)).ok_or_else(|| {
        let failure = Failure::trust("E_LOG_UNLOGGED", format!("{shown} is not in the log"));
        failure.hint("a timestamp becomes a leaf with the publication after it")
    })?;
    let size = log.tree.size();
    let path = log
        .tree
        .inclusion(index, size)
        .context("a leaf of the own tree")?;
    let note = files::read(&args.repository.join(CHECKPOINT_PATH), NOTE_LEN_MAX)?;
    let note = String::from_utf8(note).context("the checkpoint is no text")?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| default_out(args, version));
    files::write_new(
        &out,
        write(&bytes, index, &path, &note).as_bytes(),
        MODE_PUBLIC,
    )?;
    let document = ProveDocument {
        document: args.document.clone(),
        version,
        index,
        size,
        out: out.display().to_string(),
    };
    output.document("patchmesh.log-prove/1", &document, || {
        format!(
            "{}: {shown} version {version} is leaf {index} of {size}\n",
            document.out
        )
    })
}

/// A file, or the document of a role that is published now.
fn document_path(args: &LogProveArgs) -> anyhow::Result<PathBuf> {
    let path = Path::new(&args.document);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let held = chain::load(&args.repository)?;
    let role: Option<RoleName> = args.document.parse().ok();
    let version = role
        .as_ref()
        .zip(held)
        .map(|(role, held)| held.version(role));
    match (role, version) {
        (Some(role), Some(version)) if version > 0 => {
            Ok(args.repository.join(metadata_path(&role, version)))
        }
        _ => {
            let message = format!("{} is no file and no published role", safe(&args.document));
            let hint = "root, targets, snapshot, release/LINE, or a path";
            Err(Failure::failed("E_NO_DOCUMENT", message).hint(hint).into())
        }
    }
}

fn default_out(args: &LogProveArgs, version: u64) -> PathBuf {
    let name = Path::new(&args.document).file_name();
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = encode(name.trim_end_matches(".json"));
    PathBuf::from(format!("{name}-{version}.tlog-proof"))
}
