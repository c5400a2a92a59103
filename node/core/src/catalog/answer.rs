//! What an answer teaches, and what is said of one that is false.

use std::sync::Arc;

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::head::Leaves;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::catalog::action::Action;
use crate::catalog::alarms::asked_proof;
use crate::catalog::annexes::Taken;
use crate::catalog::log::follow::asked_leaves;
use crate::catalog::machine::Catalog;
use crate::catalog::needs::Question;
use crate::catalog::peers::DISTRUST;
use crate::catalog::watch::stopped::STOPS_FILE;
use crate::ids::AskId;
use crate::input::Answered;
use crate::message::DocumentRef;
use crate::output::{Notice, Source};
use crate::record::Record;
use crate::time::{Now, Time};

/// How an answer turned out.
enum Outcome {
    /// It moved something.
    New,
    /// Genuine, and held already.
    Old,
    /// Not there, or not reachable.
    Missing { gone: bool },
    /// Not what was asked for.
    False(Refusal),
}

impl Catalog {
    pub(crate) fn answered(
        &mut self,
        ask: AskId,
        answered: Answered,
        now: Now,
        out: &mut Vec<Action>,
    ) {
        let Some(question) = self.asks.remove(&ask) else {
            debug_assert!(false, "an answer to nothing that was asked");
            return;
        };
        let key = &question.key;
        let needed = self.needs.contains_key(key);
        let current = self.needs.get_mut(key).is_some_and(|need| {
            let current = need.ask.is_some_and(|(current, _, _)| current == ask);
            if current {
                need.ask = None;
            }
            current
        });
        if let (Source::Peer(peer), false) = (question.source, answered == Answered::Failed) {
            self.settled(peer, &question.key.document);
        }
        let outcome = match answered {
            Answered::Failed => Outcome::Missing { gone: false },
            Answered::Gone => Outcome::Missing { gone: true },
            Answered::Bytes(bytes) => match self.learn(&key.document, bytes, now, out) {
                Ok(true) => Outcome::New,
                Ok(false) => Outcome::Old,
                Err(refusal) => Outcome::False(refusal),
            },
        };
        // One that counted as lost has been dealt with already.
        if current {
            self.conclude(&question, &outcome, now.mono, out);
        }
        if let (true, Outcome::False(refusal)) = (needed, outcome) {
            report(&question, refusal, out);
        }
    }

    /// A question is not answered in time.
    pub(crate) fn overdue(&mut self, question: &Question, now: Time, out: &mut Vec<Action>) {
        if let Source::Peer(peer) = question.source {
            self.settled(peer, &question.key.document);
        }
        self.conclude(question, &Outcome::Missing { gone: false }, now, out);
    }

    fn conclude(
        &mut self,
        question: &Question,
        outcome: &Outcome,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Question { key, source } = question;
        if let Some(need) = self.needs.get_mut(key) {
            match outcome {
                Outcome::New => {}
                Outcome::Old | Outcome::Missing { .. } => need.pause(*source, now),
                // It may be in the middle of a publication, and may be the only one.
                Outcome::False(_) if *source == Source::Origin => need.pause(*source, now),
                Outcome::False(_) => need.bar(*source, now),
            }
        }
        let DocumentRef::Metadata { role, .. } = &key.document else {
            return;
        };
        if key.polled {
            if role == "timestamp" {
                self.poll.done(now);
                let told = matches!(outcome, Outcome::New | Outcome::Old);
                if let Some(recovering) = self.recovering.as_mut().filter(|_| told) {
                    recovering.source_answered(now);
                }
            } else if role == STOPS_FILE {
                self.poll.stops_done();
            } else if !matches!(outcome, Outcome::New) {
                self.poll.roots_done();
            }
        } else if let Source::Peer(peer) = source {
            let lied = self.judge_claim(role, *peer, outcome, now);
            out.extend(lied);
        }
    }

    /// A claim that was not kept is forgotten, so that it holds up nothing.
    fn judge_claim(
        &mut self,
        role: &str,
        id: PeerId,
        outcome: &Outcome,
        now: Time,
    ) -> Option<Action> {
        let at = match role {
            "root" => 0,
            "timestamp" => 1,
            _ => return None,
        };
        let head = self.head();
        let peer = self.peers.get_mut(&id)?;
        if matches!(outcome, Outcome::New) || peer.claim[at] <= head[at] {
            return None;
        }
        peer.claim[at] = head[at];
        peer.trusted_from = now.plus(DISTRUST);
        let lied = at == 0 && matches!(outcome, Outcome::Missing { gone: true });
        lied.then_some(Action::Notify(Notice::PeerScored {
            peer: id,
            code: "HintLie",
        }))
    }

    /// Takes over what passes; `Ok(false)` if it is held already.
    fn learn(
        &mut self,
        document: &DocumentRef,
        bytes: Arc<[u8]>,
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        match document {
            DocumentRef::Metadata { role, .. } => {
                if role == STOPS_FILE {
                    return self.learn_stops(&bytes, now, out);
                }
                if let Some((of, _)) = asked_proof(document) {
                    return self.learn_proof(of, &bytes, out);
                }
                if let Some(range) = asked_leaves(document) {
                    return self.learn_leaves(range, &bytes, now, out);
                }
                let role: RoleName = role.parse()?;
                if self.refuses(&role) {
                    return Ok(false);
                }
                let utc = self.clock.utc(now);
                let admitted = self.verifier.admit(&role, &bytes, utc);
                if matches!(admitted, Err(Refusal::Unproven)) {
                    self.wait_for_leaves(&bytes, out);
                    return Ok(true);
                }
                if matches!(admitted, Err(Refusal::Contradiction | Refusal::Rollback)) {
                    self.contradicted(&role, &bytes, Leaves::NONE, out);
                }
                let admission = admitted?;
                let new = admission.is_new();
                self.take(admission, false, now, out);
                Ok(new)
            }
            DocumentRef::Annex { name, sha256 } => self.learn_annex(*name, sha256, bytes, out),
            DocumentRef::Index { sha256, .. } => {
                let Some(release) = self.indexes.release(sha256).cloned() else {
                    return Ok(false);
                };
                let content = release.content;
                if self.indexes.open(&content).is_some() {
                    return Ok(false);
                }
                let index = Arc::new(Verifier::open_index(&release, &bytes)?);
                out.push(Action::Persist(Record::Index { content, bytes }));
                self.indexes.insert(content, Arc::clone(&index));
                out.push(Action::Indexed { content, index });
                self.due.news = true;
                Ok(true)
            }
        }
    }
}

impl Catalog {
    fn learn_annex(
        &mut self,
        name: AnnexName,
        sha256: &[u8; 32],
        bytes: Arc<[u8]>,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let new = match self.annexes.take(name, sha256, Arc::clone(&bytes))? {
            Taken::New => {
                out.push(Action::Persist(Record::Annex { name, bytes }));
                self.due.news = true;
                true
            }
            Taken::Old => return Ok(false),
            // Nobody who passes it on is to blame.
            Taken::Unreadable(refusal) => {
                out.push(Action::Notify(Notice::Refused {
                    what: name.to_string(),
                    code: refusal.code(),
                    from: None,
                }));
                false
            }
        };
        out.push(Action::Listed);
        Ok(new)
    }
}

/// An answer to a question that is still open was false.
fn report(question: &Question, refusal: Refusal, out: &mut Vec<Action>) {
    let what = match &question.key.document {
        DocumentRef::Metadata { role, .. } => role.clone(),
        DocumentRef::Index { .. } => "index".to_owned(),
        DocumentRef::Annex { name, .. } => name.to_string(),
    };
    let peer = match question.source {
        Source::Origin => None,
        Source::Peer(peer) => Some(peer),
    };
    let code = refusal.code();
    out.push(Action::Notify(Notice::Refused {
        what,
        code,
        from: peer,
    }));
    if let Some(peer) = peer.filter(|_| is_offence(refusal)) {
        out.push(Action::Notify(Notice::PeerScored { peer, code }));
    }
}

/// Whether no honest peer gives such an answer: an honest one may be behind.
fn is_offence(refusal: Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::Contradiction
            | Refusal::Expired
            | Refusal::Pending
            | Refusal::Rollback
            | Refusal::Unproven
    )
}
