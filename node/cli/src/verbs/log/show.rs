//! `log show`: head and leaves, with the documents that they stand for.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use patchmesh_content::id::hex;
use patchmesh_proto::limits::SNAPSHOT_LEN_MAX;
use patchmesh_trust::log::head::Hash;
use patchmesh_trust::log::inclusion::read_document;
use serde::Serialize;

use crate::failure::Failure;
use crate::files;
use crate::output::Output;
use crate::repository::chain;
use crate::repository::log::Log;
use crate::text::{push, safe};

#[derive(Debug, Serialize)]
struct LogDocument {
    origin: String,
    size: u64,
    root: String,
    leaves: Vec<LeafLine>,
}

#[derive(Debug, Serialize)]
struct LeafLine {
    index: u64,
    /// SHA-256 of the signed part.
    entry: String,
    /// File in the metadata folder; `null` if it lies there no more.
    document: Option<String>,
}

/// Shows the log of a repository.
pub(crate) fn run(repository: &Path, last: usize, output: &Output) -> anyhow::Result<()> {
    let log = open(repository)?;
    let names = names(repository)?;
    let from = log.entries.len().saturating_sub(last);
    let leaves = log.entries.iter().enumerate().skip(from);
    let head = log.tree.head();
    let document = LogDocument {
        origin: log.origin.clone(),
        size: head.size,
        root: hex(&head.root),
        leaves: leaves
            .map(|(at, entry)| LeafLine {
                index: at as u64,
                entry: hex(entry),
                document: names.get(entry).cloned(),
            })
            .collect(),
    };
    output.document("patchmesh.log/1", &document, || text(&document))
}

/// The log of a repository that has one.
pub(crate) fn open(repository: &Path) -> anyhow::Result<Log> {
    let held = chain::load(repository)?;
    let held = held.ok_or_else(|| {
        let message = format!("{} holds no published documents", repository.display());
        Failure::failed("E_NOT_A_REPOSITORY", message)
    })?;
    let log = Log::open(repository, &held)?;
    if log.entries.is_empty() {
        let message = format!("{} has no log yet", repository.display());
        let failure = Failure::failed("E_NO_LOG", message);
        return Err(failure.hint("`patchmesh publish` begins one").into());
    }
    Ok(log)
}

/// File names in the metadata folder, by entry. What cannot be read as a
/// document has none.
pub(crate) fn names(repository: &Path) -> anyhow::Result<BTreeMap<Hash, String>> {
    let folder = repository.join("metadata");
    let failed = || format!("failed to read {}", folder.display());
    let mut names = BTreeMap::new();
    for found in folder.read_dir().with_context(failed)? {
        let found = found.with_context(failed)?;
        let name = found.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_none_or(|end| end != "json") {
            continue;
        }
        let bytes = files::read(&found.path(), SNAPSHOT_LEN_MAX)?;
        if let Ok((entry, _, _)) = read_document(&bytes) {
            names.insert(entry, name);
        }
    }
    Ok(names)
}

fn text(document: &LogDocument) -> String {
    let mut text = format!(
        "{}: {} leaves, root {}\n",
        document.origin, document.size, document.root
    );
    for leaf in &document.leaves {
        let name = leaf.document.as_deref().unwrap_or("(not here any more)");
        push(
            &mut text,
            format_args!("{:>7}  {}  {}\n", leaf.index, &leaf.entry[..12], safe(name)),
        );
    }
    text
}
