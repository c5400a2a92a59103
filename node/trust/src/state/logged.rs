//! The log as one node knows it: a newer timestamp counts only if its log
//! contains all of the one before.

use std::cmp::Ordering;

use crate::document::{Held, Timestamp};
use crate::envelope::Envelope;
use crate::key::sha256;
use crate::log::head::{Hash, Leaves, LogHead, Replaced, leaf_hash};
use crate::log::tile::read_hashes;
use crate::log::tree::Tree;
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::state::admit::Source;
use crate::state::chain::{Chain, LogStep, Step};
use crate::state::equivocation::{Authority, Equivocation};
use crate::state::{Admission, Verifier};
use crate::time::UtcTime;

/// A verified timestamp whose log is not shown to continue the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unproven {
    /// Its version.
    pub version: u64,
    /// The head that it names.
    pub head: LogHead,
}

impl Chain {
    /// T-72. What a timestamp does to the log, if it continues the known one, or
    /// may be another (T-79).
    ///
    /// # Errors
    /// `Rollback` if the log is smaller or gone, `Contradiction` if it is shown
    /// to be another one, `Unproven` if more leaves are needed, `HashMismatch`
    /// if a whole list of leaves does not lead to its root.
    pub(crate) fn check_log(
        &self,
        next: &Held<Timestamp>,
        leaves: Leaves<'_>,
    ) -> Result<LogStep, Refusal> {
        let Some(from) = self.floors.log() else {
            return self.check_former(next.body.log, leaves);
        };
        let to = next.body.log.ok_or(Refusal::Rollback)?;
        if to.size < from.size {
            return Err(Refusal::Rollback);
        }
        if to.size == from.size {
            let same = to.root == from.root;
            return if same {
                Ok(LogStep::Same)
            } else {
                Err(Refusal::Contradiction)
            };
        }
        let tree = self.tree_of(&to, leaves)?;
        if tree.has(&from) {
            Ok(LogStep::Grown(tree))
        } else {
            Err(Refusal::Contradiction)
        }
    }

    /// T-79. The first log of a new signer is compared with the one that the
    /// former had. The root took that one its place, perhaps because a thief had
    /// moved the log on: another log is taken, and told of. One that may go on
    /// has to be shown, or a thief of the new key could hide what is in the old.
    fn check_former(&self, to: Option<LogHead>, leaves: Leaves<'_>) -> Result<LogStep, Refusal> {
        let Some(former) = self.floors.former() else {
            return Ok(LogStep::Same);
        };
        let other = Ok(LogStep::Other(Tree::default()));
        match to {
            None => other,
            Some(to) if to == former => Ok(LogStep::Same),
            Some(to) if to.size <= former.size => other,
            Some(to) => {
                let tree = self.tree_of(&to, leaves)?;
                Ok(if tree.has(&former) {
                    LogStep::Grown(tree)
                } else {
                    LogStep::Other(tree)
                })
            }
        }
    }

    /// The tree of a head, of the known leaves and those that are given.
    fn tree_of(&self, head: &LogHead, leaves: Leaves<'_>) -> Result<Tree, Refusal> {
        let Leaves { from, hashes } = leaves;
        let end = from.saturating_add(hashes.len() as u64);
        let known = self.tree.size();
        if hashes.is_empty() || end < head.size || from > known {
            return Err(Refusal::Unproven);
        }
        let count = |to: u64| usize::try_from(to - from).unwrap_or(usize::MAX);
        let hashes = &hashes[..count(head.size)];
        let tree = if from == 0 {
            Tree::of(hashes.iter().copied())
        } else {
            let mut tree = self.tree.clone();
            tree.extend(hashes.iter().skip(count(known)).copied());
            tree
        };
        match tree.head() == *head {
            true => Ok(tree),
            // Of a list that begins at the first leaf nothing else is possible.
            false if from == 0 => Err(Refusal::HashMismatch),
            false => Err(Refusal::Unproven),
        }
    }
}

impl Verifier {
    /// As [`Verifier::admit`], for a timestamp with the leaves that its log has
    /// more than the known one.
    ///
    /// # Errors
    /// Those of [`Verifier::admit`]; `HashMismatch` too for a whole list of
    /// leaves that does not lead to the root.
    pub fn admit_logged(
        &self,
        bytes: &[u8],
        leaves: Leaves<'_>,
        utc: UtcTime,
    ) -> Result<Admission, Refusal> {
        let source = Source::Foreign(utc);
        let step = self.chain.admit_timestamp(bytes, source, leaves)?;
        Ok(self.admission(&RoleName::Timestamp, step))
    }

    /// What a timestamp names that [`Verifier::admit`] refused as `Unproven`.
    pub fn unproven(&self, bytes: &[u8]) -> Option<Unproven> {
        let held = self.chain.signed_timestamp(bytes).ok()?;
        Some(Unproven {
            version: held.version,
            head: held.body.log?,
        })
    }

    /// The newest log head that was taken over.
    pub fn log_floor(&self) -> Option<LogHead> {
        self.chain.floors.log()
    }

    /// The log that a rotation let take the place of the known one, until a newer
    /// root is held than the one that did (T-79).
    pub fn log_replaced(&self) -> Option<Replaced> {
        self.chain.floors.replaced()
    }

    /// Leaves that are held, all of them shown to be in the log.
    pub fn log_tree(&self) -> &Tree {
        &self.chain.tree
    }

    /// Whether the leaves of the newest head are still missing, as they are
    /// after the first timestamp.
    pub fn lacks_leaves(&self) -> bool {
        let floor = self.log_floor();
        floor.is_some_and(|floor| self.chain.tree.size() != floor.size)
    }

    /// Takes in the leaves of the newest head.
    ///
    /// # Errors
    /// `HashMismatch` if they do not lead to its root, `Pending` without a log.
    pub fn fill_log(&mut self, leaves: &[Hash]) -> Result<(), Refusal> {
        let floor = self.log_floor().ok_or(Refusal::Pending)?;
        let size = usize::try_from(floor.size).unwrap_or(usize::MAX);
        let leaves = leaves.get(..size).ok_or(Refusal::HashMismatch)?;
        let tree = Tree::of(leaves.iter().copied());
        if tree.head() != floor {
            return Err(Refusal::HashMismatch);
        }
        self.chain.tree = tree;
        self.move_state_id(&sha256(&floor.root));
        Ok(())
    }

    /// Takes in what the own store gives back. Leaves beyond the newest head were
    /// on their way when the node ended; others than its own are let go of, and
    /// `false` says so.
    pub fn restore_log(&mut self, leaves: &[u8]) -> bool {
        read_hashes(leaves).is_ok_and(|hashes| self.fill_log(&hashes).is_ok())
    }

    /// T-74. Whether the held document of a role is in the log; always so where
    /// the network has none.
    pub fn is_logged(&self, role: &RoleName) -> bool {
        self.log_floor().is_none() || self.logged_at(role).is_some()
    }

    /// Position of the held document of a role in the log; `None` if it is not in
    /// it, or not held.
    pub fn logged_at(&self, role: &RoleName) -> Option<u64> {
        let chain = &self.chain;
        let digest = match role {
            RoleName::Root => Some(chain.root.digest),
            RoleName::Timestamp => chain.timestamp.as_ref().map(|held| held.digest),
            RoleName::Snapshot => chain.snapshot.as_ref().map(|held| held.digest),
            RoleName::Targets => chain.targets.as_ref().map(|held| held.digest),
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => {
                let held = chain.delegated.get(&role.to_string());
                held.map(|held| held.digest)
            }
        };
        chain.tree.position(&leaf_hash(&digest?))
    }

    /// Whether a head that somebody names cannot be of the known log; `false`
    /// where that is not known.
    pub fn is_other_log(&self, head: &LogHead) -> bool {
        let same_size = self.log_floor().filter(|floor| floor.size == head.size);
        let root = same_size.map(|floor| floor.root);
        let root = root.or_else(|| self.chain.tree.root_at(head.size));
        root.is_some_and(|root| root != head.root)
    }

    /// T-73. What proves that the log was split, if this timestamp and the held
    /// one do: no log has both of their heads.
    pub fn prove_split(&self, other: &[u8], leaves: Leaves<'_>) -> Option<Equivocation> {
        let own = self.chain.timestamp.as_ref()?;
        let held = self.chain.signed_timestamp(other).ok()?;
        let (one, two) = (own.body.log?, held.body.log?);
        let bridge = match two.size.cmp(&one.size) {
            Ordering::Equal => Vec::new(),
            Ordering::Less => self.chain.tree.bridge(two.size, one.size)?,
            Ordering::Greater => {
                let tree = self.chain.tree_of(&two, leaves).ok()?;
                tree.bridge(one.size, two.size)?
            }
        };
        let roots = self.chain.roots.range(..=self.chain.root.version);
        let authority = Authority {
            roots: roots.map(|(_, root)| &**root).collect(),
            delegator: &[],
        };
        Equivocation::of_split(&authority, [&own.bytes, other], &bridge)
    }
}

impl Chain {
    /// A timestamp, after its signatures alone were checked.
    fn signed_timestamp(&self, bytes: &[u8]) -> Result<Held<Timestamp>, Refusal> {
        let envelope = Envelope::open_any(self.profile, &RoleName::Timestamp, bytes)?;
        Held::verify(&envelope, bytes, &self.root.body.timestamp)
    }

    /// The step that takes a timestamp over, with the tree after it.
    pub(crate) fn timestamp_step(
        &self,
        next: Held<Timestamp>,
        source: Source,
        leaves: Leaves<'_>,
    ) -> Result<Step, Refusal> {
        let log = match source {
            Source::Foreign(_) => self.check_log(&next, leaves)?,
            Source::Store => LogStep::Same,
        };
        Ok(Step::Timestamp(Box::new(next), log))
    }
}
