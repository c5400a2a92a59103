//! The command that publishes a draft, as it can be typed where the person stands:
//! repository and online key are looked for beside the draft and in the current
//! folder, and are taken only if they belong to the same root.

use std::fs;
use std::path::{Path, PathBuf};

use patchmesh_proto::limits::ROOT_LEN_MAX;
use patchmesh_trust::author::RootPlan;
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::draft::authority::ROOT_FILE;
use crate::draft::folder::{DraftFolder, SIGNED_FILE, is_draft};
use crate::files;

/// The online key in a ceremony folder.
const ONLINE_KEY: &str = "online.key";
/// Name of a repository that is not there yet.
const NEW_REPOSITORY: &str = "repo";
/// Folders that are looked into.
const FOLDERS_MAX: usize = 256;

/// What to do with an assembled draft of a network with this root.
pub(crate) fn after_assembly(draft: &DraftFolder, root: Option<&[u8]>) -> String {
    match draft.statement.role() {
        RoleName::Root | RoleName::Targets => after_ceremony(&draft.path, root),
        RoleName::Line(_) | RoleName::Timestamp | RoleName::Snapshot | RoleName::Delegated(_) => {
            after_release(&draft.path, root)
        }
    }
}

fn after_release(draft: &Path, root: Option<&[u8]>) -> String {
    let folders = folders(draft);
    let ceremony = folders
        .iter()
        .find(|folder| folder.join(ONLINE_KEY).is_file() && is_root_of(folder, root));
    let repository = folders.iter().find(|folder| is_repository_of(folder, root));
    match (ceremony, repository) {
        (Some(ceremony), Some(repository)) => command(&[draft], repository, ceremony),
        (Some(ceremony), None) => match new_repository() {
            Some(repository) => command(&[ceremony, draft], &repository, ceremony),
            None => elsewhere(draft),
        },
        (None, _) => elsewhere(draft),
    }
}

/// The root and targets of a ceremony are published together, once both are
/// assembled; later ones go to the repository that is there.
fn after_ceremony(draft: &Path, root: Option<&[u8]>) -> String {
    let beside = draft.parent().unwrap_or_else(|| Path::new("."));
    let pair = ["root.draft", "targets.draft"].map(|name| beside.join(name));
    let first = pair.iter().all(|path| is_draft(path)) && pair.iter().any(|path| path == draft);
    if let Some(open) = pair
        .iter()
        .find(|path| first && !path.join(SIGNED_FILE).is_file())
    {
        return format!(
            "next: {} has to be signed and assembled too",
            open.display()
        );
    }
    let folders = folders(draft);
    let repository = folders.iter().find(|path| is_repository_of(path, root));
    let has_key = |folder: &&Path| folder.join(ONLINE_KEY).is_file();
    let key = std::iter::once(beside).chain(folders.iter().map(PathBuf::as_path));
    match (key.into_iter().find(has_key), repository) {
        (Some(key), Some(repository)) => command(&[draft], repository, key),
        (Some(key), None) if first => match new_repository() {
            Some(repository) => command(&[&pair[0], &pair[1]], &repository, key),
            None => elsewhere(draft),
        },
        (Some(_), None) | (None, _) => elsewhere(draft),
    }
}

fn command(paths: &[&Path], repository: &Path, ceremony: &Path) -> String {
    let paths: Vec<String> = paths.iter().map(|path| word(path)).collect();
    let key = word(&PathBuf::from(format!(
        "file:{}",
        ceremony.join(ONLINE_KEY).display()
    )));
    let (paths, repository) = (paths.join(" "), word(repository));
    format!("next: patchmesh publish {paths} --repository {repository} --key {key}")
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

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "./:_-+@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(word(Path::new("a/KB-1.draft")), "a/KB-1.draft");
        assert_eq!(word(Path::new("my draft")), "'my draft'");
        assert_eq!(word(Path::new("it's")), "'it'\\''s'");
    }
}
