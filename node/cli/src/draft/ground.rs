//! What a network has signed now: the ground on which its next documents are
//! drafted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::author::{AnnexPlan, Draft, LinePlan, RootPlan, TargetsPlan};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

use crate::args::authority::GroundArgs;
use crate::draft::annexes::{self, Annexes, Carried};
use crate::draft::authority::{Authority, find_role};
use crate::draft::drafts::Planned;
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::repository::chain;

/// Root, targets and statements.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The newest root.
    pub(crate) root: Vec<u8>,
    /// Names of keys.
    pub(crate) names: Names,
    targets: Option<Vec<u8>>,
    repository: Option<Verifier>,
    folder: Option<PathBuf>,
}

impl Ground {
    /// Reads and checks it.
    pub(crate) fn open(args: &GroundArgs) -> anyhow::Result<Self> {
        if let Some(folder) = &args.repository {
            return Self::in_repository(folder);
        }
        let folder = args.authority.as_deref();
        let folder = folder.ok_or_else(|| Failure::usage("--repository is missing"))?;
        let authority = Authority::in_folder(folder)?;
        let names = Names::in_folder(folder);
        let root = authority.root.clone().ok_or_else(|| {
            let message = format!("{} has no root.json", folder.display());
            Failure::failed("E_NO_AUTHORITY", message)
        })?;
        Verifier::new(&root, &[]).map_err(|error| refusal::refused("the root", error))?;
        Authority::check_targets(Some(&root), authority.targets.as_ref(), &names)?;
        Ok(Self {
            root,
            names,
            targets: authority.targets,
            repository: None,
            folder: None,
        })
    }

    /// As [`Self::open`], of what a repository has.
    pub(crate) fn in_repository(folder: &Path) -> anyhow::Result<Self> {
        let verifier = chain::existing(folder)?;
        let document = |role| verifier.document(&role, None).map(|bytes| bytes.to_vec());
        let root = document(RoleName::Root);
        Ok(Self {
            root: root.ok_or_else(|| Failure::failed("E_NOT_A_REPOSITORY", "no root"))?,
            names: Names::in_folder(folder),
            targets: document(RoleName::Targets),
            repository: Some(verifier),
            folder: Some(folder.to_owned()),
        })
    }

    /// What the newest root says.
    pub(crate) fn root_plan(&self) -> anyhow::Result<RootPlan> {
        Ok(RootPlan::read(&self.root).map_err(|error| refusal::author(&error, &self.names))?)
    }

    /// The newest targets.
    pub(crate) fn targets(&self) -> anyhow::Result<&[u8]> {
        let targets = self.targets.as_deref();
        targets.ok_or_else(|| {
            let failure = Failure::failed("E_NO_AUTHORITY", "no targets document is at hand");
            failure.hint("name the repository with --repository").into()
        })
    }

    /// The newest targets, where any are at hand.
    pub(crate) fn targets_if_there(&self) -> Option<&[u8]> {
        self.targets.as_deref()
    }

    /// What they say.
    pub(crate) fn targets_plan(&self) -> anyhow::Result<TargetsPlan> {
        let targets = self.targets()?;
        Ok(TargetsPlan::read(targets).map_err(|error| refusal::author(&error, &self.names))?)
    }

    /// The newest statement of a line; `None` where there is none yet.
    pub(crate) fn statement(&self, line: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let verifier = self.repository.as_ref().ok_or_else(|| {
            let message = "statements of release lines are in the repository only";
            Failure::failed("E_NO_AUTHORITY", message).hint("name it with --repository")
        })?;
        let role = RoleName::Line(line.to_owned());
        let bytes = verifier.document(&role, None);
        Ok(bytes.map(|bytes| bytes.to_vec()))
    }

    /// The annexes that the newest statement of a role names; none where there
    /// is no statement yet, or in a network whose documents are not at hand.
    pub(crate) fn annexes(&self, role: &RoleName) -> anyhow::Result<Annexes> {
        let (verifier, folder) = self.in_folder()?;
        let mut held = annexes::in_repository(folder, verifier, None)?;
        held.retain(|name, _| name.role() == *role);
        Ok(held)
    }

    /// The draft of the next statement of a role with these annexes.
    pub(crate) fn with_annexes(
        &self,
        role: &RoleName,
        new: Annexes,
        expires: UtcTime,
        out: Option<&Path>,
    ) -> anyhow::Result<Planned> {
        let (verifier, _) = self.in_folder()?;
        find_role(&self.targets_plan()?, role)?;
        let author = |error| refusal::author(&error, &self.names);
        let named = new.iter().map(|(name, bytes)| Annex::of(*name, bytes));
        let plan = AnnexPlan {
            role: role.clone(),
            version: verifier.version(role).saturating_add(1),
            expires,
            annexes: named.collect(),
        };
        let statement = plan.build().map_err(author)?;
        let authority = chain::authority(verifier, role);
        authority.check_previous(role, &self.names)?;
        let old = self.annexes(role)?;
        let carried = Carried { new, old };
        Ok(Planned::new(statement, authority, out).carrying(carried))
    }

    fn in_folder(&self) -> anyhow::Result<(&Verifier, &Path)> {
        let found = self.repository.as_ref().zip(self.folder.as_deref());
        found.ok_or_else(|| {
            let message = "statements are in the repository only";
            let failure = Failure::failed("E_NO_AUTHORITY", message);
            failure.hint("name it with --repository").into()
        })
    }

    /// What a statement of a line says.
    pub(crate) fn line_plan(&self, line: &str, statement: &[u8]) -> anyhow::Result<LinePlan> {
        let plan = LinePlan::read(line, statement);
        Ok(plan.map_err(|error| refusal::author(&error, &self.names))?)
    }

    /// The repository, where one is at hand.
    pub(crate) fn verifier(&self) -> Option<&Verifier> {
        self.repository.as_ref()
    }
}

/// Whether a signed document has enough signatures of these keys. One key counts
/// once, under however many ids it stands (T-10).
pub(crate) fn stands(role: &RoleName, document: &[u8], keys: &RoleKeys) -> bool {
    let Ok(draft) = Draft::read(role, document) else {
        return false;
    };
    let message = draft.signing_bytes();
    let signed = keys.keys().filter(|(id, key)| {
        let mut signatures = draft.signatures();
        signatures.any(|(signer, signature)| signer == *id && key.verify(&message, signature))
    });
    let distinct: BTreeSet<_> = signed.map(|(_, key)| key.material()).collect();
    distinct.len() as u64 >= keys.threshold()
}

#[cfg(test)]
mod tests {
    use patchmesh_trust::key::SecretKey;
    use patchmesh_trust::time::UtcTime;
    use serde_json::Value;

    use super::*;

    /// A root by two keys, of which the second stands under an id of its own too.
    fn root(secrets: [&SecretKey; 2]) -> Vec<u8> {
        let public = secrets.map(SecretKey::public_key);
        let two = RoleKeys::new(&public, 2).unwrap();
        let online = RoleKeys::new(&[SecretKey::from_seed([9; 32]).public_key()], 1).unwrap();
        let plan = RootPlan {
            version: 1,
            expires: UtcTime::parse("2099-01-01T00:00:00Z").unwrap(),
            root: two.clone(),
            targets: two,
            snapshot: online.clone(),
            timestamp: online,
        };
        let bytes = plan.build().unwrap().bytes();
        let mut json: Value = serde_json::from_slice(&bytes).unwrap();
        let id = public[1].key_id();
        let signed = &mut json["signed"];
        signed["keys"]["alias"] = signed["keys"][&id].clone();
        let ids = signed["roles"]["root"]["keyids"].as_array_mut().unwrap();
        ids.push("alias".into());
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn one_key_under_two_ids_counts_once() {
        let secrets = [1, 2].map(|seed| SecretKey::from_seed([seed; 32]));
        let bytes = root([&secrets[0], &secrets[1]]);
        let keys = RootPlan::read(&bytes).unwrap().root;
        assert_eq!(keys.keys().count(), 3);
        let mut draft = Draft::read(&RoleName::Root, &bytes).unwrap();
        let message = draft.signing_bytes();
        let twice = secrets[1].sign(&message);
        let id = secrets[1].public_key().key_id();
        draft.add_signature(&id, &twice).unwrap();
        draft.add_signature("alias", &twice).unwrap();
        assert!(!stands(&RoleName::Root, &draft.bytes(), &keys));
        let first = secrets[0].public_key().key_id();
        draft
            .add_signature(&first, &secrets[0].sign(&message))
            .unwrap();
        assert!(stands(&RoleName::Root, &draft.bytes(), &keys));
    }
}
