//! Walks the documents of a repository through the verifier of a node.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use patchmesh_proto::limits::{ROOT_LEN_MAX, TIMESTAMP_LEN_MAX};
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::limits::document_len_max;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;

use crate::draft::authority::Authority;
use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::files;

/// Where documents come from: new ones that are not on disk yet, then the
/// folder.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    folder: PathBuf,
    new: BTreeMap<String, Vec<u8>>,
    /// No root above this version is there.
    roots_max: u64,
}

impl Source {
    /// A folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            new: BTreeMap::new(),
            roots_max: u64::MAX,
        }
    }

    /// Lays a document over what the folder holds.
    pub(crate) fn add(&mut self, role: &RoleName, version: u64, bytes: Vec<u8>) {
        self.new.insert(metadata_path(role, version), bytes);
    }

    /// A document; `None` where there is none.
    pub(crate) fn read(
        &self,
        role: &RoleName,
        version: u64,
        len_max: usize,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        if *role == RoleName::Root && version > self.roots_max {
            return Ok(None);
        }
        let path = metadata_path(role, version);
        match self.new.get(&path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => files::read_if_there(&self.folder.join(path), len_max),
        }
    }
}

/// Snapshot, then targets, then lines; one round more than that.
const ROUNDS_MAX: usize = 4;

/// How documents are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As a node would now.
    Now(UtcTime),
    /// As this repository's own: they may have expired meanwhile.
    Stored,
}

/// Takes in all that a source holds, beginning with this anchor. Every release
/// line is loaded.
pub(crate) fn walk(source: &Source, anchor: &[u8], mode: Mode) -> anyhow::Result<Verifier> {
    let verifier = Verifier::new(anchor, &["*".to_owned()]);
    let mut verifier = verifier.map_err(|refusal| refused("the root", refusal))?;
    while let Some(bytes) = source.read(
        &RoleName::Root,
        verifier.head().root.saturating_add(1),
        ROOT_LEN_MAX,
    )? {
        let before = verifier.head().root;
        take(&mut verifier, &RoleName::Root, &bytes, mode)?;
        if verifier.head().root == before {
            break;
        }
    }
    if let Some(bytes) = source.read(&RoleName::Timestamp, 0, TIMESTAMP_LEN_MAX)? {
        take(&mut verifier, &RoleName::Timestamp, &bytes, mode)?;
    }
    for _ in 0..ROUNDS_MAX {
        for want in verifier.wants() {
            let version = want.version.unwrap_or_default();
            let len_max = want.len_max.min(document_len_max(&want.role));
            let bytes = source.read(&want.role, version, len_max)?;
            let bytes = bytes.ok_or_else(|| {
                let path = metadata_path(&want.role, version);
                let message = format!("{path} is missing from the repository");
                Failure::trust("E_TRUST_PENDING", message)
            })?;
            take(&mut verifier, &want.role, &bytes, mode)?;
        }
    }
    if verifier.wants().is_empty() {
        return Ok(verifier);
    }
    let message = "the documents of the repository do not fit together";
    Err(Failure::trust("E_TRUST_PENDING", message).into())
}

fn take(verifier: &mut Verifier, role: &RoleName, bytes: &[u8], mode: Mode) -> anyhow::Result<()> {
    let admission = match mode {
        Mode::Now(utc) => verifier.admit(role, bytes, utc),
        Mode::Stored => verifier.admit_stored(role, bytes),
    };
    let admission = admission.map_err(|refusal| refused(&format!("the {role}"), refusal))?;
    verifier.apply(admission);
    Ok(())
}

/// What a repository holds now; `None` for a new one. A publication of a root
/// that was cut off before its timestamp has not happened: the documents under
/// the root before it are what is published.
pub(crate) fn load(folder: &Path) -> anyhow::Result<Option<Verifier>> {
    let mut source = Source::new(folder);
    let Some(anchor) = source.read(&RoleName::Root, 1, ROOT_LEN_MAX)? else {
        return Ok(None);
    };
    let whole = walk(&source, &anchor, Mode::Stored);
    let Err(error) = whole else {
        return whole.map(Some);
    };
    for roots in (1..newest_root(&source)?).rev() {
        source.roots_max = roots;
        if let Ok(verifier) = walk(&source, &anchor, Mode::Stored) {
            return Ok(Some(verifier));
        }
    }
    Err(error)
}

/// Version up to which there is a root in the folder.
fn newest_root(source: &Source) -> anyhow::Result<u64> {
    let mut version = 1;
    while source
        .read(&RoleName::Root, version + 1, ROOT_LEN_MAX)?
        .is_some()
    {
        version += 1;
    }
    Ok(version)
}

/// Root, targets and the newest statement of a line, as a repository holds
/// them.
pub(crate) fn authority(verifier: &Verifier, role: &RoleName) -> Authority {
    let document = |role: &RoleName| verifier.document(role, None).map(|bytes| bytes.to_vec());
    Authority {
        root: document(&RoleName::Root),
        targets: document(&RoleName::Targets),
        previous: document(role),
        ..Authority::default()
    }
}

/// Refuses a folder that is not a repository.
pub(crate) fn existing(folder: &Path) -> anyhow::Result<Verifier> {
    load(folder)?.ok_or_else(|| {
        let message = format!("{} is not a repository", folder.display());
        let failure = Failure::failed("E_NOT_A_REPOSITORY", message);
        let hint = "is the path right? `patchmesh publish` makes a repository of a ceremony folder";
        failure.hint(hint).into()
    })
}
