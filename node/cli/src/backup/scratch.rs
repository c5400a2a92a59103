//! A folder for a moment, which nobody else can open.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_content::id::hex;

use crate::backup::folder::FOLDER_MODE;
use crate::keys::pem;

/// A folder that is taken away when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it among the temporary files, under a name that cannot be guessed.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let name = hex(&pem::new_seed()?[..8]);
        let path = std::env::temp_dir().join(format!("patchmesh-{name}"));
        let made = DirBuilder::new().mode(FOLDER_MODE).create(&path);
        made.with_context(|| format!("failed to make the folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays holds encrypted keys, in a folder of the owner's.
        drop(fs::remove_dir_all(&self.0));
    }
}
