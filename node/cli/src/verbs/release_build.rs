//! `release build`: a folder becomes a draft.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_pack::plan::ReleaseFacts;
use patchmesh_proto::limits::STATEMENT_LEN_MAX;
use patchmesh_trust::author::{Draft, LinePlan, ReleaseEntry};
use patchmesh_trust::role::{RoleName, is_release_id};
use serde::Serialize;

use crate::args::release::ReleaseBuildArgs;
use crate::clock;
use crate::draft::authority::{Authority, next_line, refuse_bad_line};
use crate::draft::folder::{DraftFolder, INDEX_FILE, PACK_FILE, PREVIOUS_INDEX_FILE, to_be_signed};
use crate::draft::names::Names;
use crate::draft::new_folder::NewFolder;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC, Writing};
use crate::output::Output;
use crate::repository::{chain, payloads};
use crate::text::{bytes, count, safe};
use crate::tree::progress::Progress;
use crate::tree::walk::{Entry, Kind};
use crate::tree::{cut, walk};

#[derive(Debug, Serialize)]
struct BuildDocument {
    action: &'static str,
    draft: String,
    line: String,
    id: String,
    version: u64,
    content: String,
    files: u64,
    total_bytes: u64,
    wire_bytes: u64,
    chunks: u32,
    index_bytes: u64,
    signed_bytes: u64,
    dry_run: bool,
}

/// Who may sign, and what was signed before.
struct Ground {
    authority: Authority,
    names: Names,
    /// Index of a release that is active now.
    older: Option<ReleaseIndex>,
}

/// A built release and the statement that lists it.
struct Built {
    statement: Draft,
    entry: ReleaseEntry,
    index: ReleaseIndex,
}

/// Builds a draft.
pub(crate) fn run(args: &ReleaseBuildArgs, output: &Output) -> anyhow::Result<()> {
    check(args)?;
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.draft", args.id)));
    files::refuse_existing(&out)?;
    refuse_inside(&args.path, &out)?;
    let ground = ground(args)?;
    ground.authority.refuse_undelegated(&args.line)?;
    let previous = ground.authority.previous.as_deref();
    let (before, version) = next_line(&args.line, previous)?;
    let kept = kept(args, before.as_ref())?;
    let entries = walk::walk(&args.path)?;
    if args.dry_run {
        let index = build(args, &entries, io::sink(), output)?;
        let built = statement(args, kept, version, index)?;
        return print(args, &out, &built, output);
    }
    let made = NewFolder::begin(&out)?;
    let folder = made.place();
    let pack_path = folder.join(PACK_FILE);
    let failed = || format!("failed to write {}", pack_path.display());
    let mut writing = Writing::begin(&pack_path, MODE_PUBLIC).with_context(failed)?;
    let index = build(args, &entries, BufWriter::new(&mut writing.file), output)?;
    writing.finish().with_context(failed)?;
    let built = statement(args, kept, version, index)?;
    files::write_new(&folder.join(INDEX_FILE), &built.index.encode(), MODE_PUBLIC)?;
    if let Some(older) = &ground.older {
        let path = folder.join(PREVIOUS_INDEX_FILE);
        files::write_new(&path, &older.encode(), MODE_PUBLIC)?;
    }
    DraftFolder::write(folder, &built.statement, &ground.authority, &ground.names)?;
    made.finish()?;
    output.say(to_be_signed(&out));
    print(args, &out, &built, output)
}

fn check(args: &ReleaseBuildArgs) -> anyhow::Result<()> {
    refuse_bad_line(&args.line)?;
    if !is_release_id(&args.id) {
        let failure = Failure::usage(format!("{} is no release id", safe(&args.id)));
        let hint = "letters, digits, dot, dash, underscore; at most 48";
        return Err(failure.hint(hint).into());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let words = args.cves.iter().chain([&args.severity]);
    for word in words {
        if word.len() > 32 || !word.chars().all(plain) {
            let failure = Failure::usage(format!("{} is no plain word", safe(word)));
            return Err(failure
                .hint("letters, digits and dashes, at most 32")
                .into());
        }
    }
    Ok(())
}

/// A draft inside the folder that it is made of would be part of the next one.
fn refuse_inside(folder: &Path, out: &Path) -> anyhow::Result<()> {
    let beside = out.parent().filter(|path| !path.as_os_str().is_empty());
    let beside = beside.unwrap_or_else(|| Path::new("."));
    let (Ok(folder), Ok(beside)) = (folder.canonicalize(), beside.canonicalize()) else {
        return Ok(());
    };
    if folder.is_dir() && beside.starts_with(&folder) {
        let failure = Failure::usage("the draft would lie inside the folder that is released");
        return Err(failure.hint("choose another place with --out").into());
    }
    Ok(())
}

fn ground(args: &ReleaseBuildArgs) -> anyhow::Result<Ground> {
    let role = RoleName::Line(args.line.clone());
    if let Some(repository) = &args.repository {
        let verifier = chain::existing(repository)?;
        let authority = chain::authority(&verifier, &role);
        let releases = verifier.releases(clock::now());
        let mut same_line = releases.iter().filter(|release| release.line == args.line);
        let older = same_line.next_back();
        let older = older
            .map(|release| payloads::index(repository, release))
            .transpose()?;
        return Ok(Ground {
            authority,
            names: Names::in_folder(repository),
            older: older.map(|index| (*index).clone()),
        });
    }
    let mut ground = Ground {
        authority: Authority::default(),
        names: Names::default(),
        older: None,
    };
    if let Some(folder) = &args.authority {
        ground.authority = Authority::in_folder(folder)?;
        ground.names = Names::in_folder(folder);
    }
    ground.authority.previous = match &args.previous {
        Some(path) => Some(files::read(path, STATEMENT_LEN_MAX)?),
        None => None,
    };
    ground.authority.check_previous(&role, &ground.names)?;
    Ok(ground)
}

/// The releases that stay active beside the new one.
fn kept(args: &ReleaseBuildArgs, before: Option<&LinePlan>) -> anyhow::Result<Vec<ReleaseEntry>> {
    let active = before.map(|plan| plan.releases.clone()).unwrap_or_default();
    let ids = || {
        let ids: Vec<&str> = active.iter().map(|entry| entry.id.as_str()).collect();
        if ids.is_empty() {
            "none is active".to_owned()
        } else {
            format!("active: {}", ids.join(", "))
        }
    };
    for drop in &args.drops {
        if active.iter().all(|entry| entry.id != *drop) {
            let message = format!("{} is not active in {}", safe(drop), args.line);
            return Err(Failure::usage(message).hint(ids()).into());
        }
    }
    if active.iter().any(|entry| entry.id == args.id) {
        let message = format!("{} is active in {} already", args.id, args.line);
        return Err(Failure::usage(message)
            .hint("a changed release has a new id")
            .into());
    }
    let stays = |entry: &ReleaseEntry| !args.drops.contains(&entry.id);
    Ok(active
        .iter()
        .filter(|entry| stays(entry))
        .cloned()
        .collect())
}

fn build(
    args: &ReleaseBuildArgs,
    entries: &[Entry],
    pack: impl Write,
    output: &Output,
) -> anyhow::Result<ReleaseIndex> {
    let len = |entry: &Entry| match entry.kind {
        Kind::File { len, .. } => len,
        Kind::Directory | Kind::Link(_) => 0,
    };
    let total = entries.iter().map(len).sum();
    let mut progress = Progress::begin(output, "build", total);
    let facts = ReleaseFacts {
        line: args.line.clone(),
        id: args.id.clone(),
        severity: args.severity.clone(),
        cves: args.cves.clone(),
    };
    cut::build(entries, facts, args.level, pack, &mut progress)
}

fn statement(
    args: &ReleaseBuildArgs,
    mut releases: Vec<ReleaseEntry>,
    version: u64,
    index: ReleaseIndex,
) -> anyhow::Result<Built> {
    let author = |error| refusal::author(&error, &Names::default());
    let (_, entry) = ReleaseEntry::of_index(&index.encode()).map_err(author)?;
    releases.push(entry.clone());
    let plan = LinePlan {
        line: args.line.clone(),
        version,
        expires: clock::now().plus_days(i64::from(args.expires)),
        releases,
    };
    Ok(Built {
        statement: plan.build().map_err(author)?,
        entry,
        index,
    })
}

fn print(
    args: &ReleaseBuildArgs,
    out: &Path,
    built: &Built,
    output: &Output,
) -> anyhow::Result<()> {
    let Built {
        statement,
        entry,
        index,
    } = built;
    let document = BuildDocument {
        action: "build",
        draft: out.display().to_string(),
        line: args.line.clone(),
        id: args.id.clone(),
        version: statement.version(),
        content: entry.content.to_hex(),
        files: index.files.len() as u64,
        total_bytes: index.total_bytes(),
        wire_bytes: index.wire_bytes(),
        chunks: index.chunks_len(),
        index_bytes: entry.len,
        signed_bytes: statement.signing_bytes().len() as u64,
        dry_run: args.dry_run,
    };
    output.document("patchmesh.release/1", &document, || {
        format!(
            "{}/{}  statement version {}  {} signed bytes\n\
             {} in {}, {} on the wire in {}, index {}\n\
             content {}\ndraft   {}\n",
            document.line,
            document.id,
            document.version,
            document.signed_bytes,
            bytes(document.total_bytes),
            count(document.files, "path"),
            bytes(document.wire_bytes),
            count(u64::from(document.chunks), "chunk"),
            bytes(document.index_bytes),
            document.content,
            document.draft,
        )
    })
}
