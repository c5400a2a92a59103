//! Cosignatures reach every node: a new one is pushed to each peer, what two
//! nodes keep is compared when they meet, and who lacks something is sent all
//! (T-77). One is verified and durable before it is passed on or counts.

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::witnesses::Taken;
use patchmesh_trust::refusal::Refusal;

use crate::catalog::action::Action;
use crate::catalog::machine::Catalog;
use crate::output::{Notice, OtherLog};
use crate::record::Record;
use crate::time::{Duration, Now, Time};

/// What a refused cosignature is called.
const WHAT: &str = "cosignature";
/// Least time between two times that all cosignatures are sent to one peer, and
/// how much longer for each: what a member that asks in vain can cost.
const AGAIN: Duration = Duration::secs(1);
const AGAIN_PER_COSIGNATURE: Duration = Duration::millis(20);

impl Catalog {
    /// After every event: takes over new keys, cosigns, and sends what is owed.
    pub(crate) fn follow_witnesses(&mut self, now: Now, out: &mut Vec<Action>) {
        self.take_witnesses(out);
        self.watch_own(now, out);
        self.cosign(now, out);
        self.tell_other_logs(out);
        self.settle_cosigned(now.mono, out);
    }

    /// A peer passes a cosignature on; `None` for one of the own key.
    pub(crate) fn give_cosignature(
        &mut self,
        from: Option<PeerId>,
        cosignature: &Cosignature,
        now: Now,
        out: &mut Vec<Action>,
    ) {
        // Who follows no witnesses yet is sent everything once it does.
        let peer = from.and_then(|from| self.peers.get_mut(&from));
        if self.cosigning.set.is_empty() || peer.is_some_and(|peer| !peer.may_cosign(now.mono)) {
            return;
        }
        let tree = self.verifier.log_tree();
        match self.cosigning.set.take(cosignature.clone(), tree) {
            Ok(Taken::Known) => {}
            Ok(taken) => {
                self.placed(from, cosignature, taken, out);
            }
            Err(refusal) => {
                // Who has other keys calls other cosignatures genuine.
                let to_blame = refusal != Refusal::UnknownKey;
                self.refuse_flooded((WHAT, refusal.code()), (from, to_blame), now, out);
            }
        }
    }

    /// Acts on a genuine cosignature that was not known.
    fn placed(
        &mut self,
        from: Option<PeerId>,
        cosignature: &Cosignature,
        taken: Taken,
        out: &mut Vec<Action>,
    ) {
        let (witness, head) = (cosignature.witness, cosignature.head);
        self.saw_own(cosignature, out);
        match taken {
            Taken::Known | Taken::Ahead => return,
            Taken::Kept => {
                out.push(Action::Persist(Record::Cosignature {
                    witness,
                    bytes: Some(cosignature.encode().into()),
                }));
                out.push(Action::Notify(Notice::Cosigned {
                    witness: PeerId(witness),
                    site: self.site_of(&witness),
                    size: head.size,
                }));
                out.push(Action::Listed);
            }
            Taken::Other => refused(from, Refusal::Contradiction, out),
        }
        let others = self.peers.keys().filter(|to| Some(**to) != from);
        out.extend(others.map(|to| Action::SendCosignature {
            to: *to,
            cosignature: cosignature.clone(),
        }));
    }

    fn site_of(&self, witness: &[u8; 32]) -> String {
        self.cosigning
            .set
            .site(witness)
            .unwrap_or_default()
            .to_owned()
    }

    /// Takes over who is a witness, where that is new. Keys stay in force while
    /// their successors are missing; without a statement that names any, there
    /// are no witnesses.
    fn take_witnesses(&mut self, out: &mut Vec<Action>) {
        let current = self.annexes.current(AnnexName::Keys);
        let sha256 = current.map(|opened| opened.annex.sha256);
        let gone = self.cosigning.keys.is_some() && !self.annexes.is_named(AnnexName::Keys);
        if self.cosigning.keys == sha256 || (sha256.is_none() && !gone) {
            return;
        }
        let none = Keys::default();
        let keys = match current.map(|opened| &*opened.body) {
            Some(AnnexBody::Keys(keys)) => keys,
            _ => &none,
        };
        let forgotten = self.cosigning.set.set_keys(keys);
        self.cosigning.keys = sha256;
        self.cosigning.own.ordered = None;
        out.extend(forgotten.into_iter().map(forget));
        for stored in std::mem::take(&mut self.cosigning.stored) {
            let witness = stored.witness;
            let tree = self.verifier.log_tree();
            match self.cosigning.set.take(stored.clone(), tree) {
                Ok(_) => self.saw_own(&stored, out),
                Err(_) => out.push(forget(witness)),
            }
        }
        out.push(Action::Listed);
        let everyone: Vec<PeerId> = self.peers.keys().copied().collect();
        for to in everyone {
            self.ask_cosigned(to, out);
        }
    }

    /// Judges by new leaves what could not be judged before.
    pub(crate) fn judge_by_leaves(&mut self, out: &mut Vec<Action>) {
        let Some(floor) = self.verifier.log_floor() else {
            return;
        };
        let before = self.cosigning.judged_by;
        if self.verifier.lacks_leaves() || floor == before {
            return;
        }
        self.cosigning.judged_by = floor;
        let tree = self.verifier.log_tree();
        if !tree.has(&before) {
            let gone = self.cosigning.set.replaced(tree);
            out.extend(gone.into_iter().map(forget));
            out.push(Action::Listed);
        }
        let mut news = Vec::new();
        for (cosignature, taken) in self.cosigning.set.grown(tree) {
            self.placed(None, &cosignature, taken, &mut news);
        }
        // All of them count already, so all are stored before the first is acted on.
        let is_record = |action: &mut Action| matches!(action, Action::Persist(_));
        out.extend(news.extract_if(.., is_record));
        out.append(&mut news);
    }

    /// A peer says which cosignatures it keeps.
    pub(crate) fn compared_cosigned(
        &mut self,
        from: PeerId,
        digest: [u8; 32],
        asks: bool,
        now: Time,
    ) {
        if self.cosigning.set.is_empty() {
            return;
        }
        let same = digest == self.cosigning.set.digest();
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        if asks && !same {
            peer.cosigned_owed = true;
        }
        // It has said all that it has, of this node's own too.
        if same || !asks {
            let origin = peer.origin;
            if let Some(lost) = &mut self.cosigning.own.lost {
                lost.answered(from, origin, now);
            }
        }
    }

    /// Asks a peer for the cosignatures that it keeps, if they are others; not
    /// where there are no witnesses.
    pub(crate) fn ask_cosigned(&self, to: PeerId, out: &mut Vec<Action>) {
        if !self.cosigning.set.is_empty() {
            let digest = self.cosigning.set.digest();
            let asks = true;
            out.push(Action::SendCosigned { to, digest, asks });
        }
    }

    /// Sends all cosignatures to peers that asked, each in its time.
    fn settle_cosigned(&mut self, now: Time, out: &mut Vec<Action>) {
        let set = &self.cosigning.set;
        for (to, peer) in &mut self.peers {
            if !peer.cosigned_owed || peer.cosigned_from > now {
                continue;
            }
            let queued = out.len();
            out.extend(set.all().map(|cosignature| Action::SendCosignature {
                to: *to,
                cosignature: cosignature.clone(),
            }));
            let count = (out.len() - queued) as u64;
            peer.cosigned_owed = false;
            peer.cosigned_from = now.plus(Duration(AGAIN.0 + AGAIN_PER_COSIGNATURE.0 * count));
            let (digest, asks) = (set.digest(), false);
            out.push(Action::SendCosigned {
                to: *to,
                digest,
                asks,
            });
        }
    }

    /// When something that is owed may be sent.
    pub(crate) fn next_cosigned(&self) -> Option<Time> {
        let owed = self.peers.values().filter(|peer| peer.cosigned_owed);
        owed.map(|peer| peer.cosigned_from).min()
    }

    /// Says which witnesses have signed another log, when that changes.
    fn tell_other_logs(&mut self, out: &mut Vec<Action>) {
        let shown = self.cosigning.set.shown();
        let others = shown.filter_map(|one| {
            one.other.map(|LogHead { size, .. }| OtherLog {
                witness: PeerId(one.witness),
                site: one.site.to_owned(),
                size,
            })
        });
        let others: Vec<OtherLog> = others.collect();
        if std::mem::replace(&mut self.cosigning.told_other, others.len()) != others.len() {
            out.push(Action::Notify(Notice::OtherLogs(others)));
        }
    }
}

fn refused(from: Option<PeerId>, refusal: Refusal, out: &mut Vec<Action>) {
    out.push(Action::Notify(Notice::Refused {
        what: WHAT.to_owned(),
        code: refusal.code(),
        from,
    }));
}

fn forget(witness: [u8; 32]) -> Action {
    let bytes = None;
    Action::Persist(Record::Cosignature { witness, bytes })
}
