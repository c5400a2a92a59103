//! Leaves: taken in with each newer timestamp, kept, and given to others (T-72).

use patchmesh_trust::log::head::{Hash, Leaves};
use patchmesh_trust::log::tile::read_hashes;
use patchmesh_trust::log::tree::{TILE_WIDTH, Tree};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::logged::Unproven;

use crate::catalog::action::Action;
use crate::catalog::log::follow::{Waiting, asked_leaves};
use crate::catalog::machine::Catalog;
use crate::message::DocumentRef;
use crate::output::{Answer, Notice};
use crate::record::Record;
use crate::time::Now;

/// Leaves that travel with a timestamp: more than one publication adds.
const TOLD_MAX: u64 = 128;

impl Catalog {
    /// Keeps a timestamp that was refused as `Unproven` until its leaves come.
    pub(crate) fn wait_for_leaves(&mut self, bytes: &[u8], out: &mut Vec<Action>) {
        let Some(Unproven { version, head }) = self.verifier.unproven(bytes) else {
            return;
        };
        if self.log.version() >= version {
            return;
        }
        self.log.waiting = Some(Waiting {
            bytes: bytes.into(),
            version,
            head,
            whole: false,
        });
        out.push(Action::Notify(Notice::Unproven {
            version,
            size: head.size,
        }));
    }

    /// Says when another log took the place of the known one (T-79), and when that
    /// is over.
    pub(crate) fn watch_log(&mut self, out: &mut Vec<Action>) {
        let replaced = self.verifier.log_replaced();
        if std::mem::replace(&mut self.log.replaced, replaced) != replaced {
            out.push(Action::Notify(Notice::LogReplaced(replaced)));
        }
    }

    /// Lets go of a timestamp that the held one has caught up with.
    pub(crate) fn review_waiting(&mut self) {
        if self.log.version() <= self.verifier.version(&RoleName::Timestamp) {
            self.log.waiting = None;
        }
    }

    /// Takes over leaves; `Ok(false)` if nothing follows from them.
    pub(crate) fn learn_leaves(
        &mut self,
        (from, size): (u64, u64),
        bytes: &[u8],
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let hashes = read_hashes(bytes)?;
        let leaves = Leaves {
            from,
            hashes: &hashes,
        };
        let waiting = self.log.waiting.clone();
        if let Some(waiting) = waiting.filter(|waiting| waiting.head.size == size) {
            return self.settle(&waiting, leaves, now, out);
        }
        let held = self.verifier.log_floor();
        if from != 0 || held.is_none_or(|held| held.size != size) || !self.verifier.lacks_leaves() {
            return Ok(false);
        }
        self.verifier.fill_log(&hashes)?;
        self.persist_leaves(0, out);
        self.changed();
        Ok(true)
    }

    /// Admits the timestamp that waited.
    fn settle(
        &mut self,
        waiting: &Waiting,
        leaves: Leaves<'_>,
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let utc = self.utc(now);
        match self.verifier.admit_logged(&waiting.bytes, leaves, utc) {
            Ok(admission) => {
                self.take(admission, false, now, out);
                Ok(true)
            }
            Err(Refusal::Unproven) => {
                // A list from the first leaf on leaves no doubt.
                if leaves.from == 0 {
                    return Err(Refusal::HashMismatch);
                }
                if let Some(waiting) = &mut self.log.waiting {
                    waiting.whole = true;
                }
                Ok(true)
            }
            Err(Refusal::HashMismatch) => Err(Refusal::HashMismatch),
            Err(refusal) => {
                self.log.waiting = None;
                let timestamp = RoleName::Timestamp;
                let split = refusal == Refusal::Contradiction
                    && self.contradicted(&timestamp, &waiting.bytes, leaves, out);
                out.push(Action::Notify(Notice::Refused {
                    what: timestamp.to_string(),
                    code: refusal.code(),
                    from: None,
                }));
                Ok(split)
            }
        }
    }

    /// Makes leaves durable that the tree has more than this many.
    pub(crate) fn persist_leaves(&self, before: u64, out: &mut Vec<Action>) {
        let tree = self.verifier.log_tree();
        let tiles = before / TILE_WIDTH..tree.size().div_ceil(TILE_WIDTH);
        for tile in tiles {
            let from = tile * TILE_WIDTH;
            let to = tree.size().min(from + TILE_WIDTH);
            out.push(Action::Persist(Record::Log {
                tile,
                hashes: leaf_bytes(tree, from, to).into(),
            }));
        }
    }

    /// As [`Self::persist_leaves`], if a timestamp brought any; they also travel
    /// with it from here.
    pub(crate) fn leaves_taken(&mut self, before: u64, out: &mut Vec<Action>) {
        if self.verifier.log_tree().size() > before {
            self.log.told_from = before;
            self.persist_leaves(before, out);
        }
    }

    /// Position and bytes of the leaves that travel with the held timestamp;
    /// none if they are many.
    pub(crate) fn leaves_told(&self) -> (u64, Vec<u8>) {
        let (tree, from) = (self.verifier.log_tree(), self.log.told_from);
        if tree.size().saturating_sub(from) > TOLD_MAX {
            return (0, Vec::new());
        }
        (from, leaf_bytes(tree, from, tree.size()))
    }

    /// Leaves that are asked for.
    pub(crate) fn leaves(&self, document: &DocumentRef) -> Option<Answer> {
        let (from, size) = asked_leaves(document)?;
        let tree = self.verifier.log_tree();
        let held = size <= tree.size();
        held.then(|| Answer::Bytes(leaf_bytes(tree, from, size).into()))
    }
}

fn leaf_bytes(tree: &Tree, from: u64, to: u64) -> Vec<u8> {
    let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let leaves: &[Hash] = tree.level(0).get(at(from)..at(to)).unwrap_or_default();
    leaves.concat()
}
