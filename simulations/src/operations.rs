//! What operations and membership say in a world, and who may apply what by it: worked
//! out a second time from what was signed, apart from the engine, which is judged by
//! it (S11).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy, Ring};
use patchmesh_trust::author::ReleaseEntry;
use patchmesh_trust::log::checkpoint;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::Hash;

/// The one release line of a world.
pub const LINE: &str = "desktop";

/// What operations say of the releases of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Nothing may be applied.
    Nothing,
    /// What is published may be, the newest before the others.
    All,
    /// The same, on about half of the nodes.
    Half,
    /// Another index under the id of each release: nothing that exists.
    Other,
    /// All is approved, and all is held.
    Held,
}

impl Word {
    /// The policy that says so of these releases.
    pub fn policy(self, releases: &[ReleaseEntry]) -> Policy {
        let ring = |name: &str| Ring {
            name: name.to_owned(),
            share: 500,
        };
        let approval = |release: &ReleaseEntry| Approval {
            line: LINE.to_owned(),
            id: release.id.clone(),
            sha256: match self {
                Self::Other => [9; 32],
                Self::Nothing | Self::All | Self::Half | Self::Held => release.sha256,
            },
            rings: match self {
                Self::Half => vec!["first".to_owned()],
                Self::Nothing | Self::All | Self::Other | Self::Held => Vec::new(),
            },
            from: None,
            until: None,
        };
        let hold = Hold {
            scope: HoldScope::Everything,
            reason: "a world says so".to_owned(),
        };
        Policy {
            rings: vec![ring("first"), ring("second")],
            approvals: match self {
                Self::Nothing => Vec::new(),
                Self::All | Self::Half | Self::Other | Self::Held => {
                    releases.iter().map(approval).collect()
                }
            },
            holds: if self == Self::Held {
                vec![hold]
            } else {
                Vec::new()
            },
        }
    }
}

/// What one publication says.
#[derive(Debug, Clone)]
pub struct Said {
    /// The releases that are listed.
    pub releases: Vec<ReleaseEntry>,
    /// What operations say of them.
    pub policy: Policy,
    /// Who the witnesses are, if there are any.
    pub keys: Option<Keys>,
    /// Leaves of the log that contains all of it.
    pub leaves: u64,
}

impl Said {
    /// Which of these releases a node may apply, whatever witnesses say.
    pub fn approved(&self, node: &PeerId, listed: &[ReleaseEntry]) -> Option<ContentId> {
        if !self.policy.holds.is_empty() {
            return None;
        }
        let mut last = self.policy.approvals.iter().rev();
        last.find_map(|approval| {
            let named = (&approval.id, approval.sha256);
            let release = listed.iter().find(|one| (&one.id, one.sha256) == named);
            let ring = self.policy.ring(&approval.sha256, &node.0);
            let here = approval.rings.is_empty()
                || ring.is_some_and(|ring| approval.rings.contains(&ring.name));
            release.filter(|_| here).map(|release| release.content)
        })
    }

    /// Whether these cosignatures are as many as are asked for. `heads` are sizes and roots
    /// of the log that count.
    pub fn is_witnessed<'a>(
        &self,
        mesh_id: &[u8; 32],
        heads: impl Iterator<Item = (&'a u64, &'a Hash)>,
        cosignatures: impl Iterator<Item = &'a Arc<[u8]>>,
    ) -> bool {
        let Some(keys) = &self.keys else {
            return true;
        };
        let Some(asked) = keys.cosignatures else {
            return true;
        };
        let origin = checkpoint::origin(mesh_id);
        let heads: BTreeMap<_, _> = heads.collect();
        let mut signers = BTreeSet::new();
        let mut sites = BTreeSet::new();
        for one in cosignatures.filter_map(|bytes| Cosignature::decode(bytes).ok()) {
            let mut listed = keys.witnesses.iter();
            let witness = listed.find(|listed| listed.node() == Some(one.witness));
            let whole = heads.get(&one.head.size) == Some(&&one.head.root);
            if let Some(witness) = witness
                && whole
                && one.verify(&origin).is_ok()
            {
                signers.insert(one.witness);
                sites.insert(&witness.site);
            }
        }
        signers.len() >= asked.keys as usize && sites.len() >= asked.sites as usize
    }
}
