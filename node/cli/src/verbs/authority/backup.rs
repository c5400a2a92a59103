//! `backup create`, `backup verify`, `backup restore`.

use std::path::Path;

use patchmesh_trust::author::{RootPlan, TargetsPlan};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use serde::Serialize;

use crate::args::backup::{BackupVerb, BackupVerifyArgs};
use crate::backup::file::{Backup, BackupFile, is_key, kind};
use crate::backup::folder::{self, lay};
use crate::backup::scratch::Scratch;
use crate::draft::authority::{Authority, all_roles};
use crate::draft::names::Names;
use crate::draft::new_folder::NewFolder;
use crate::draft::refusal::{self, refused};
use crate::failure::Failure;
use crate::files;
use crate::keys::public::{self, NamedKey};
use crate::keys::{passphrase, pem};
use crate::output::{Output, Tone};
use crate::text::{count, push, safe, word};

/// Longest file that is compared; no file of a ceremony is longer.
const FILE_LEN_MAX: usize = crate::backup::file::TOTAL_LEN_MAX;

#[derive(Debug, Serialize)]
struct BackupDocument {
    action: &'static str,
    place: String,
    files: Vec<FileLine>,
    left_out: Vec<String>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct FileLine {
    name: String,
    /// `document`, `opened`, `not opened`, or nothing.
    state: &'static str,
    /// Roles for which a key signs.
    roles: Vec<String>,
}

/// Backs up.
pub(crate) fn run(verb: &BackupVerb, output: &Output) -> anyhow::Result<()> {
    match verb {
        BackupVerb::Create {
            folder,
            out,
            dry_run,
        } => create(folder, out, *dry_run, output),
        BackupVerb::Restore {
            backup,
            out,
            dry_run,
        } => restore(backup, out, *dry_run, output),
        BackupVerb::Verify(args) => verify(args, output),
    }
}

fn create(from: &Path, out: &Path, dry_run: bool, output: &Output) -> anyhow::Result<()> {
    files::refuse_existing(out)?;
    let found = folder::read(from)?;
    let backup = Backup::new(found.files);
    if !dry_run {
        backup.write(out)?;
        output.say(format!(
            "next: patchmesh backup verify {0} --against {1}; then keep {0} elsewhere",
            word(out),
            word(from)
        ));
    }
    let document = BackupDocument {
        action: "create",
        place: out.display().to_string(),
        files: backup.files.iter().map(plain).collect(),
        left_out: found.left_out,
        dry_run,
    };
    print(&document, output)
}

fn restore(from: &Path, out: &Path, dry_run: bool, output: &Output) -> anyhow::Result<()> {
    files::refuse_existing(out)?;
    let backup = Backup::read(from)?;
    for file in &backup.files {
        file.bytes()?;
    }
    if !dry_run {
        let made = NewFolder::begin(out)?;
        lay(&backup.files, made.place())?;
        made.finish()?;
    }
    let document = BackupDocument {
        action: "restore",
        place: out.display().to_string(),
        files: backup.files.iter().map(plain).collect(),
        left_out: Vec::new(),
        dry_run,
    };
    print(&document, output)
}

fn verify(args: &BackupVerifyArgs, output: &Output) -> anyhow::Result<()> {
    let backup = Backup::read(&args.backup)?;
    let named = |name: &String| backup.files.iter().any(|file| file.name == *name);
    if let Some(name) = args.skip.iter().find(|name| !named(name)) {
        let message = format!("the backup has no file {}", safe(name));
        return Err(Failure::usage(message).into());
    }
    let scratch = Scratch::new()?;
    lay(&backup.files, scratch.path())?;
    let roles = documents(scratch.path())?;
    let mut lines = Vec::new();
    for file in &backup.files {
        same(file, scratch.path())?;
        if let Some(other) = &args.against {
            same(file, other)?;
        }
        lines.push(check(file, scratch.path(), &roles, args, output)?);
    }
    if let Some(other) = &args.against {
        nothing_missing(&backup, other)?;
    }
    let document = BackupDocument {
        action: "verify",
        place: args.backup.display().to_string(),
        files: lines,
        left_out: Vec::new(),
        dry_run: false,
    };
    print(&document, output)
}

/// The file in a folder has the bytes of the backup.
fn same(file: &BackupFile, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(&file.name);
    let there = files::read_if_there(&path, FILE_LEN_MAX)?;
    if there.is_some_and(|bytes| file.bytes().is_ok_and(|own| own == bytes)) {
        return Ok(());
    }
    let message = format!("{} is not what the backup holds", path.display());
    Err(Failure::failed("E_BACKUP_DIFFERS", message).into())
}

/// The folder has no file that the backup lacks.
fn nothing_missing(backup: &Backup, folder: &Path) -> anyhow::Result<()> {
    let found = folder::read(folder)?;
    let lacks = |name: &str| backup.files.iter().all(|file| file.name != name);
    if let Some(file) = found.files.iter().find(|file| lacks(&file.name)) {
        let message = format!("the backup lacks {}", safe(&file.name));
        return Err(Failure::failed("E_BACKUP_DIFFERS", message).into());
    }
    Ok(())
}

/// Who signs for what, by documents whose signatures hold.
fn documents(folder: &Path) -> anyhow::Result<Vec<(String, RoleKeys)>> {
    let authority = Authority::in_folder(folder)?;
    let names = Names::in_folder(folder);
    let author = |error| refusal::author(&error, &names);
    let Some(root) = &authority.root else {
        return Ok(Vec::new());
    };
    Verifier::new(root, &[]).map_err(|error| refused("root.json", error))?;
    let plan = RootPlan::read(root).map_err(author)?;
    Authority::check_targets(Some(root), authority.targets.as_ref(), &names)?;
    let targets = authority.targets.as_deref().map(TargetsPlan::read);
    Ok(all_roles(
        plan,
        targets.transpose().map_err(author)?.as_ref(),
    ))
}

fn check(
    file: &BackupFile,
    folder: &Path,
    roles: &[(String, RoleKeys)],
    args: &BackupVerifyArgs,
    output: &Output,
) -> anyhow::Result<FileLine> {
    let mut line = plain(file);
    let path = folder.join(&file.name);
    if kind(&file.name) == "pub" {
        line.roles = roles_of(&NamedKey::read(&path)?.key, roles);
    }
    if !is_key(&file.name) {
        return Ok(line);
    }
    pem::read(&path)?;
    if args.skip.contains(&file.name) {
        line.state = "not opened";
        return Ok(line);
    }
    let passphrase = passphrase::existing(&args.passphrase, &file.name, output)?;
    let key = pem::open(&path, &passphrase)?.public_key();
    let beside = public::path_of(&path);
    if beside.exists() && NamedKey::read(&beside)?.key != key {
        let message = format!("{} is not the key of its public half", safe(&file.name));
        return Err(Failure::failed("E_BACKUP_DIFFERS", message).into());
    }
    line.state = "opened";
    line.roles = roles_of(&key, roles);
    Ok(line)
}

fn roles_of(key: &PublicKey, roles: &[(String, RoleKeys)]) -> Vec<String> {
    let has = |keys: &RoleKeys| keys.keys().any(|(_, other)| other == key);
    let own = roles.iter().filter(|(_, keys)| has(keys));
    own.map(|(role, _)| role.clone()).collect()
}

fn plain(file: &BackupFile) -> FileLine {
    FileLine {
        name: file.name.clone(),
        state: if is_key(&file.name) { "" } else { "document" },
        roles: Vec::new(),
    }
}

fn print(document: &BackupDocument, output: &Output) -> anyhow::Result<()> {
    output.document("patchmesh.backup/1", document, || text(document, output))
}

fn text(document: &BackupDocument, output: &Output) -> String {
    let mut text = String::new();
    for file in &document.files {
        push(&mut text, format_args!("  {}", safe(&file.name)));
        if !file.state.is_empty() && file.state != "document" {
            push(&mut text, format_args!("  {}", file.state));
        }
        if !file.roles.is_empty() {
            push(&mut text, format_args!("  signs {}", file.roles.join(", ")));
        }
        text.push('\n');
    }
    for name in &document.left_out {
        push(&mut text, format_args!("  left out: {}\n", safe(name)));
    }
    let good = output.paint(Tone::Good, "good");
    let files = count(document.files.len() as u64, "file");
    let place = &document.place;
    let end = match document.action {
        "verify" => format!("{good}: {place} restores {files} byte for byte"),
        "restore" => format!("{place}: {files}"),
        _ => format!("{place}: {files}, of which keys are encrypted"),
    };
    push(&mut text, format_args!("{end}\n"));
    text
}
