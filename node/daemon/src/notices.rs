//! Recent events of the engine for people: a bounded list, and refusals by code.

use std::collections::{BTreeMap, VecDeque};

use patchmesh_api::answer::Answer;
use patchmesh_api::event::{Event, EventKind, Events, RefusalCount};
use patchmesh_api::limits::EVENTS_MAX;
use patchmesh_api::trouble::Trouble;
use patchmesh_content::id::PeerId;
use patchmesh_core::output::Notice;
use patchmesh_core::peer::PeerRefusal;
use patchmesh_core::record::ReleaseState;
use patchmesh_trust::refusal::Refusal;

use crate::clock;

/// A file of the store that was damaged when the node started.
pub(crate) const STORED_FILE: &str = "stored file";
/// Kinds of refusals that are told apart; the rest counts as `other`.
const REFUSAL_KINDS_MAX: usize = 256;

/// Recent events and refusal counts.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    events: VecDeque<Event>,
    seq: u64,
    refusals: BTreeMap<(String, String), u64>,
}

impl Notices {
    /// Takes a notice of the engine. Foreign input never logs above debug, so
    /// a peer cannot fill the log.
    pub(crate) fn take(&mut self, notice: Notice) {
        match notice {
            Notice::HeadMoved([root, timestamp, snapshot]) => {
                tracing::info!(root, timestamp, snapshot, "metadata moved");
                let detail = format!("root {root}, timestamp {timestamp}, snapshot {snapshot}");
                self.push(Event {
                    detail,
                    ..blank(EventKind::HeadMoved)
                });
            }
            Notice::Cosigned {
                witness,
                site,
                size,
            } => {
                tracing::debug!(%witness, site, size, "the log is cosigned");
                self.push(Event {
                    peer: Some(witness),
                    detail: format!("the witness in {site} has seen {size} leaves of the log"),
                    ..blank(EventKind::Cosigned)
                });
            }
            Notice::Refused { what, code, from } => self.refused(&what, code, from),
            Notice::PeerScored { peer, code } => {
                tracing::debug!(%peer, code, "a peer misbehaved");
                let code = code.to_owned();
                self.push(Event {
                    code,
                    peer: Some(peer),
                    ..blank(EventKind::PeerScored)
                });
            }
            Notice::Unproven { version, size } => {
                tracing::debug!(version, size, "a timestamp waits for leaves of its log");
                self.push(Event {
                    detail: format!(
                        "timestamp {version} waits until its log of {size} leaves is shown to \
                         continue the known one"
                    ),
                    ..blank(EventKind::Waiting)
                });
            }
            // They are troubles, which the driver takes up while they last.
            Notice::FloorsLost(_)
            | Notice::Frozen(_)
            | Notice::LogReplaced(_)
            | Notice::OtherLogs(_)
            | Notice::Stops { .. }
            | Notice::WitnessSilent(_)
            | Notice::Withheld(_) => {}
            Notice::Release {
                id, state, detail, ..
            } => {
                let word = state_word(state);
                tracing::info!(release = id, state = word, detail, "release");
                let detail = if detail.is_empty() {
                    word.to_owned()
                } else {
                    format!("{word}: {detail}")
                };
                self.push(Event {
                    release: id,
                    detail,
                    ..blank(EventKind::Release)
                });
            }
        }
    }

    /// Counts something refused.
    pub(crate) fn refused(&mut self, what: &str, code: &str, from: Option<PeerId>) {
        tracing::debug!(what, code, from = from.map(PeerId::to_hex), "refused");
        let mut key = (what.to_owned(), code.to_owned());
        if self.refusals.len() >= REFUSAL_KINDS_MAX && !self.refusals.contains_key(&key) {
            key = ("other".to_owned(), "other".to_owned());
        }
        *self.refusals.entry(key).or_default() += 1;
        let event = blank(EventKind::Refused);
        self.push(Event {
            detail: advice(what, code).to_owned(),
            what: what.to_owned(),
            code: code.to_owned(),
            peer: from,
            ..event
        });
    }

    /// A trouble began; it was logged where it was found.
    pub(crate) fn trouble(&mut self, trouble: &Trouble) {
        self.push(Event {
            code: trouble.code.clone(),
            detail: format!("{}; {}", trouble.detail, trouble.hint),
            ..blank(EventKind::Trouble)
        });
    }

    /// Refusals by code.
    pub(crate) fn refusals(&self) -> Vec<RefusalCount> {
        let count = |((what, code), count): (&(String, String), &u64)| RefusalCount {
            what: what.clone(),
            code: code.clone(),
            count: *count,
            hint: advice(what, code).to_owned(),
        };
        self.refusals.iter().map(count).collect()
    }

    /// Events with a higher sequence number.
    pub(crate) fn answer(&self, since: u64) -> Answer {
        let events = self
            .events
            .iter()
            .filter(|event| event.seq > since)
            .cloned()
            .collect();
        Answer::Events(Events {
            events,
            refusals: self.refusals(),
        })
    }

    /// An event equal to the newest one raises its count instead of its place.
    fn push(&mut self, event: Event) {
        self.seq += 1;
        let at = clock::utc().0;
        if let Some(newest) = self.events.back_mut() {
            let same = Event {
                seq: newest.seq,
                at: newest.at,
                count: newest.count,
                ..event.clone()
            };
            if *newest == same {
                newest.count += 1;
                newest.seq = self.seq;
                newest.at = at;
                return;
            }
        }
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            seq: self.seq,
            at,
            count: 1,
            ..event
        });
    }
}

/// What a person can do about something refused; empty where nothing can be done
/// here, as with frames that break the protocol.
fn advice(what: &str, code: &str) -> &'static str {
    let found = match what {
        "hello" => PeerRefusal::from_code(code).map(PeerRefusal::advice),
        "message" => None,
        STORED_FILE => Some("it is in quarantine and asked for again; the log names it"),
        "stored stop" => Some("the disk altered it; peers and origins are asked for it again"),
        "stored-chunk" => Some("it is fetched again; if it repeats, look at the disk"),
        _ => Refusal::from_code(code).map(Refusal::advice),
    };
    found.unwrap_or_default()
}

fn blank(kind: EventKind) -> Event {
    Event {
        seq: 0,
        at: 0,
        event: kind,
        code: String::new(),
        what: String::new(),
        peer: None,
        release: String::new(),
        detail: String::new(),
        count: 0,
    }
}

fn state_word(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Known => "known",
        ReleaseState::Fetching => "fetching",
        ReleaseState::Staged => "staged",
        ReleaseState::Failed => "failed",
        ReleaseState::Applying => "applying",
        ReleaseState::Good => "good",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(code: &'static str) -> Notice {
        Notice::PeerScored {
            peer: PeerId([1; 32]),
            code,
        }
    }

    fn events(notices: &Notices, since: u64) -> Vec<Event> {
        let answer = notices.answer(since);
        let Answer::Events(events) = answer else {
            panic!("not events: {answer:?}")
        };
        events.events
    }

    #[test]
    fn equal_events_in_a_row_count_and_the_list_is_bounded() {
        let mut notices = Notices::default();
        notices.take(scored("Corrupt"));
        notices.take(scored("Corrupt"));
        notices.take(scored("Malformed"));
        let seen = events(&notices, 0);
        assert_eq!(
            seen.iter().map(|e| (e.seq, e.count)).collect::<Vec<_>>(),
            [(2, 2), (3, 1)]
        );
        assert_eq!(events(&notices, 2).len(), 1);
        for number in 0..EVENTS_MAX * 2 {
            notices.take(scored(if number % 2 == 0 { "A" } else { "B" }));
        }
        assert_eq!(events(&notices, 0).len(), EVENTS_MAX);
    }

    #[test]
    fn refusals_are_counted_by_code_within_a_bound() {
        let mut notices = Notices::default();
        for number in 0..REFUSAL_KINDS_MAX * 2 {
            notices.refused(&format!("role {number}"), "Expired", None);
        }
        let counts = notices.refusals();
        assert!(counts[1].hint.contains("clock"), "{:?}", counts[1]);
        assert!(advice("hello", "WrongNetwork").contains("root document"));
        assert_eq!(advice("message", "Malformed"), "");
        assert_eq!(counts.len(), REFUSAL_KINDS_MAX + 1);
        assert_eq!(
            counts.iter().map(|c| c.count).sum::<u64>(),
            2 * REFUSAL_KINDS_MAX as u64
        );
    }
}
