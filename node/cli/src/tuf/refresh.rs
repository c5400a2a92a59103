//! The top-level workflow of the specification: roots, timestamp, snapshot,
//! targets, in this order and nothing else (T-54).

use patchmesh_trust::layout::metadata_name;
use patchmesh_trust::limits::Profile;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{Admission, TrustState, Verifier, Want};
use patchmesh_trust::time::UtcTime;

use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::output::Output;
use crate::tuf::folder::Folder;
use crate::tuf::http::{Base, Found};

/// One update of one repository.
pub(crate) struct Update<'a> {
    /// Where the metadata is.
    pub(crate) base: Base,
    /// Where it is kept.
    pub(crate) folder: &'a Folder,
    /// What is trusted.
    pub(crate) verifier: Verifier,
    /// The time of the whole update: nothing expires while it runs (T-16).
    pub(crate) utc: UtcTime,
    pub(crate) output: &'a Output,
}

impl Update<'_> {
    /// Brings the top-level metadata up to date. What was verified before a
    /// failure is kept (T-22).
    pub(crate) fn refresh(&mut self) -> anyhow::Result<()> {
        self.walk_roots()?;
        self.require_fresh(&RoleName::Root)?;
        let timestamp = RoleName::Timestamp;
        let bytes = self.fetch(
            &timestamp,
            None,
            Profile::Foreign.document_len_max(&timestamp),
        )?;
        self.take(&timestamp, &required(&timestamp, bytes)?)?;
        self.require_fresh(&timestamp)?;
        while let Some(want) = self.verifier.wants().into_iter().next() {
            self.require_fresh(&RoleName::Snapshot)?;
            let bytes = self.fetch_wanted(&want)?;
            if !self.take(&want.role, &bytes)? {
                // It is what is held, and that is not what is pinned.
                return Err(refused(&format!("the {}", want.role), Refusal::HashMismatch).into());
            }
        }
        match self.verifier.state(self.utc) {
            TrustState::Current => Ok(()),
            TrustState::Bootstrapped => Err(refused("the repository", Refusal::Pending).into()),
            TrustState::Stale { .. } => Err(refused("the metadata", Refusal::Expired).into()),
        }
    }

    /// From root N to N + 1 until there is none, each kept as soon as it is
    /// verified (T-17).
    fn walk_roots(&mut self) -> anyhow::Result<()> {
        let root = RoleName::Root;
        let len_max = Profile::Foreign.document_len_max(&root);
        let roots_max = self.verifier.roots_per_walk();
        for _ in 0..roots_max {
            let version = self.verifier.head().root.saturating_add(1);
            let name = metadata_name(&root, Some(version));
            let Some(bytes) = self.fetch_named(&name, len_max)? else {
                return Ok(());
            };
            if !self.take(&root, &bytes)? {
                return Err(refused(&name, Refusal::Rollback).into());
            }
        }
        let message = format!("there are more than {roots_max} newer roots");
        let failure = Failure::trust("E_TRUST_PENDING", message);
        Err(failure.hint("run it again to go on").into())
    }

    fn require_fresh(&self, role: &RoleName) -> anyhow::Result<()> {
        let all = self.verifier.expiries();
        let own = all.iter().find(|(one, _)| one == role);
        if own.is_some_and(|(_, expires)| *expires <= self.utc) {
            return Err(refused(&format!("the {role}"), Refusal::Expired).into());
        }
        Ok(())
    }

    /// A document that the verifier asks for.
    pub(crate) fn fetch_wanted(&self, want: &Want) -> anyhow::Result<Vec<u8>> {
        let bytes = self.fetch(&want.role, want.version, want.len_max)?;
        required(&want.role, bytes)
    }

    fn fetch(
        &self,
        role: &RoleName,
        version: Option<u64>,
        len_max: usize,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let version = version.filter(|_| self.verifier.consistent_snapshot());
        self.fetch_named(&metadata_name(role, version), len_max)
    }

    fn fetch_named(&self, name: &str, len_max: usize) -> anyhow::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let found = self.base.get(name, len_max as u64, &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        self.output.detail(format_args!("{name}: {found:?}"));
        Ok((found == Found::Body).then_some(bytes))
    }

    /// Admits a document, takes it over and keeps it; whether it was new.
    fn take(&mut self, role: &RoleName, bytes: &[u8]) -> anyhow::Result<bool> {
        let admission = self.verifier.admit(role, bytes, self.utc);
        let admission = admission.map_err(|refusal| refused(&format!("the {role}"), refusal))?;
        self.apply(admission)
    }

    /// Takes over what was admitted and keeps it; whether it was new.
    pub(crate) fn apply(&mut self, admission: Admission) -> anyhow::Result<bool> {
        let changes = self.verifier.apply(admission);
        for change in &changes {
            self.folder
                .put(&self.verifier, &change.role, &change.bytes)?;
        }
        Ok(!changes.is_empty())
    }
}

fn required(role: &RoleName, bytes: Option<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    bytes.ok_or_else(|| {
        let message = format!("the repository has no {role} document that fits");
        Failure::trust("E_TRUST_PENDING", message).into()
    })
}
