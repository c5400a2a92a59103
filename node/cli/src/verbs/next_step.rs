//! The command that publishes a draft, as it can be typed where the person stands:
//! repository and online key are looked for beside the draft and in the current
//! folder, and are taken only if they belong to the same root.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use patchmesh_proto::limits::ROOT_LEN_MAX;
use patchmesh_trust::author::{Draft, RootPlan};
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::draft::authority::ROOT_FILE;
use crate::draft::folder::{DraftFolder, SIGNED_FILE, is_draft};
use crate::files;
use crate::keys::public::{self, NamedKey};
use crate::text::word;

/// The online key in a ceremony folder.
const ONLINE_KEY: &str = "online.key";
/// Name of a repository that is not there yet.
const NEW_REPOSITORY: &str = "repo";
/// Folders that are looked into.
const FOLDERS_MAX: usize = 256;

/// Where the online key is not at hand: who renews what it signs.
pub(crate) const ONLINE_ELSEWHERE: &str =
    "whoever has the online key runs `patchmesh publish`, or an origin that has it renews them";

/// The command that drafts a document anew, for longer.
pub(crate) fn renew(role: &RoleName, repository: &Path) -> String {
    format!("patchmesh renew {role} --repository {}", word(repository))
}

/// How a role that has none gets its first statement.
pub(crate) fn first_statement(role: &RoleName) -> &'static str {
    match role {
        RoleName::Rollout => "patchmesh rollout approve RELEASE",
        RoleName::Membership => "patchmesh membership keys",
        RoleName::Root
        | RoleName::Timestamp
        | RoleName::Snapshot
        | RoleName::Targets
        | RoleName::Line(_)
        | RoleName::Delegated(_) => "patchmesh release build",
    }
}

/// What to do with an assembled draft of a network with this root.
pub(crate) fn after_assembly(draft: &DraftFolder, root: Option<&[u8]>) -> String {
    let batch = batch(&draft.path);
    if let Some(open) = batch.iter().find(|path| !path.join(SIGNED_FILE).is_file()) {
        return format!(
            "next: {} has to be signed and assembled too",
            open.display()
        );
    }
    let paths: Vec<&Path> = batch.iter().map(PathBuf::as_path).collect();
    let next = next_root(&paths);
    let is_first = next.as_ref().is_some_and(|next| next.version() == 1);
    let next = next.map(|next| next.bytes());
    let folders = folders(&draft.path);
    let key = next.as_deref().or(root);
    let key = key.and_then(|root| online_key(&draft.path, root));
    let repository = folders.iter().find(|folder| is_repository_of(folder, root));
    let command = match (key, repository) {
        (Some(key), Some(repository)) => Some(command(&paths, repository, &key)),
        (Some(key), None) => first_command(&paths, is_first, root, &key, &folders),
        (None, _) => None,
    };
    command.map_or_else(
        || elsewhere(&draft.path),
        |command| format!("next: {command}"),
    )
}

/// Into a new repository, together with what it begins with.
fn first_command(
    paths: &[&Path],
    is_first: bool,
    root: Option<&[u8]>,
    key: &Path,
    folders: &[PathBuf],
) -> Option<String> {
    let repository = new_repository()?;
    if is_first {
        return Some(command(paths, &repository, key));
    }
    // A draft carries the root too.
    let mut ceremonies = folders.iter().filter(|folder| !is_draft(folder));
    let ceremony = ceremonies.find(|folder| is_root_of(folder, root))?;
    let all: Vec<&Path> = [ceremony.as_path()].iter().chain(paths).copied().collect();
    Some(command(&all, &repository, key))
}

/// The drafts that are published at once with this one: those of a ceremony, and
/// those that replace a key, lie beside each other under the names of their roles.
fn batch(draft: &Path) -> Vec<PathBuf> {
    let beside = draft.parent().unwrap_or_else(|| Path::new("."));
    let all = [
        "root.draft",
        "targets.draft",
        "rollout.draft",
        "membership.draft",
    ];
    let mut names: Vec<_> = all.map(OsString::from).into();
    let shown = if beside.as_os_str().is_empty() {
        Path::new(".")
    } else {
        beside
    };
    let entries = fs::read_dir(shown).into_iter().flatten().flatten();
    let mut lines: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    lines.retain(|name| name.to_string_lossy().starts_with("release-"));
    lines.sort();
    names.extend(lines);
    let drafts = names.iter().map(|name| beside.join(name));
    let drafts: Vec<_> = drafts.filter(|path| is_draft(path)).collect();
    if drafts.iter().any(|path| path == draft) {
        drafts
    } else {
        vec![draft.to_owned()]
    }
}

/// The root among drafts.
fn next_root(paths: &[&Path]) -> Option<Draft> {
    let drafts = paths.iter().filter_map(|path| DraftFolder::open(path).ok());
    let mut statements = drafts.map(|draft| draft.statement);
    statements.find(|statement| *statement.role() == RoleName::Root)
}

/// The command that publishes drafts, or without any renews what the online key
/// signs; `None` where the online key of this root is not here.
pub(crate) fn publish(paths: &[&Path], repository: &Path, root: &[u8]) -> Option<String> {
    let ceremony = online_key(repository, root)?;
    Some(command(paths, repository, &ceremony))
}

/// The folder beside a path, or in the current one, with the online key that a
/// root names.
fn online_key(path: &Path, root: &[u8]) -> Option<PathBuf> {
    let plan = RootPlan::read(root).ok()?;
    let has_key = |folder: &PathBuf| {
        let file = folder.join(ONLINE_KEY);
        let public = NamedKey::read(&public::path_of(&file));
        let listed = |key| plan.timestamp.keys().any(|(_, other)| *other == key);
        file.is_file() && public.is_ok_and(|public| listed(public.key))
    };
    let beside = path.parent().map(Path::to_owned);
    beside.into_iter().chain(folders(path)).find(has_key)
}

fn command(paths: &[&Path], repository: &Path, ceremony: &Path) -> String {
    let mut words = vec!["patchmesh publish".to_owned()];
    words.extend(paths.iter().map(|path| word(path)));
    let key = word(&PathBuf::from(format!(
        "file:{}",
        ceremony.join(ONLINE_KEY).display()
    )));
    let repository = word(repository);
    words.push(format!("--repository {repository} --key {key}"));
    words.join(" ")
}

/// The online key is not here: then no command would run here.
fn elsewhere(draft: &Path) -> String {
    format!(
        "next: whoever has the repository and its online key publishes {}; `patchmesh publish \
         --help` says how",
        draft.display()
    )
}

fn new_repository() -> Option<PathBuf> {
    let path = PathBuf::from(NEW_REPOSITORY);
    path.symlink_metadata().is_err().then_some(path)
}

/// Folders beside the draft and in the current one, as a person would write them.
fn folders(draft: &Path) -> Vec<PathBuf> {
    let beside = draft.parent().filter(|path| !path.as_os_str().is_empty());
    let mut found = Vec::new();
    for place in [Some(Path::new("")), beside].into_iter().flatten() {
        let shown = if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            place
        };
        let entries = fs::read_dir(shown).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.path().is_dir());
        let mut here: Vec<_> = folders.map(|entry| place.join(entry.file_name())).collect();
        here.truncate(FOLDERS_MAX);
        here.sort();
        found.extend(here);
    }
    found
}

fn is_root_of(folder: &Path, root: Option<&[u8]>) -> bool {
    root.is_some_and(|root| holds(&folder.join(ROOT_FILE), root))
}

fn is_repository_of(folder: &Path, root: Option<&[u8]>) -> bool {
    let version = root.and_then(|root| RootPlan::read(root).ok());
    let path = version.map(|plan| metadata_path(&RoleName::Root, plan.version));
    root.zip(path)
        .is_some_and(|(root, path)| holds(&folder.join(path), root))
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    matches!(files::read_if_there(path, ROOT_LEN_MAX), Ok(Some(held)) if held == bytes)
}
