//! Targets of a foreign repository: who speaks for a path, and its bytes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_trust::layout::{encode, encode_path};
use patchmesh_trust::limits::Profile;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::state::lookup::{LookUp, Need, TargetFile};

use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC, Writing};
use crate::tuf::http::{Base, Found};
use crate::tuf::refresh::Update;

/// Bytes read at a time.
const PART: usize = 64 * 1024;

/// A target that is on this computer.
#[derive(Debug)]
pub(crate) struct Download {
    /// Where.
    pub(crate) place: PathBuf,
    /// Whether it was there already.
    pub(crate) present: bool,
    /// Length in bytes.
    pub(crate) len: u64,
}

impl Update<'_> {
    /// Gets one target into a folder, unless it is there already.
    pub(crate) fn download(
        &mut self,
        path: &str,
        base: &Base,
        folder: &Path,
    ) -> anyhow::Result<Download> {
        let target = self.find(path)?;
        files::make_folder(folder, 0o755)?;
        let place = folder.join(file_name(path));
        let present = is_present(&target, &place)?;
        if !present {
            let name = self.url_path(&target)?;
            fetch(base, &name, &target, &place)?;
        }
        Ok(Download {
            place,
            present,
            len: target.len(),
        })
    }

    /// Looks the path up, with what is kept where that still stands, else with
    /// what the repository has.
    fn find(&mut self, path: &str) -> anyhow::Result<TargetFile> {
        // Each visit needs one document at most.
        for _ in 0..=Profile::Foreign.limits().visited {
            let looked = self.verifier.look_up(path, self.utc);
            match looked.map_err(|refusal| refused(&format!("the look-up of {path}"), refusal))? {
                LookUp::Found(target) => return Ok(TargetFile::clone(&target)),
                LookUp::Absent => {
                    let message = format!("no role that may speak for {path:?} lists it");
                    return Err(Failure::failed("E_NO_TARGET", message).into());
                }
                LookUp::Needs(need) => self.provide(&need)?,
            }
        }
        Err(refused(&format!("the look-up of {path}"), Refusal::Pending).into())
    }

    fn provide(&mut self, need: &Need) -> anyhow::Result<()> {
        if let Some(bytes) = self.folder.get(&need.want.role)?
            && let Ok(admission) = self.verifier.admit_for(need, &bytes, self.utc)
        {
            self.apply(admission)?;
            return Ok(());
        }
        let bytes = self.fetch_wanted(&need.want)?;
        let admission = self.verifier.admit_for(need, &bytes, self.utc);
        let what = || format!("the document of the role {}", need.want.role);
        let admission = admission.map_err(|refusal| refused(&what(), refusal))?;
        self.apply(admission)?;
        Ok(())
    }

    /// Where the repository has a target: under its path, or with a hash before
    /// the last part.
    fn url_path(&self, target: &TargetFile) -> anyhow::Result<String> {
        let path = target.path();
        if !self.verifier.consistent_snapshot() {
            return Ok(encode_path(path));
        }
        let prefix = target.file_prefix().ok_or_else(|| {
            let message = format!("{path:?} has neither a SHA-256 nor a SHA-512");
            Failure::trust("E_TRUST_HASH", message)
        })?;
        Ok(match path.rsplit_once('/') {
            Some((folder, name)) => {
                format!("{}/{prefix}.{}", encode_path(folder), encode_path(name))
            }
            None => format!("{prefix}.{}", encode_path(path)),
        })
    }
}

/// One file per path, in one folder: no part of a foreign path is a folder here,
/// and no file is hidden.
fn file_name(path: &str) -> String {
    let name = encode(path);
    match name.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => name,
    }
}

fn is_present(target: &TargetFile, place: &Path) -> anyhow::Result<bool> {
    let Ok(facts) = place.symlink_metadata() else {
        return Ok(false);
    };
    if !facts.is_file() || facts.len() != target.len() {
        return Ok(false);
    }
    let failed = || format!("failed to read {}", place.display());
    let mut file = File::open(place).with_context(failed)?;
    let mut check = target.check();
    let mut part = vec![0; PART];
    loop {
        let len = file.read(&mut part).with_context(failed)?;
        if len == 0 {
            return Ok(check.finish().is_ok());
        }
        if check.update(&part[..len]).is_err() {
            return Ok(false);
        }
    }
}

fn fetch(base: &Base, name: &str, target: &TargetFile, place: &Path) -> anyhow::Result<()> {
    let failed = || format!("failed to write {}", place.display());
    let refuse = |refusal| refused(&format!("what is served as {:?}", target.path()), refusal);
    let mut writing = Writing::begin(place, MODE_PUBLIC).with_context(failed)?;
    let mut check = target.check();
    let found = base.get(name, target.len(), &mut |part| {
        check.update(part).map_err(refuse)?;
        writing.file.write_all(part).with_context(failed)
    })?;
    if found == Found::Nothing {
        let message = format!("the repository has no {name}");
        return Err(Failure::failed("E_NO_TARGET", message).into());
    }
    check.finish().map_err(refuse)?;
    writing.finish().with_context(failed)
}
