//! A ceremony folder: what of it is backed up, and laying it out again.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use crate::backup::file::{BackupFile, FILES_MAX, TOTAL_LEN_MAX, belongs, is_key};
use crate::failure::Failure;
use crate::files;
use crate::keys::pem;

/// Mode of a folder with key files.
pub(crate) const FOLDER_MODE: u32 = 0o700;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files that are backed up.
    pub(crate) files: Vec<BackupFile>,
    /// Names of files that are not.
    pub(crate) left_out: Vec<String>,
}

/// Reads a folder. A key without a passphrase is refused, not passed over: a
/// backup is carried around.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut room = TOTAL_LEN_MAX;
    for name in names(folder)? {
        if !belongs(&name) {
            found.left_out.push(name);
            continue;
        }
        let path = folder.join(&name);
        if is_key(&name) {
            pem::read(&path)?;
        }
        let bytes = files::read(&path, TOTAL_LEN_MAX)?;
        let left = room.checked_sub(bytes.len());
        room = left.ok_or_else(|| too_large(folder, &format!("{TOTAL_LEN_MAX} bytes")))?;
        found.files.push(BackupFile::new(name, &bytes));
    }
    if found.files.len() > FILES_MAX {
        return Err(too_large(folder, &format!("{FILES_MAX} files")).into());
    }
    if found.files.is_empty() {
        let message = format!("{} has no file of a ceremony", folder.display());
        return Err(Failure::failed("E_NOT_A_CEREMONY", message).into());
    }
    Ok(found)
}

fn too_large(folder: &Path, limit: &str) -> Failure {
    let message = format!("{} has more than {limit} to back up", folder.display());
    let failure = Failure::failed("E_BACKUP_TOO_LARGE", message);
    failure.hint("move away what is no document or key of the ceremony")
}

/// Files of the folder and of the drafts in it.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let failed = || format!("failed to read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().with_context(failed)?.is_dir() {
            names.push(name);
        } else if name.strip_suffix(".draft").is_some() {
            for below in fs::read_dir(entry.path()).with_context(failed)? {
                let below = below.with_context(failed)?.file_name();
                names.push(format!("{name}/{}", below.to_string_lossy()));
            }
        } else {
            names.push(format!("{name}/"));
        }
    }
    names.sort();
    Ok(names)
}

/// Lays files into an empty folder.
pub(crate) fn lay(files: &[BackupFile], folder: &Path) -> anyhow::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))
        .with_context(|| format!("failed to close {}", folder.display()))?;
    for file in files {
        if let Some((draft, _)) = file.name.split_once('/') {
            files::make_folder(&folder.join(draft), 0o755)?;
        }
        files::write_new(&folder.join(&file.name), &file.bytes()?, file.mode())?;
    }
    Ok(())
}
