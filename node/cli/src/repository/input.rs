//! What `publish` is given: ceremony folders, assembled drafts, documents.

use std::path::{Path, PathBuf};

use patchmesh_proto::limits::TARGETS_LEN_MAX;
use patchmesh_trust::author::{Draft, RootPlan, TargetsPlan};
use patchmesh_trust::role::RoleName;

use crate::draft::annexes::Annexes;
use crate::draft::authority::{ROOT_FILE, TARGETS_FILE};
use crate::draft::folder::{DraftFolder, Payload, SIGNED_FILE, is_draft};
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::draft::refusal::tampered;
use crate::failure::Failure;
use crate::files;

/// One document to publish.
#[derive(Debug)]
pub(crate) struct Input {
    /// Role.
    pub(crate) role: RoleName,
    /// Version.
    pub(crate) version: u64,
    /// The signed document.
    pub(crate) bytes: Vec<u8>,
    /// Of a release line: the draft folder and its release.
    pub(crate) payload: Option<(PathBuf, Payload)>,
    /// Of a role that has some: its annexes.
    pub(crate) annexes: Annexes,
}

/// Reads a path.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Input>> {
    if is_draft(path) {
        return Ok(vec![draft(path)?]);
    }
    if path.is_dir() {
        return folder(path);
    }
    let bytes = files::read(path, TARGETS_LEN_MAX)?;
    let role = if RootPlan::read(&bytes).is_ok() {
        RoleName::Root
    } else if TargetsPlan::read(&bytes).is_ok() {
        RoleName::Targets
    } else {
        let message = format!("{} is no root or targets document", path.display());
        let failure = Failure::failed("E_NOT_A_DOCUMENT", message);
        return Err(failure
            .hint("releases are published as draft folders")
            .into());
    };
    Ok(vec![document(role, bytes)?])
}

fn folder(path: &Path) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for (name, role) in [
        (ROOT_FILE, RoleName::Root),
        (TARGETS_FILE, RoleName::Targets),
    ] {
        if let Some(bytes) = files::read_if_there(&path.join(name), TARGETS_LEN_MAX)? {
            inputs.push(document(role, bytes)?);
        }
    }
    if inputs.is_empty() {
        let message = format!("{} is no draft and no ceremony folder", path.display());
        return Err(Failure::failed("E_NOT_A_DRAFT", message).into());
    }
    Ok(inputs)
}

fn document(role: RoleName, bytes: Vec<u8>) -> anyhow::Result<Input> {
    let read = Draft::read(&role, &bytes);
    let read = read.map_err(|error| refusal::author(&error, &Names::default()))?;
    Ok(Input {
        version: read.version(),
        role,
        bytes,
        payload: None,
        annexes: Annexes::new(),
    })
}

fn draft(path: &Path) -> anyhow::Result<Input> {
    let draft = DraftFolder::open(path)?;
    let signed = files::read_if_there(&path.join(SIGNED_FILE), TARGETS_LEN_MAX)?;
    let bytes = signed.ok_or_else(|| {
        let message = format!("{} is not assembled", path.display());
        let hint = format!("patchmesh assemble {} SIG...", path.display());
        Failure::trust("E_SIG_THRESHOLD", message).hint(hint)
    })?;
    let role = draft.statement.role().clone();
    let mut input = document(role, bytes)?;
    let signed = Draft::read(&input.role, &input.bytes);
    let same = signed.is_ok_and(|signed| signed.signing_bytes() == draft.statement.signing_bytes());
    if !same {
        return Err(tampered("signed.json is not the statement of this draft").into());
    }
    input.annexes = draft.carried()?.new;
    input.payload = draft.payload()?.map(|payload| (path.to_owned(), payload));
    Ok(input)
}
