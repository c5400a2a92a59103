//! The backup file.

use std::collections::BTreeSet;
use std::path::Path;

use patchmesh_content::id::hex;
use patchmesh_trust::key::sha256;
use serde::{Deserialize, Serialize};

use crate::draft::signature::unhex;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC, MODE_SECRET};
use crate::text::safe;

const SCHEMA: &str = "patchmesh.backup/1";
/// Longest backup in bytes: hexadecimal of [`TOTAL_LEN_MAX`], and its frame.
const LEN_MAX: usize = 20 * 1024 * 1024;
/// Most bytes of all files together.
pub(crate) const TOTAL_LEN_MAX: usize = 8 * 1024 * 1024;
/// Most files.
pub(crate) const FILES_MAX: usize = 512;

/// A backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Backup {
    schema: String,
    /// Its files, in ascending order of their names.
    pub(crate) files: Vec<BackupFile>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BackupFile {
    /// Path below the folder: one part, or two for what lies in a draft.
    pub(crate) name: String,
    /// Whether only its owner may read it.
    secret: bool,
    sha256: String,
    hex: String,
}

impl BackupFile {
    /// A file of these bytes.
    pub(crate) fn new(name: String, bytes: &[u8]) -> Self {
        Self {
            secret: is_key(&name),
            sha256: hex(&sha256(bytes)),
            hex: hex(bytes),
            name,
        }
    }

    /// Its bytes, if they are the ones that were put in.
    pub(crate) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let bytes = unhex(&self.hex);
        let bytes = bytes.filter(|bytes| hex(&sha256(bytes)) == self.sha256);
        bytes.ok_or_else(|| damaged(format!("{} does not have its hash", safe(&self.name))).into())
    }

    /// Mode of the file.
    pub(crate) fn mode(&self) -> u32 {
        if self.secret {
            MODE_SECRET
        } else {
            MODE_PUBLIC
        }
    }
}

impl Backup {
    /// A backup of these files.
    pub(crate) fn new(mut files: Vec<BackupFile>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            schema: SCHEMA.to_owned(),
            files,
        }
    }

    /// Writes a new file.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        files::write_new(path, &text, MODE_SECRET)
    }

    /// Reads a file. Names that lead out of a folder are refused, and so are
    /// files that a ceremony does not have.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read(path, LEN_MAX)?;
        let backup: Option<Self> = serde_json::from_slice(&bytes).ok();
        let backup = backup.filter(|backup| backup.schema == SCHEMA);
        let backup = backup.ok_or_else(|| {
            let message = format!("{} is not a whole backup", path.display());
            let failure = Failure::failed("E_NOT_A_BACKUP", message);
            failure.hint("name a file that `patchmesh backup create` wrote")
        })?;
        if backup.files.len() > FILES_MAX {
            return Err(damaged(format!("more than {FILES_MAX} files")).into());
        }
        let mut seen = BTreeSet::new();
        for file in &backup.files {
            let belongs = belongs(&file.name) && file.secret == is_key(&file.name);
            if !belongs || !seen.insert(file.name.as_str()) {
                return Err(
                    damaged(format!("{} is no file of a ceremony", safe(&file.name))).into(),
                );
            }
        }
        Ok(backup)
    }
}

/// Whether a file of this name is backed up: documents, public halves,
/// signatures and encrypted keys; of drafts all but what can be built again.
pub(crate) fn belongs(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !part.is_empty() && part.len() <= 128 && !part.starts_with('.') && part.chars().all(plain)
    };
    let kind = kind(name);
    let known = matches!(kind, "json" | "pub" | "sig") || is_key(name);
    match name.split_once('/') {
        None => part(name) && known,
        Some((draft, file)) => {
            part(draft) && draft.strip_suffix(".draft").is_some() && part(file) && kind == "json"
        }
    }
}

/// Whether a file of this name holds an encrypted key.
pub(crate) fn is_key(name: &str) -> bool {
    matches!(kind(name), "pem" | "key")
}

/// What stands behind the last dot.
pub(crate) fn kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

fn damaged(message: impl Into<String>) -> Failure {
    Failure::failed("E_BACKUP_DAMAGED", message).hint("take another copy of the backup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_ceremony_belong_to_a_backup() {
        for name in [
            "root.json",
            "key-1.pem",
            "online.key",
            "a.pub",
            "root.draft/signed.json",
        ] {
            assert!(belongs(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../root.json",
            "/etc/passwd.json",
            "a/b.json",
            "x.draft/../a.json",
            ".hidden.json",
            "a\0.json",
            "pass",
            "x.draft/pack.bin",
            "x.draft/key.pem",
            "x.draft/y.draft/a.json",
        ] {
            assert!(!belongs(name), "{name:?}");
        }
    }
}
