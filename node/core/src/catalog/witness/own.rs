//! This node as a witness (T-76): it cosigns the newest head that it holds all
//! leaves of. What it signs is durable before the signature exists, and it never
//! signs another root of a size, nor a smaller size after a larger one.

use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::role::RoleName;

use crate::catalog::action::Action;
use crate::catalog::machine::Catalog;
use crate::output::{Notice, Silent};
use crate::record::{Record, Witnessed};
use crate::time::{Now, Time};

impl Catalog {
    /// Orders a cosignature of the newest head, if it may be given.
    pub(crate) fn cosign(&mut self, now: Now, out: &mut Vec<Action>) {
        let Some(head) = self.to_cosign() else {
            return;
        };
        // A time that goes back would say that less was seen later.
        let utc = self.utc(now).max(self.cosigning.own.signed.utc);
        self.cosigning.own.ordered = Some(head);
        self.cosigning.own.signed = Witnessed { head, utc };
        out.push(Action::Persist(Record::Witnessed(
            self.cosigning.own.signed,
        )));
        out.push(Action::Cosign { head, utc });
    }

    /// The head that is to be signed now: the newest, all leaves of which are
    /// held and contain all that was signed before.
    fn to_cosign(&self) -> Option<LogHead> {
        if self.cosigning.own.told.is_some() || !self.is_witness() || self.is_recovering() {
            return None;
        }
        let head = self.verifier.log_floor()?;
        let ordered = self.cosigning.own.ordered == Some(head);
        let done = ordered || self.cosigning.set.head(&self.me.0) == Some(head);
        let frozen = self.alarms.is_frozen(&RoleName::Timestamp, &self.verifier);
        (!done && !frozen && !self.verifier.lacks_leaves()).then_some(head)
    }

    fn is_witness(&self) -> bool {
        self.cosigning.set.contains(&self.me.0)
    }

    /// What this key has signed by somebody's account is not undercut again,
    /// whatever the own store says.
    pub(crate) fn saw_own(&mut self, cosignature: &Cosignature, out: &mut Vec<Action>) {
        let own = &mut self.cosigning.own;
        let head = cosignature.head;
        if cosignature.witness != self.me.0 || head.size <= own.signed.head.size {
            return;
        }
        let utc = cosignature.stated().max(own.signed.utc);
        own.signed = Witnessed { head, utc };
        // While it is lost, a record would say that it is known again.
        if own.lost.is_none() {
            out.push(Action::Persist(Record::Witnessed(own.signed)));
        }
    }

    /// Ends the time after a loss of what was signed once enough others have
    /// said what they have; says why a witness is silent.
    pub(crate) fn watch_own(&mut self, now: Now, out: &mut Vec<Action>) {
        let listed = self.is_witness();
        let lost = self.cosigning.own.lost.as_ref();
        if listed && lost.is_some_and(|lost| lost.has_enough(now.mono)) {
            self.cosigning.own.lost = None;
            let signed = self.cosigning.own.signed;
            out.push(Action::Persist(Record::Witnessed(signed)));
        }
        let silent = if !listed {
            None
        } else if self.cosigning.own.lost.is_some() {
            Some(Silent::Lost)
        } else {
            (!self.continues_signed()).then_some(Silent::OtherLog)
        };
        if std::mem::replace(&mut self.cosigning.own.told, silent) != silent {
            out.push(Action::Notify(Notice::WitnessSilent(silent)));
        }
    }

    /// Whether the known log contains what was signed last; also while its leaves
    /// are missing.
    fn continues_signed(&mut self) -> bool {
        let Some(floor) = self.verifier.log_floor() else {
            return true;
        };
        if self.verifier.lacks_leaves() {
            return true;
        }
        let own = &mut self.cosigning.own;
        let asked = (floor, own.signed.head);
        // A root takes some hundred hashes, and this is asked at every event.
        match own.compared {
            Some((known, continues)) if known == asked => continues,
            _ => {
                let continues = self.verifier.log_tree().has(&own.signed.head);
                own.compared = Some((asked, continues));
                continues
            }
        }
    }

    /// When the time after a loss may be over without another event.
    pub(crate) fn next_own(&self, now: Time) -> Option<Time> {
        let lost = self.cosigning.own.lost.as_ref();
        let listed = self.is_witness();
        lost.filter(|_| listed).and_then(|lost| lost.settles(now))
    }
}
