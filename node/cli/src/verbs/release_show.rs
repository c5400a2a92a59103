//! `release show`, `release diff`.

use std::path::Path;

use patchmesh_content::index::{FileKind, ReleaseIndex};
use patchmesh_trust::author::ReleaseEntry;
use serde::Serialize;

use crate::draft::change::Change;
use crate::draft::compare;
use crate::draft::folder::read_index;
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::output::Output;
use crate::text::{push, safe};

#[derive(Debug, Serialize)]
struct ShowDocument {
    action: &'static str,
    line: String,
    id: String,
    severity: String,
    cves: Vec<String>,
    content: String,
    sha256: String,
    pack: String,
    total_bytes: u64,
    wire_bytes: u64,
    index_bytes: u64,
    chunks: u32,
    entries: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine>,
}

#[derive(Debug, Serialize)]
struct FileLine {
    path: String,
    mode: String,
    kind: &'static str,
    bytes: u64,
    sha256: Option<String>,
    target: Option<String>,
}

/// Shows one release.
pub(crate) fn show(path: &Path, files: bool, output: &Output) -> anyhow::Result<()> {
    let (index, bytes) = read_index(path)?;
    let (_, entry) = ReleaseEntry::of_index(&bytes)
        .map_err(|error| refusal::author(&error, &Names::default()))?;
    let document = ShowDocument {
        action: "show",
        line: index.line.clone(),
        id: index.id.clone(),
        severity: index.severity.clone(),
        cves: index.cves.clone(),
        content: entry.content.to_hex(),
        sha256: patchmesh_content::id::hex(&entry.sha256),
        pack: patchmesh_content::id::hex(&index.pack),
        total_bytes: index.total_bytes(),
        wire_bytes: index.wire_bytes(),
        index_bytes: entry.len,
        chunks: index.chunks_len(),
        entries: index.files.len() as u64,
        files: if files {
            file_lines(&index)
        } else {
            Vec::new()
        },
    };
    output.document("patchmesh.release/1", &document, || {
        let mut facts = Vec::new();
        compare::facts(&index, &mut facts);
        let mut text = format!("{}/{}\n", safe(&index.line), safe(&index.id));
        text.push_str(&compare::lines(&facts, output));
        push(&mut text, format_args!("  content: {}\n", document.content));
        if files {
            for file in &index.files {
                push(&mut text, format_args!("  {}\n", compare::shown(file)));
            }
        }
        text
    })
}

fn file_lines(index: &ReleaseIndex) -> Vec<FileLine> {
    let line = |file: &patchmesh_content::index::FileEntry| {
        let (kind, sha256, target) = match &file.kind {
            FileKind::Directory => ("folder", None, None),
            FileKind::File { sha256, .. } => {
                ("file", Some(patchmesh_content::id::hex(sha256)), None)
            }
            FileKind::Link(target) => ("link", None, Some(target.clone())),
        };
        FileLine {
            path: file.path.clone(),
            mode: format!("{:04o}", file.mode),
            kind,
            bytes: file.len(),
            sha256,
            target,
        }
    };
    index.files.iter().map(line).collect()
}

#[derive(Debug, Serialize)]
struct DiffDocument {
    action: &'static str,
    old: String,
    new: String,
    changes: Vec<Change>,
}

/// Compares two releases.
pub(crate) fn diff(old: &Path, new: &Path, output: &Output) -> anyhow::Result<()> {
    let (old, _) = read_index(old)?;
    let (new, _) = read_index(new)?;
    let name = |index: &ReleaseIndex| format!("{}/{}", index.line, index.id);
    let document = DiffDocument {
        action: "diff",
        old: name(&old),
        new: name(&new),
        changes: compare::file_changes(&old, &new),
    };
    output.document("patchmesh.release/1", &document, || {
        compare::lines(&document.changes, output)
    })
}
