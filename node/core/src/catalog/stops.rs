//! Stops reach every node: new ones are pushed to each peer, states are compared
//! when two meet, and who sees another state than its own sends what it has
//! (M-14). A stop is durable before it is passed on or acted upon.

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::stop::set::{Gone, List, Mark, Standing, Stops};
use patchmesh_trust::stop::signed::{SignedStop, read_file};

use crate::catalog::action::Action;
use crate::catalog::machine::Catalog;
use crate::output::Notice;
use crate::record::Record;
use crate::time::{Duration, Now, Time};

/// Least time between two times that all stops are sent to one peer, and how
/// much longer for each: what a member that asks in vain can cost.
const AGAIN: Duration = Duration::secs(1);
const AGAIN_PER_STOP: Duration = Duration::millis(20);

impl Catalog {
    /// Takes over the revocation keys and the list of stops, where they are new.
    pub(crate) fn take_membership(&mut self, out: &mut Vec<Action>) {
        let keys = self.annexes.current(AnnexName::Keys);
        let keys = keys.filter(|keys| self.taken.keys != Some(keys.annex.sha256));
        let list = self.annexes.current(AnnexName::Revocations);
        let list = list.filter(|list| self.taken.list != Some(list.annex.sha256));
        // What the store kept holds from the start.
        let mut changed =
            !std::mem::replace(&mut self.taken.told, true) && !self.stops.standing().is_empty();
        let mut gone = Vec::new();
        if let Some(opened) = list
            && let AnnexBody::Revocations(list) = &*opened.body
        {
            self.taken.list = Some(opened.annex.sha256);
            match self.stops.set_list(List::from(list)) {
                Ok(settled) => {
                    // Durable before what it settled goes.
                    out.push(Action::Persist(Record::StopList {
                        bytes: list.write().unwrap_or_default().into(),
                    }));
                    gone.push(settled);
                    changed = true;
                }
                Err(refusal) => out.push(Action::Notify(Notice::Refused {
                    what: AnnexName::Revocations.to_string(),
                    code: refusal.code(),
                    from: None,
                })),
            }
        }
        if let Some(opened) = keys
            && let AnnexBody::Keys(keys) = &*opened.body
        {
            self.taken.keys = Some(opened.annex.sha256);
            let damaged = self.stops.damaged(&keys.revocation);
            gone.push(self.stops.drop_damaged(&damaged));
            out.extend(damaged.iter().map(|_| {
                Action::Notify(Notice::Refused {
                    what: "stored stop".to_owned(),
                    code: Refusal::BadSignature.code(),
                    from: None,
                })
            }));
            gone.push(self.stops.set_keys(keys.revocation.clone()));
            changed = true;
        }
        for gone in &gone {
            forget(gone, out);
        }
        if changed {
            self.stops_changed(out);
            // Who has stops that could not be judged before sends them now.
            for to in self.peers.keys() {
                self.send_mark(*to, out);
            }
        }
    }

    /// Every stop in force.
    pub fn stops(&self) -> Vec<Standing> {
        self.stops.standing()
    }

    /// What is in force, for decisions.
    pub fn stopped(&self) -> &Stops {
        &self.stops
    }

    /// A peer or the source of truth gives a stop.
    pub(crate) fn give_stop(
        &mut self,
        from: Option<PeerId>,
        signed: &SignedStop,
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let peer = from.and_then(|from| self.peers.get_mut(&from));
        if peer.is_some_and(|peer| !peer.may_stop(now.mono)) {
            return Ok(false);
        }
        let admitted = self.stops.admit(signed);
        if let Err(refusal) = admitted {
            // Who has other keys calls other stops genuine.
            let to_blame = refusal == Refusal::BadSignature;
            self.refuse_flooded(("stop", refusal.code()), (from, to_blame), now, out);
        }
        let Some(stop) = admitted? else {
            return Ok(false);
        };
        let name = signed.name();
        let gone = self.stops.insert(signed.clone(), stop);
        if gone.names.contains(&name) {
            return Ok(false);
        }
        out.push(Action::Persist(Record::Stop {
            name,
            bytes: Some(signed.encode().into()),
        }));
        forget(&gone, out);
        let others = self.peers.keys().filter(|to| Some(**to) != from);
        out.extend(others.map(|to| Action::SendStop {
            to: *to,
            stop: signed.clone(),
        }));
        self.stops_changed(out);
        Ok(true)
    }

    /// Takes every stop of the repository's file that passes.
    pub(crate) fn learn_stops(
        &mut self,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let mut new = false;
        let mut refused = Ok(());
        for signed in read_file(bytes)? {
            match self.give_stop(None, &signed, now, out) {
                Ok(taken) => new |= taken,
                // The file may hold what a newer list has settled.
                Err(refusal) => refused = Err(refusal),
            }
        }
        refused.map(|()| new)
    }

    /// A peer says which stops it knows.
    pub(crate) fn marked(&mut self, from: PeerId, mark: Mark, now: Time, out: &mut Vec<Action>) {
        let other = mark != self.stops.mark();
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.stops_owed = other;
        }
        self.settle_stops(now, out);
    }

    /// Sends every stop, and then what they are, to a peer.
    pub(crate) fn send_stops(&self, to: PeerId, out: &mut Vec<Action>) {
        let stops = self.stops.outstanding().cloned();
        out.extend(stops.map(|stop| Action::SendStop { to, stop }));
        self.send_mark(to, out);
    }

    pub(crate) fn send_mark(&self, to: PeerId, out: &mut Vec<Action>) {
        let mark = self.stops.mark();
        out.push(Action::SendMark { to, mark });
    }

    /// Sends what is owed to peers that know other stops, each in its time.
    pub(crate) fn settle_stops(&mut self, now: Time, out: &mut Vec<Action>) {
        let stops: Vec<SignedStop> = self.stops.outstanding().cloned().collect();
        let pause = Duration(AGAIN.0 + AGAIN_PER_STOP.0 * stops.len() as u64);
        for (to, peer) in &mut self.peers {
            if peer.stops_owed && peer.stops_from <= now {
                peer.stops_owed = false;
                peer.stops_from = now.plus(pause);
                let stops = stops.iter().cloned();
                out.extend(stops.map(|stop| Action::SendStop { to: *to, stop }));
            }
        }
    }

    /// When something that is owed may be sent.
    pub(crate) fn next_stops(&self) -> Option<Time> {
        let owed = self.peers.values().filter(|peer| peer.stops_owed);
        owed.map(|peer| peer.stops_from).min()
    }

    fn stops_changed(&self, out: &mut Vec<Action>) {
        out.push(Action::Notify(Notice::Stops {
            standing: self.stops.standing(),
            mark: self.stops.mark(),
        }));
        out.push(Action::Stopped);
        out.push(Action::Listed);
    }
}

fn forget(gone: &Gone, out: &mut Vec<Action>) {
    let records = gone.names.iter().map(|name| Record::Stop {
        name: *name,
        bytes: None,
    });
    out.extend(records.map(Action::Persist));
}
