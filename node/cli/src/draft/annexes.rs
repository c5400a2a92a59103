//! The annexes that a draft of `rollout` or `membership` carries: what the
//! statement names, and what the statement before named.

use std::collections::BTreeMap;
use std::path::Path;

use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::author::{AnnexPlan, Draft};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;

use crate::draft::names::Names;
use crate::draft::refusal;
use crate::draft::refusal::tampered;
use crate::files::{self, MODE_PUBLIC};
use crate::repository::payloads::read_annex;

/// Annexes by name.
pub(crate) type Annexes = BTreeMap<AnnexName, Vec<u8>>;

/// What a draft of a role with annexes carries; empty for other roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// What the statement names.
    pub(crate) new: Annexes,
    /// What the statement before named.
    pub(crate) old: Annexes,
}

/// Name of an annex's file in a draft.
fn file_name(name: AnnexName, before: bool) -> String {
    let (_, last) = name.path().split_once('/').unwrap_or_default();
    let before = if before { "previous-" } else { "" };
    format!("{before}{last}.bin")
}

impl Carried {
    /// What lies beside a statement, if the statement names exactly that, and
    /// the one before named what is shown as before.
    pub(crate) fn read(
        folder: &Path,
        statement: &Draft,
        previous: Option<&[u8]>,
        names: &Names,
    ) -> anyhow::Result<Self> {
        let role = statement.role();
        if !matches!(role, RoleName::Rollout | RoleName::Membership) {
            return Ok(Self::default());
        }
        let old = match previous {
            Some(previous) => read_all(folder, role, previous, true, names)?,
            None => Annexes::new(),
        };
        let new = read_all(folder, role, &statement.bytes(), false, names)?;
        Ok(Self { new, old })
    }

    /// Writes them beside a statement. The folder exists.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for (annexes, before) in [(&self.new, false), (&self.old, true)] {
            for (name, bytes) in annexes {
                let path = folder.join(file_name(*name, before));
                files::write_new(&path, bytes, MODE_PUBLIC)?;
            }
        }
        Ok(())
    }
}

fn read_all(
    folder: &Path,
    role: &RoleName,
    statement: &[u8],
    before: bool,
    names: &Names,
) -> anyhow::Result<Annexes> {
    let plan = AnnexPlan::read(role, statement);
    let plan = plan.map_err(|error| refusal::author(&error, names))?;
    let mut annexes = Annexes::new();
    for annex in &plan.annexes {
        let file = file_name(annex.name, before);
        let bytes = files::read_if_there(&folder.join(&file), annex.name.len_max())?;
        let bytes = bytes.ok_or_else(|| tampered(format!("{file} is missing from the draft")))?;
        annex
            .open(&bytes)
            .map_err(|refused| tampered(format!("{file} is not what is stated: {refused}")))?;
        annexes.insert(annex.name, bytes);
    }
    Ok(annexes)
}

/// The annexes that the statements of a repository name, whether or not they
/// have expired, or those of now.
pub(crate) fn in_repository(
    folder: &Path,
    verifier: &Verifier,
    now: Option<UtcTime>,
) -> anyhow::Result<Annexes> {
    let mut annexes = Annexes::new();
    for annex in verifier.annexes(now.unwrap_or(UtcTime(i64::MIN))) {
        annexes.insert(annex.name, read_annex(folder, &annex)?);
    }
    Ok(annexes)
}

/// What an annex says.
pub(crate) fn body(annexes: &Annexes, name: AnnexName) -> anyhow::Result<Option<AnnexBody>> {
    let body = annexes.get(&name).map(|bytes| AnnexBody::read(name, bytes));
    let body = body.transpose();
    body.map_err(|refused| refusal::refused(name.path(), refused).into())
}
