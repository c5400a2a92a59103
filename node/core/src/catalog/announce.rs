//! Gossip in, verdict out (T-40).

use patchmesh_content::id::PeerId;
use patchmesh_trust::log::head::Leaves;
use patchmesh_trust::log::tile::read_hashes;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::catalog::action::Action;
use crate::catalog::machine::Catalog;
use crate::catalog::peers::Peer;
use crate::message::Announcement;
use crate::output::{Notice, Verdict};
use crate::time::Now;

impl Catalog {
    /// Judges a message of an admitted peer (T-42). What is accepted was made durable
    /// by an action before.
    pub(crate) fn judge(
        &mut self,
        from: PeerId,
        announcement: &Announcement,
        now: Now,
        out: &mut Vec<Action>,
    ) -> Verdict {
        let head = self.verifier.head();
        let role = RoleName::Timestamp;
        let frozen = self.refuses(&role);
        let Some(peer) = self.peers.get_mut(&from) else {
            return Verdict::Ignore;
        };
        if !peer.may_gossip(now.mono) {
            return self.pass_over(from, now, out);
        }
        if announcement.root_version > head.root {
            // The chain of roots is asked for like any claim; until then the
            // timestamp cannot be judged (T-18).
            let claim = &mut peer.claim;
            claim[0] = claim[0].max(announcement.root_version);
            claim[1] = claim[1].max(head.timestamp.saturating_add(1));
            return Verdict::Ignore;
        }
        if frozen {
            return Verdict::Ignore;
        }
        let bytes = &announcement.timestamp;
        let utc = self.clock.utc(now);
        let hashes = read_hashes(&announcement.leaves).unwrap_or_default();
        let leaves = Leaves {
            from: announcement.log_from,
            hashes: &hashes,
        };
        let refusal = match self.verifier.admit_logged(bytes, leaves, utc) {
            Ok(admission) if admission.is_new() => {
                let version = admission.version();
                peer.claim[1] = peer.claim[1].max(version);
                self.take(admission, true, now, out);
                return Verdict::Accept;
            }
            Ok(_) => return self.heard_again(bytes),
            // Leaves are not signed: false ones are as good as none.
            Err(Refusal::HashMismatch) => Refusal::Unproven,
            Err(refusal) => refusal,
        };
        if refusal == Refusal::Unproven {
            let version = self.verifier.unproven(bytes).map_or(0, |one| one.version);
            peer.claim[1] = peer.claim[1].max(version);
            self.wait_for_leaves(bytes, out);
            return Verdict::Ignore;
        }
        if refusal == Refusal::Rollback && peer.head_back(now.mono) {
            let head = self.head();
            out.push(Action::SendHead { to: from, head });
        }
        // The first document that proves it travels on, as news does (T-40).
        let doubtful = matches!(refusal, Refusal::Contradiction | Refusal::Rollback);
        if doubtful && self.contradicted(&role, bytes, leaves, out) {
            return Verdict::Accept;
        }
        let verdict = verdict(refusal, announcement.root_version < head.root);
        if verdict == Verdict::Reject || refusal == Refusal::Contradiction {
            out.push(Action::Notify(Notice::Refused {
                what: "gossip".to_owned(),
                code: refusal.code(),
                from: Some(from),
            }));
        }
        if verdict == Verdict::Reject && self.is_flood(from, now) {
            out.push(Action::TurnAway { peer: from });
        }
        verdict
    }

    /// The verdict on what is held. What was asked for before gossip brought it, and
    /// not published yet, travels on with this message: an own one of the same bytes
    /// would be taken for one that was seen.
    fn heard_again(&mut self, bytes: &[u8]) -> Verdict {
        let held = self.verifier.document(&RoleName::Timestamp, None);
        if self.due.unpublished && held.as_deref() == Some(bytes) {
            self.due.unpublished = false;
            return Verdict::Accept;
        }
        Verdict::Ignore
    }

    /// Tells of a refused `what` that a peer passed on. Where it is `to_blame`,
    /// since no honest peer passes such a thing on, it is scored and turned away
    /// at the one too many (T-41).
    pub(crate) fn refuse_flooded(
        &mut self,
        (what, code): (&str, &'static str),
        (from, to_blame): (Option<PeerId>, bool),
        now: Now,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Notify(Notice::Refused {
            what: what.to_owned(),
            code,
            from,
        }));
        let Some(peer) = from.filter(|_| to_blame) else {
            return;
        };
        out.push(Action::Notify(Notice::PeerScored { peer, code }));
        if self.is_flood(peer, now) {
            out.push(Action::TurnAway { peer });
        }
    }

    /// A message above the limit of its second is not judged; so many of them
    /// count as one that is rejected, whatever they say.
    fn pass_over(&mut self, from: PeerId, now: Now, out: &mut Vec<Action>) -> Verdict {
        let peer = self.peers.get_mut(&from);
        if peer.is_some_and(Peer::passes_over) {
            let (what, blamed) = (("gossip", "Flood"), (Some(from), true));
            self.refuse_flooded(what, blamed, now, out);
        }
        Verdict::Ignore
    }

    /// Counts what was rejected of a peer; `true` at the one too many.
    fn is_flood(&mut self, from: PeerId, now: Now) -> bool {
        let peer = self.peers.get_mut(&from);
        peer.is_some_and(|peer| peer.floods(now.mono))
    }
}

/// A node that is behind by a root may forward what its older root calls
/// genuine; that is no offence.
fn verdict(refusal: Refusal, sender_behind: bool) -> Verdict {
    match refusal {
        Refusal::Contradiction
        | Refusal::Expired
        | Refusal::Pending
        | Refusal::Rollback
        | Refusal::Unproven => Verdict::Ignore,
        Refusal::BadSignature | Refusal::BelowThreshold | Refusal::UnknownKey if sender_behind => {
            Verdict::Ignore
        }
        Refusal::BadSignature
        | Refusal::BelowThreshold
        | Refusal::HashMismatch
        | Refusal::Malformed
        | Refusal::NotDelegated
        | Refusal::TooLarge
        | Refusal::UnknownKey
        | Refusal::WrongNetwork => Verdict::Reject,
    }
}
