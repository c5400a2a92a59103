//! From needs to questions: keeps the list of needs true, and asks.

use crate::catalog::action::Action;
use crate::catalog::machine::Catalog;
use crate::catalog::needs::{Key, Known, Need, Question, metadata, required};
use crate::catalog::poll::Stage;
use crate::catalog::sources::{Choice, Site, choose};
use crate::config::Mode;
use crate::ids::AskId;
use crate::limits::ASKS_MAX;
use crate::reason::WakeReason;
use crate::time::Time;

impl Catalog {
    /// Brings the needs up to date, asks for what may be asked for now, and
    /// works out when to look again.
    pub(crate) fn pursue(&mut self, now: Time, out: &mut Vec<Action>) {
        self.poll.tick(now);
        self.refresh_needs(now);
        let mut due = earliest(self.next_look(), self.next_trust(now));
        due = earliest(due, self.missing.next(now));
        let recovering = self.recovering.as_ref();
        due = earliest(due, recovering.and_then(|one| one.next(now)));
        due = earliest(due, self.next_stops());
        due = earliest(due, self.next_cosigned());
        due = earliest(due, self.next_own(now));
        let keys: Vec<_> = self.needs.keys().cloned().collect();
        for key in keys {
            let at = self.pursue_one(&key, now, out);
            due = earliest(due, at);
        }
        self.wake = due.map(|at| (at, WakeReason::Sync));
    }

    fn refresh_needs(&mut self, now: Time) {
        let known = Known {
            verifier: &self.verifier,
            peers: &self.peers,
            indexes: &self.indexes,
            annexes: &self.annexes,
            stage: self.poll.stage(),
            stops: self.poll.looks_for_stops(),
            peers_asked: self.mode != Mode::Origin,
            alarms: &self.alarms,
            log: &self.log,
        };
        let root = metadata("root", self.verifier.head().root.saturating_add(1));
        let root_since = self
            .needs
            .iter()
            .find(|(key, _)| key.document == root && !key.polled)
            .map(|(_, need)| need.since);
        let required = required(known, root_since, now);
        self.needs.retain(|key, _| required.contains_key(key));
        for (key, len_max) in required {
            self.needs
                .entry(key)
                .or_insert_with(|| Need::new(len_max, now));
        }
    }

    /// Asks for one thing if it may; returns when to look again.
    fn pursue_one(&mut self, key: &Key, now: Time, out: &mut Vec<Action>) -> Option<Time> {
        if let Some((_, source, deadline)) = self.needs.get(key)?.ask {
            if now < deadline {
                return Some(deadline);
            }
            self.needs.get_mut(key)?.ask = None;
            let key = key.clone();
            self.overdue(&Question { key, source }, now, out);
        }
        if self.asks.len() >= ASKS_MAX {
            return None;
        }
        let site = Site {
            me: self.me,
            weight: self.weight,
            mode: self.mode,
            peers: &self.peers,
            head: self.verifier.head(),
        };
        let need = self.needs.get_mut(key)?;
        match choose(site, key, need, now) {
            Choice::Ask(source, deadline) => {
                let ask = AskId(self.next_ask);
                self.next_ask += 1;
                need.ask = Some((ask, source, deadline));
                out.push(Action::Ask {
                    ask,
                    from: source,
                    document: key.document.clone(),
                    len_max: need.len_max,
                });
                let key = key.clone();
                self.asks.insert(ask, Question { key, source });
                Some(deadline)
            }
            Choice::Later(at) => at,
        }
    }

    /// When a claim counts again that was not kept before.
    fn next_trust(&self, now: Time) -> Option<Time> {
        let head = self.head();
        let newer = |claim: &[u64; 3]| claim[0] > head[0] || claim[1] > head[1];
        let peers = self.peers.values();
        let waiting = peers.filter(|peer| peer.trusted_from > now && newer(&peer.claim));
        waiting.map(|peer| peer.trusted_from).min()
    }

    /// When heads are exchanged, or the source of truth is looked at.
    fn next_look(&self) -> Option<Time> {
        let sync = (!self.peers.is_empty()).then_some(self.sync_at);
        match self.poll.stage() {
            Some(Stage::Idle(due)) => earliest(sync, Some(due)),
            Some(Stage::Root | Stage::Timestamp) | None => sync,
        }
    }
}

fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
