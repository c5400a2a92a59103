//! Two statements of one role and version become a proof, which is kept, passed
//! on and acted upon (T-43 to T-46).

use patchmesh_content::id::PeerId;
use patchmesh_trust::log::head::{Leaves, LogHead};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::equivocation::Equivocation;

use crate::catalog::action::Action;
use crate::catalog::alarms::{asked_proof, asked_twin};
use crate::catalog::machine::Catalog;
use crate::limits::{ALARMS_PER_PEER_MAX, PROOFS_MAX};
use crate::message::DocumentRef;
use crate::output::{Answer, Notice};
use crate::reason::Frozen;
use crate::record::Record;

impl Catalog {
    /// Roles that are frozen now.
    pub fn frozen(&self) -> Vec<Frozen> {
        let standing = self.alarms.standing(&self.verifier);
        let frozen = standing.map(|proof| Frozen {
            role: proof.role().clone(),
            version: proof.version(),
        });
        frozen.collect()
    }

    /// Nothing of a frozen role is taken; but the root, with which alone a
    /// freeze ends.
    pub(crate) fn refuses(&self, role: &RoleName) -> bool {
        *role != RoleName::Root && self.alarms.is_frozen(role, &self.verifier)
    }

    /// A peer offers a proof.
    pub(crate) fn offered(&mut self, from: PeerId, role: String, version: u64) {
        let known = self.alarms.is_known(&role, &self.verifier);
        let is_role = role.parse::<RoleName>().is_ok();
        if let Some(peer) = self.peers.get_mut(&from)
            && (is_role && !known)
            && peer.alarms.len() < ALARMS_PER_PEER_MAX
        {
            peer.alarms.insert(role, version);
        }
    }

    /// A peer says which timestamp of a version it holds.
    pub(crate) fn compared(
        &mut self,
        from: PeerId,
        version: u64,
        digest: [u8; 32],
        log: Option<(u64, [u8; 32])>,
    ) {
        let log = log.map(|(size, root)| LogHead { size, root });
        let split = log.is_some_and(|log| self.verifier.is_other_log(&log));
        let own = self.verifier.timestamp_digest();
        let same_version = version == self.verifier.version(&RoleName::Timestamp);
        if let Some(peer) = self.peers.get_mut(&from) {
            let other = same_version && own.is_some_and(|own| own != digest);
            peer.twin = (other || split).then_some(version);
        }
    }

    /// The peer was asked for what it offered, whatever came of it.
    pub(crate) fn settled(&mut self, from: PeerId, document: &DocumentRef) {
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        if let Some((role, _)) = asked_proof(document) {
            peer.alarms.remove(role);
        }
        if asked_twin(document).is_some() {
            peer.twin = None;
        }
    }

    /// A document contradicts the held one. `true` if that is a new proof.
    pub(crate) fn contradicted(
        &mut self,
        role: &RoleName,
        bytes: &[u8],
        leaves: Leaves<'_>,
        out: &mut Vec<Action>,
    ) -> bool {
        let mut proof = self.verifier.prove(role, bytes);
        if proof.is_none() && *role == RoleName::Timestamp {
            proof = self.verifier.prove_split(bytes, leaves);
        }
        proof.is_some_and(|proof| self.alarm(proof, out))
    }

    /// Takes over a proof of a peer; `Ok(false)` if nothing new follows.
    pub(crate) fn learn_proof(
        &mut self,
        role: &str,
        bytes: &[u8],
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        if self.alarms.is_known(role, &self.verifier) {
            return Ok(false);
        }
        let anchor = self.verifier.anchor();
        let proof = Equivocation::check(&anchor, bytes)?;
        if proof.role().to_string() != role {
            return Err(Refusal::Malformed);
        }
        Ok(self.alarm(proof, out))
    }

    /// Keeps a proof and passes it on: durable first, then told. The first one
    /// of a role is enough.
    fn alarm(&mut self, proof: Equivocation, out: &mut Vec<Action>) -> bool {
        let role = proof.role().clone();
        let room = self.alarms.proofs.len() < PROOFS_MAX || self.alarms.proofs.contains_key(&role);
        let known = self.alarms.is_frozen(&role, &self.verifier);
        if known || !room || !self.verifier.is_frozen_by(&proof) {
            return false;
        }
        out.push(Action::Persist(Record::Proof {
            role: role.clone(),
            bytes: proof.bytes().into(),
        }));
        let version = proof.version();
        let everyone = self.peers.keys();
        out.extend(everyone.map(|to| Action::SendAlarm {
            to: *to,
            role: role.clone(),
            version,
        }));
        self.alarms.proofs.insert(role, proof);
        true
    }

    /// Tells one peer, or all, of every standing proof.
    pub(crate) fn send_alarms(&self, to: PeerId, out: &mut Vec<Action>) {
        let standing = self.alarms.standing(&self.verifier);
        out.extend(standing.map(|proof| Action::SendAlarm {
            to,
            role: proof.role().clone(),
            version: proof.version(),
        }));
    }

    /// Says when a role is frozen, and when that is over; either changes what
    /// may be installed.
    pub(crate) fn watch_frozen(&mut self, out: &mut Vec<Action>) {
        let frozen = self.frozen();
        let roles: Vec<RoleName> = frozen.iter().map(|one| one.role.clone()).collect();
        if roles != self.alarms.told {
            self.alarms.told = roles;
            out.push(Action::Notify(Notice::Frozen(frozen)));
            out.push(Action::Listed);
        }
    }

    /// A proof that is asked for.
    pub(crate) fn proof(&self, document: &DocumentRef) -> Option<Answer> {
        let (role, version) = asked_proof(document)?;
        let role: RoleName = role.parse().ok()?;
        let proof = self.alarms.proofs.get(&role);
        let proof = proof.filter(|proof| proof.version() == version)?;
        Some(Answer::Bytes(proof.bytes().into()))
    }
}
