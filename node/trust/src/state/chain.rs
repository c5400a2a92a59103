//! The documents that are trusted together, and what taking one over changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Body, Held, Pin, Root, Snapshot, Targets, Timestamp};
use crate::envelope::Envelope;
use crate::limits::Profile;
use crate::log::tree::Tree;
use crate::role::RoleName;
use crate::state::floor::Floors;
use crate::threshold::RoleKeys;

/// Trusted documents and floors.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) profile: Profile,
    /// Root documents since the anchor.
    pub(crate) roots: BTreeMap<u64, Arc<[u8]>>,
    pub(crate) root: Held<Root>,
    pub(crate) timestamp: Option<Held<Timestamp>>,
    pub(crate) snapshot: Option<Held<Snapshot>>,
    pub(crate) targets: Option<Held<Targets>>,
    /// Documents of delegated roles, by role name; in a mesh the statements of
    /// release lines.
    pub(crate) delegated: BTreeMap<String, Held<Targets>>,
    /// The keys against which each of them was checked: a look-up passes a role
    /// many times, and by the same keys the answer is the same.
    pub(crate) vouched: BTreeMap<String, RoleKeys>,
    pub(crate) floors: Floors,
    /// Leaves of the log of the held timestamp; empty until somebody gave them.
    pub(crate) tree: Tree,
    pub(crate) load: Load,
}

/// Which statements are loaded (T-24).
#[derive(Debug, Clone)]
pub(crate) struct Load {
    all: bool,
    lines: Vec<String>,
}

impl Load {
    /// `*` among the lines loads every line.
    pub(crate) fn new(lines: &[String]) -> Self {
        Self {
            all: lines.iter().any(|line| line == "*"),
            lines: lines.to_vec(),
        }
    }

    /// Every node loads what says when something is applied and who may stop.
    pub(crate) fn takes(&self, role: &RoleName) -> bool {
        match role {
            RoleName::Line(line) => self.all || self.lines.iter().any(|own| own == line),
            RoleName::Rollout | RoleName::Membership => true,
            RoleName::Root
            | RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Delegated(_) => false,
        }
    }
}

/// One verified document on its way into the chain.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// It is held already.
    Same,
    Root(Box<Held<Root>>),
    /// With what becomes of the log.
    Timestamp(Box<Held<Timestamp>>, LogStep),
    Snapshot(Box<Held<Snapshot>>),
    Targets(Box<Held<Targets>>),
    /// Of a delegated role of this name, checked against these keys.
    Delegated(String, Box<Held<Targets>>, RoleKeys),
}

/// What a timestamp does to the log.
#[derive(Debug, Clone)]
pub(crate) enum LogStep {
    /// As many leaves as before, or as many as nobody has given yet.
    Same,
    /// More leaves.
    Grown(Tree),
    /// Another log than the one that the former signer had, with the leaves that
    /// are known of it.
    Other(Tree),
}

impl Chain {
    /// The pin of the snapshot.
    pub(crate) fn snapshot_pin(&self) -> Option<&Pin> {
        self.timestamp.as_ref().map(|held| &held.body.snapshot)
    }

    /// The pin of a targets document.
    pub(crate) fn pin(&self, role: &RoleName) -> Option<&Pin> {
        let snapshot = self.snapshot.as_ref()?;
        snapshot.body.roles.get(&role.to_string())
    }

    /// The role of a held document of a delegated role.
    pub(crate) fn role_of(&self, name: &str) -> RoleName {
        let line = match self.profile {
            Profile::Mesh => name.parse().ok(),
            Profile::Foreign => None,
        };
        line.unwrap_or_else(|| RoleName::Delegated(name.to_owned()))
    }

    /// The snapshot, if it is the one that the timestamp pins.
    pub(crate) fn current_snapshot(&self) -> Option<&Held<Snapshot>> {
        let held = self.snapshot.as_ref()?;
        self.snapshot_pin()?.fits(held).then_some(held)
    }

    /// The top targets, if they are the ones that the current snapshot pins.
    pub(crate) fn current_targets(&self) -> Option<&Held<Targets>> {
        self.current_snapshot()?;
        let held = self.targets.as_ref()?;
        self.pin(&RoleName::Targets)?.fits(held).then_some(held)
    }

    /// Roles that the top targets delegate to and whose statements are loaded,
    /// in their order.
    pub(crate) fn loaded_roles(&self) -> Vec<RoleName> {
        let Some(targets) = &self.targets else {
            return Vec::new();
        };
        let names = targets.body.delegations.iter();
        let roles = names.filter_map(|role| role.name.parse().ok());
        roles.filter(|role| self.load.takes(role)).collect()
    }

    /// Takes over a document that was admitted against this very chain.
    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Same => {}
            Step::Root(root) => self.take_root(*root),
            Step::Timestamp(held, log) => {
                let floors = &mut self.floors;
                floors.raise("timestamp", held.version, Some(held.digest));
                floors.raise("snapshot", held.body.snapshot.version, None);
                floors.timestamp_seen(&held.signers, held.body.issued);
                match log {
                    LogStep::Same => floors.log_seen(held.body.log),
                    LogStep::Grown(tree) => {
                        floors.log_seen(held.body.log);
                        self.tree = tree;
                    }
                    LogStep::Other(tree) => {
                        floors.log_replaced(held.body.log, self.root.version);
                        self.tree = tree;
                    }
                }
                self.timestamp = Some(*held);
            }
            Step::Snapshot(held) => {
                let floors = &mut self.floors;
                floors.raise("snapshot", held.version, Some(held.digest));
                for (role, pin) in &held.body.roles {
                    floors.raise(role, pin.version, None);
                }
                floors.snapshot_seen(&held.signers);
                self.snapshot = Some(*held);
            }
            Step::Targets(held) => {
                let floors = &mut self.floors;
                floors.raise("targets", held.version, Some(held.digest));
                self.targets = Some(*held);
                self.recheck_lines();
            }
            Step::Delegated(role, held, keys) => {
                self.floors.raise(&role, held.version, Some(held.digest));
                self.vouched.insert(role.clone(), keys);
                self.delegated.insert(role, *held);
            }
        }
    }

    fn take_root(&mut self, root: Held<Root>) {
        self.roots.insert(root.version, Arc::clone(&root.bytes));
        self.floors.raise("root", root.version, Some(root.digest));
        self.floors.root_seen(root.version);
        self.root = root;
        self.void_floors();
        // A held document stands only while its current delegator's keys
        // signed it (T-20).
        let (profile, keys) = (self.profile, &self.root.body.targets);
        let stands = |held: &Held<Targets>| still_signed(profile, &RoleName::Targets, held, keys);
        if !self.targets.as_ref().is_some_and(stands) {
            self.targets = None;
        }
    }

    /// Gives floors, timestamp and snapshot up if their signers no longer speak.
    pub(crate) fn void_floors(&mut self) {
        let keys = &self.root.body;
        // An older root than one that was seen must not judge the signers.
        let newest = self.root.version >= self.floors.version("root");
        if newest && !self.floors.stand(&keys.timestamp, &keys.snapshot) {
            self.floors.void();
            self.tree = Tree::default();
            self.timestamp = None;
            self.snapshot = None;
        }
    }

    /// Raises the floors to stored ones, and lets go of documents that are
    /// older than those.
    pub(crate) fn restore_floors(&mut self, stored: &Floors) {
        self.forget_voided(stored);
        self.floors.merge(stored);
        self.floors.root_seen(self.root.version);
        self.void_floors();
        let floors = &self.floors;
        let older_root = self.root.version < floors.version("root");
        let low = |held: &Held<Timestamp>| held.version < floors.version("timestamp");
        if older_root || self.timestamp.as_ref().is_some_and(low) {
            self.timestamp = None;
        }
        let sinks = |held: &Held<Snapshot>| !lists_all(&held.body, floors);
        if older_root || self.snapshot.as_ref().is_some_and(sinks) {
            self.snapshot = None;
        }
    }

    /// Floors are stored after each document, so one that they do not know was
    /// voided, and its file only outlived that: taken for good it would bring
    /// back the fast-forward that a rotation undid, wherever its own key was
    /// not the rotated one (T-32).
    fn forget_voided(&mut self, stored: &Floors) {
        if stored.version("targets") > 0 {
            return;
        }
        self.floors.void();
        self.snapshot = None;
        let known = stored.version("timestamp") > 0;
        if let Some(held) = self.timestamp.take().filter(|_| known) {
            self.take(Step::Timestamp(Box::new(held), LogStep::Same));
        }
    }

    /// In a foreign repository a look-up checks every role that it visits.
    fn recheck_lines(&mut self) {
        let (Some(targets), Profile::Mesh) = (&self.targets, self.profile) else {
            return;
        };
        self.delegated.retain(|role, held| {
            let delegation = targets.body.delegation(role);
            let Ok(name) = role.parse() else {
                return false;
            };
            delegation.is_some_and(|delegation| {
                still_signed(Profile::Mesh, &name, held, &delegation.keys)
            })
        });
    }
}

/// Whether a snapshot lists every role ever listed, none at a lower version.
pub(crate) fn lists_all(snapshot: &Snapshot, floors: &Floors) -> bool {
    floors.listed().all(|(role, floor)| {
        let pin = snapshot.roles.get(role);
        pin.is_some_and(|pin| pin.version >= floor)
    })
}

/// Signers are recorded by key, so a changed key list needs the signatures
/// again only where ids decide; the bytes are checked as if they came anew.
pub(crate) fn still_signed<T: Body>(
    profile: Profile,
    role: &RoleName,
    held: &Held<T>,
    keys: &RoleKeys,
) -> bool {
    let envelope = Envelope::open_any(profile, role, &held.bytes);
    envelope.is_ok_and(|envelope| keys.check(&envelope).is_ok())
}
