//! The signed documents that say who may sign a draft.

use std::path::Path;

use anyhow::Context as _;
use patchmesh_proto::limits::{ROOT_LEN_MAX, STATEMENT_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::{self, AuthorError, Draft, LinePlan, RootPlan, TargetsPlan};
use patchmesh_trust::role::{RoleName, is_line};
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files;
use crate::text::safe;

/// Name of the root document in folders.
pub(crate) const ROOT_FILE: &str = "root.json";
/// Name of the top targets in folders.
pub(crate) const TARGETS_FILE: &str = "targets.json";
/// Name of the signed document before this one in a draft.
pub(crate) const PREVIOUS_FILE: &str = "previous.json";

/// Name of the root by which the document before was signed, where that is
/// another one than the root that says who signs the draft.
pub(crate) const ROOT_BEFORE_FILE: &str = "root-before.json";
/// The same of the top targets.
pub(crate) const TARGETS_BEFORE_FILE: &str = "targets-before.json";

/// Root, targets and the document before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authority {
    /// The trusted root.
    pub(crate) root: Option<Vec<u8>>,
    /// The top targets.
    pub(crate) targets: Option<Vec<u8>>,
    /// The newest signed document of the same role.
    pub(crate) previous: Option<Vec<u8>>,
    /// The root before, where the document before was signed by its keys.
    pub(crate) root_before: Option<Vec<u8>>,
    /// The targets before, likewise.
    pub(crate) targets_before: Option<Vec<u8>>,
}

impl Authority {
    /// What a folder holds of it.
    pub(crate) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let read = |name: &str, len_max| files::read_if_there(&folder.join(name), len_max);
        Ok(Self {
            root: read(ROOT_FILE, ROOT_LEN_MAX)?,
            targets: read(TARGETS_FILE, TARGETS_LEN_MAX)?,
            previous: read(PREVIOUS_FILE, TARGETS_LEN_MAX)?,
            root_before: read(ROOT_BEFORE_FILE, ROOT_LEN_MAX)?,
            targets_before: read(TARGETS_BEFORE_FILE, TARGETS_LEN_MAX)?,
        })
    }

    /// Replaces the root by one that the user trusts.
    pub(crate) fn trusting(mut self, root: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = root {
            self.root = Some(files::read(path, ROOT_LEN_MAX)?);
        }
        Ok(self)
    }

    /// As the author wants it.
    pub(crate) fn borrow(&self) -> author::Authority<'_> {
        author::Authority {
            root: self.root.as_deref(),
            targets: self.targets.as_deref(),
            previous: self.previous.as_deref(),
        }
    }

    /// Merges signed copies and checks them as a node would.
    pub(crate) fn assemble(
        &self,
        copies: &[Draft],
        names: &Names,
        utc: UtcTime,
    ) -> anyhow::Result<Vec<u8>> {
        let assembled = author::assemble(copies, &self.borrow(), utc);
        assembled.map_err(|error| refusal::author(&error, names).into())
    }

    /// Refuses a document before that nobody signed: the difference that a
    /// signer sees is only as good as what it is a difference to (T-51).
    pub(crate) fn check_previous(&self, role: &RoleName, names: &Names) -> anyhow::Result<()> {
        let Some(previous) = &self.previous else {
            return Ok(());
        };
        let draft = Draft::read(role, previous);
        let draft = draft.map_err(|error| refusal::author(&error, names))?;
        let before = UtcTime(draft.expires().0.saturating_sub(1));
        let alone = self.before(names)?;
        let checked = alone.assemble(&[draft], names, before);
        checked.context("failed to check the statement before this one")?;
        Ok(())
    }

    /// Refuses targets that the keys of this root have not signed.
    pub(crate) fn check_targets(
        root: Option<&Vec<u8>>,
        targets: Option<&Vec<u8>>,
        names: &Names,
    ) -> anyhow::Result<()> {
        let signed = Self {
            root: root.cloned(),
            previous: targets.cloned(),
            ..Self::default()
        };
        signed.check_previous(&RoleName::Targets, names)
    }

    /// What said who signs when the document before was signed. It is trusted
    /// as far as it hangs together with what says so now: the root before has
    /// signed this root, and the targets before are signed for by it.
    fn before(&self, names: &Names) -> anyhow::Result<Self> {
        let mut before = Self {
            root: self.root.clone(),
            targets: self.targets.clone(),
            ..Self::default()
        };
        if let (Some(older), Some(root)) = (&self.root_before, &self.root) {
            let what = "the root that the statement before was signed by";
            let verifier = Verifier::new(older, &[]);
            let verifier = verifier.map_err(|refusal| refusal::refused(what, refusal))?;
            let admitted = verifier.admit(&RoleName::Root, root, UtcTime(0));
            admitted.map_err(|refusal| refusal::refused(what, refusal))?;
            before.root = Some(older.clone());
        }
        if let Some(older) = &self.targets_before {
            Self::check_targets(before.root.as_ref(), Some(older), names)?;
            before.targets = Some(older.clone());
        }
        Ok(before)
    }

    /// Refuses a line that the targets at hand do not delegate: nobody could
    /// sign for it. Without targets it shows when they are.
    pub(crate) fn refuse_undelegated(&self, line: &str) -> anyhow::Result<()> {
        let Some(targets) = &self.targets else {
            return Ok(());
        };
        let plan = TargetsPlan::read(targets);
        let plan = plan.map_err(|error| refusal::author(&error, &Names::default()))?;
        find_role(&plan, &RoleName::Line(line.to_owned()))?;
        Ok(())
    }

    /// The keys that may sign documents of a role; both key lists for a root.
    pub(crate) fn keys(&self, draft: &Draft) -> anyhow::Result<Vec<RoleKeys>> {
        let none = Names::default();
        let read = |error: AuthorError| anyhow::Error::from(refusal::author(&error, &none));
        let root = || -> anyhow::Result<RootPlan> {
            let root = self
                .root
                .as_ref()
                .ok_or_else(|| missing("root", "--root FILE"))?;
            RootPlan::read(root).map_err(read)
        };
        match draft.role() {
            RoleName::Root => {
                let own = RootPlan::read(&draft.bytes()).map_err(read)?.root;
                let before = match &self.root {
                    Some(root) => Some(RootPlan::read(root).map_err(read)?.root),
                    None => None,
                };
                Ok(before.into_iter().chain([own]).collect())
            }
            RoleName::Timestamp => Ok(vec![root()?.timestamp]),
            RoleName::Snapshot => Ok(vec![root()?.snapshot]),
            RoleName::Targets => Ok(vec![root()?.targets]),
            role @ (RoleName::Line(_) | RoleName::Rollout | RoleName::Membership) => {
                let targets = self.targets.as_ref();
                let targets = targets.ok_or_else(|| missing("targets", "--authority DIR"))?;
                let plan = TargetsPlan::read(targets).map_err(read)?;
                Ok(vec![find_role(&plan, role)?.clone()])
            }
            RoleName::Delegated(name) => {
                let message = format!("{name} is no role of this network");
                Err(Failure::trust("E_TRUST_NOT_DELEGATED", message).into())
            }
        }
    }
}

/// The roles of a network and their keys: those of the root, then the delegated.
pub(crate) fn all_roles(root: RootPlan, targets: Option<&TargetsPlan>) -> Vec<(String, RoleKeys)> {
    let mut roles = vec![
        ("root".to_owned(), root.root),
        ("targets".to_owned(), root.targets),
        ("snapshot".to_owned(), root.snapshot),
        ("timestamp".to_owned(), root.timestamp),
    ];
    let delegated = targets.into_iter().flat_map(TargetsPlan::delegated);
    roles.extend(delegated.map(|(role, keys)| (role.to_string(), keys.clone())));
    roles
}

/// Refuses what cannot be the name of a release line.
pub(crate) fn refuse_bad_line(line: &str) -> Result<(), Failure> {
    if is_line(line) {
        return Ok(());
    }
    let failure = Failure::usage(format!("{} is no name of a release line", safe(line)));
    Err(failure.hint("lower-case letters, digits, dot, dash, underscore; at most 48"))
}

/// The keys of a role that the targets delegate.
pub(crate) fn find_role<'a>(
    plan: &'a TargetsPlan,
    role: &RoleName,
) -> Result<&'a RoleKeys, Failure> {
    plan.keys_of(role).ok_or_else(|| {
        let delegated = plan.delegated().into_iter();
        let names: Vec<String> = delegated.map(|(role, _)| role.to_string()).collect();
        let message = format!("the targets do not delegate {}", safe(&role.to_string()));
        let hint = format!(
            "delegated: {}; a further role needs new targets, signed for it",
            safe(&names.join(", "))
        );
        Failure::trust("E_TRUST_NOT_DELEGATED", message).hint(hint)
    })
}

/// The statement before, and the version of the next one.
pub(crate) fn next_line(
    line: &str,
    previous: Option<&[u8]>,
) -> anyhow::Result<(Option<LinePlan>, u64)> {
    let Some(previous) = previous else {
        return Ok((None, 1));
    };
    debug_assert!(previous.len() <= STATEMENT_LEN_MAX);
    let plan = LinePlan::read(line, previous);
    let plan = plan.map_err(|error| refusal::author(&error, &Names::default()))?;
    let next = plan.version.saturating_add(1);
    Ok((Some(plan), next))
}

fn missing(what: &str, hint: &str) -> Failure {
    Failure::failed("E_NO_AUTHORITY", format!("no {what} document is at hand"))
        .hint(format!("give it with {hint}"))
}
