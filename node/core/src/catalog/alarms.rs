//! The proofs of equivocation that a node has, and how they are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;

use crate::limits::PROOFS_MAX;
use crate::message::DocumentRef;
use crate::reason::Frozen;

/// What a proof is asked for by, before the name of its role.
const PREFIX: &str = "proof/";

/// The proofs of this node, one a role.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    pub(crate) proofs: BTreeMap<RoleName, Equivocation>,
    /// Roles that were said to be frozen.
    pub(crate) told: Vec<RoleName>,
}

impl Alarms {
    /// Those that the store kept.
    pub fn restore(anchor: &[u8], stored: &[Arc<[u8]>]) -> Self {
        let proofs = stored.iter();
        let proofs = proofs.filter_map(|bytes| Equivocation::check(anchor, bytes).ok());
        let proofs = proofs.map(|proof| (proof.role().clone(), proof));
        Self {
            proofs: proofs.take(PROOFS_MAX).collect(),
            told: Vec::new(),
        }
    }

    /// The proofs that stand by the present keys: each freezes its role.
    pub fn standing<'a>(
        &'a self,
        verifier: &'a Verifier,
    ) -> impl Iterator<Item = &'a Equivocation> {
        let proofs = self.proofs.values();
        proofs.filter(|proof| verifier.is_frozen_by(proof))
    }

    /// Whether a role is frozen.
    pub fn is_frozen(&self, role: &RoleName, verifier: &Verifier) -> bool {
        let proof = self.proofs.get(role);
        proof.is_some_and(|proof| verifier.is_frozen_by(proof))
    }

    /// Whether the role of this name is frozen; `false` for what is no role.
    pub fn is_known(&self, role: &str, verifier: &Verifier) -> bool {
        let role: Result<RoleName, _> = role.parse();
        role.is_ok_and(|role| self.is_frozen(&role, verifier))
    }
}

/// How a proof is asked for.
pub fn proof_of(role: &str, version: u64) -> DocumentRef {
    DocumentRef::Metadata {
        role: format!("{PREFIX}{role}"),
        version,
    }
}

/// Role and version of a proof that is asked for.
pub fn asked_proof(document: &DocumentRef) -> Option<(&str, u64)> {
    match document {
        DocumentRef::Metadata { role, version } => Some((role.strip_prefix(PREFIX)?, *version)),
        DocumentRef::Index { .. } | DocumentRef::Annex { .. } => None,
    }
}

/// Version of a timestamp that is asked for to compare it with the own one of
/// that version; the newest is asked for without a version.
pub fn asked_twin(document: &DocumentRef) -> Option<u64> {
    match document {
        DocumentRef::Metadata { role, version } if *version > 0 && role == "timestamp" => {
            Some(*version)
        }
        DocumentRef::Metadata { .. } | DocumentRef::Index { .. } | DocumentRef::Annex { .. } => {
            None
        }
    }
}

/// Whether a line's releases may not be installed: its own role is frozen, or
/// one above it.
pub fn freezes(frozen: &[Frozen], line: &str) -> bool {
    frozen.iter().any(|one| match &one.role {
        RoleName::Line(frozen) => frozen == line,
        RoleName::Root | RoleName::Timestamp | RoleName::Snapshot | RoleName::Targets => true,
        // These say when something is applied, not what may be staged.
        RoleName::Rollout | RoleName::Membership | RoleName::Delegated(_) => false,
    })
}
