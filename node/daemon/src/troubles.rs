//! What keeps this node from its work and an administrator can mend: shown in
//! `patchmesh status` and `why` while it lasts, told once in the events, logged
//! once, and after that counted: the count is logged now and then.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use patchmesh_api::trouble::Trouble;

use patchmesh_content::id::hex;
use patchmesh_core::catalog::clock::Skew;
use patchmesh_core::catalog::watch::withheld::WITHHELD_AFTER;
use patchmesh_core::output::{OtherLog, Silent};
use patchmesh_core::reason::{Frozen, Withheld};
use patchmesh_trust::log::head::{LogHead, Replaced};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::set::Standing;
use patchmesh_trust::time::UtcTime;

use crate::clock;

/// A trouble that lasts is logged again after this.
const SAY_EVERY: Duration = Duration::from_mins(10);
/// Troubles at one time; a further one is not taken up.
const TROUBLES_MAX: usize = 32;

/// Witnesses that are named in one line.
const WITNESSES_SHOWN: usize = 8;
/// Stops that are named in one line.
const STOPS_SHOWN: usize = 8;
/// Release lines that are named as those that there are.
const LINES_SHOWN: usize = 8;

/// One trouble, of which there is one for each key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Stable code.
    pub(crate) code: &'static str,
    /// What is wrong, with the address.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: &'static str,
}

/// Troubles by what they are about.
#[derive(Debug, Default)]
pub(crate) struct Troubles(BTreeMap<String, Lasting>);

#[derive(Debug)]
struct Lasting {
    trouble: Trouble,
    said: Instant,
    /// How often it was found.
    times: u64,
}

impl Troubles {
    /// Takes up what is known now about one thing: a trouble, or that there is
    /// none. Returns the trouble if it is a new one, for the events.
    pub(crate) fn set(
        &mut self,
        about: &str,
        found: Option<Found>,
        now: Instant,
    ) -> Option<Trouble> {
        let Some(found) = found else {
            if let Some(over) = self.0.remove(about) {
                let (times, Trouble { code, detail, .. }) = (over.times, over.trouble);
                tracing::info!(code, detail, times, "a trouble is over");
            }
            return None;
        };
        let known = self.0.get_mut(about);
        if let Some(known) = known.filter(|known| known.trouble.code == found.code) {
            known.times += 1;
            // How much is missing changes while it lasts.
            known.trouble.detail = found.detail;
            if now.saturating_duration_since(known.said) >= SAY_EVERY {
                known.said = now;
                say(&known.trouble, known.times);
            }
            return None;
        }
        if self.0.len() >= TROUBLES_MAX && !self.0.contains_key(about) {
            return None;
        }
        let trouble = Trouble {
            code: found.code.to_owned(),
            since: clock::utc().0,
            detail: found.detail,
            hint: found.hint.to_owned(),
        };
        say(&trouble, 1);
        let lasting = Lasting {
            trouble: trouble.clone(),
            said: now,
            times: 1,
        };
        self.0.insert(about.to_owned(), lasting);
        Some(trouble)
    }

    /// The trouble about one thing.
    pub(crate) fn about(&self, about: &str) -> Option<&Trouble> {
        self.0.get(about).map(|lasting| &lasting.trouble)
    }

    /// Since when something lasts, in seconds since 1970 UTC.
    pub(crate) fn since(&self, about: &str) -> Option<i64> {
        self.0.get(about).map(|lasting| lasting.trouble.since)
    }

    /// What lasts now.
    pub(crate) fn all(&self) -> Vec<Trouble> {
        let lasting = self.0.values();
        lasting.map(|lasting| lasting.trouble.clone()).collect()
    }
}

/// Documents for people; empty for none.
fn documents<'a>(named: impl Iterator<Item = (&'a RoleName, u64)>) -> String {
    let named = named.map(|(role, version)| format!("{role} version {version}"));
    named.collect::<Vec<_>>().join(", ")
}

/// What it means that roles were signed twice (T-44).
pub(crate) fn frozen(frozen: &[Frozen], state: &Path) -> Option<Found> {
    let named = documents(frozen.iter().map(|one| (&one.role, one.version)));
    (!named.is_empty()).then(|| Found {
        code: "Equivocation",
        detail: format!(
            "two different documents were signed as {}; the proof is in {}",
            named,
            state.join("trust/proofs").display()
        ),
        hint: "look at it with `patchmesh verify-proof`; its keys are stolen or were used twice: \
               rotate them (`patchmesh root rotate`), until then nothing newer is taken",
    })
}

/// What it means that witnesses have cosigned another log (T-77).
pub(crate) fn other_logs(others: &[OtherLog]) -> Option<Found> {
    let named = others.iter().take(WITNESSES_SHOWN).map(|one| {
        let (witness, size) = (one.witness, one.size);
        format!("{witness} of site {} one of {size} leaves", one.site)
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| Found {
        code: "SplitLog",
        detail: format!(
            "witnesses cosigned another log than the one that this node is shown: {}",
            named.join(", ")
        ),
        hint: "compare `patchmesh log show` of the repository with `patchmesh status` here and at \
               the witness; if both logs are signed, the online keys are stolen: rotate them",
    })
}

/// What it means that a rotation let another log in (T-79).
pub(crate) fn log_replaced(replaced: &Replaced) -> Found {
    let head = |head: &LogHead| format!("{} leaves, root {}", head.size, hex(&head.root));
    let after = replaced.after.as_ref();
    Found {
        code: "LogReplaced",
        detail: format!(
            "root {} changed the key of the timestamp, and the log of the new key does not go on \
             from the known one: known was {}, now it is {}",
            replaced.root_version,
            head(&replaced.before),
            after.map_or_else(|| "none".to_owned(), head),
        ),
        hint: "expected after a theft of the old key, when the log begins anew from a backup; \
               else look into what the log before held. The next root ends this \
               (`patchmesh root rotate`)",
    }
}

/// What it means that this node, a witness, signs nothing (T-76).
pub(crate) fn witness_silent(silent: Silent) -> Found {
    match silent {
        Silent::Lost => Found {
            code: "WitnessLost",
            detail: "what this witness signed last is not in its store: it signs nothing until an \
                     origin or a peer of the configuration and three members have said what they \
                     have"
                .to_owned(),
            hint: "wait ten seconds; if it lasts, look whether an origin is reached (`patchmesh \
                   peers`)",
        },
        Silent::OtherLog => Found {
            code: "WitnessSplit",
            detail: "this witness has signed a head that the log does not contain, and signs no \
                     other"
                .to_owned(),
            hint: "if the log began anew after a theft of the online keys, give this node a new \
                   key and name that as the witness (`patchmesh membership keys`); else the log \
                   is split",
        },
    }
}

/// What is stopped, by whom and why.
pub(crate) fn stops(standing: &[Standing]) -> Option<Found> {
    let shown = standing.iter().take(STOPS_SHOWN).map(Standing::text);
    let mut texts: Vec<String> = shown.collect();
    if standing.len() > STOPS_SHOWN {
        texts.push(format!("{} more", standing.len() - STOPS_SHOWN));
    }
    (!texts.is_empty()).then(|| Found {
        code: "Stopped",
        detail: texts.join("; "),
        hint: "nothing that is stopped goes on until the threshold of membership lifts it \
               (`patchmesh membership revocations --lift`)",
    })
}

/// What it means that a wanted release line is none of the network's.
pub(crate) fn unknown_lines(wanted: &[String], there: &[String]) -> Option<Found> {
    let unknown = |line: &&String| *line != "*" && !there.contains(line);
    let unknown: Vec<&str> = wanted.iter().filter(unknown).map(String::as_str).collect();
    let shown = &there[..there.len().min(LINES_SHOWN)];
    let more = if shown.len() < there.len() {
        ", .."
    } else {
        ""
    };
    (!unknown.is_empty()).then(|| Found {
        code: "UnknownLine",
        detail: format!(
            "no release line is named {}; the network has {}{more}",
            unknown.join(", "),
            shown.join(", ")
        ),
        hint: "correct `releases.lines`, or have the line added (`patchmesh line add`)",
    })
}

/// What it means that documents are named and do not come (T-48).
pub(crate) fn withheld(withheld: &[Withheld]) -> Option<Found> {
    let named = documents(withheld.iter().map(|one| (&one.role, one.version)));
    (!named.is_empty()).then(|| Found {
        code: "Withheld",
        detail: format!(
            "{} was signed and announced, and for more than {} minutes nobody has given it",
            named,
            WITHHELD_AFTER.0 / 60_000_000
        ),
        hint: "nothing that it may replace is installed; is an origin connected that has the \
               whole repository?",
    })
}

/// What it means that the floors are lost (T-33).
pub(crate) fn floors_lost() -> Found {
    Found {
        code: "FloorsLost",
        detail: "the file with the highest versions ever seen is missing or damaged".to_owned(),
        hint: "nothing is installed until three members and an origin have said what is newest, \
               or an hour has passed; look at the disk, and at who can write to `node.state`",
    }
}

/// What it means that the wall clock contradicts what was signed (T-36).
pub(crate) fn clock(skew: Skew, utc: UtcTime) -> Found {
    let wall = utc.format().unwrap_or_default();
    match skew {
        Skew::Behind(secs) => Found {
            code: "ClockBehind",
            detail: format!(
                "the clock of this machine says {wall}, {secs} s before a moment that signed \
                 metadata shows to have passed; that one is used"
            ),
            hint: "set the clock, and see that it is kept (NTP); no restart is needed",
        },
        Skew::Ahead(secs) => Found {
            code: "ClockAhead",
            detail: format!(
                "the clock of this machine says {wall}, {secs} s after the newest signed time, \
                 and by it the metadata has expired: nothing is installed, nothing deleted"
            ),
            hint: "is the clock right? Then no newer metadata came for so long: look at the origin \
                   and at the timestamp's renewal; else set the clock, no restart is needed",
        },
    }
}

/// What it means that half the life of the timestamp is over (T-37).
pub(crate) fn ageing((issued, expires): (UtcTime, UtcTime)) -> Option<Found> {
    let (issued, expires) = (issued.format()?, expires.format()?);
    Some(Found {
        code: "TimestampAgeing",
        detail: format!(
            "the newest timestamp is of {issued} and expires at {expires}: half of that time is \
             over, and no newer one has come"
        ),
        hint: "does the origin renew it (`origin.online_key`; its status says so), and does this \
               node reach the origin? From the expiry on nothing is installed",
    })
}

fn say(trouble: &Trouble, times: u64) {
    let Trouble {
        code, detail, hint, ..
    } = trouble;
    tracing::warn!(
        code,
        detail,
        hint,
        times,
        "something keeps this node from its work"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_none_is_named_beside_those_that_there_are() {
        let lines = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).into()).collect() };
        let there = lines(&["desktop", "server"]);
        assert_eq!(unknown_lines(&lines(&["*", "server"]), &there), None);
        let found = unknown_lines(&lines(&["desktop", "dekstop"]), &there).unwrap();
        let detail = "no release line is named dekstop; the network has desktop, server";
        assert_eq!(found.detail, detail);
    }

    fn found(code: &'static str) -> Found {
        Found {
            code,
            detail: format!("{code} happened"),
            hint: "mend it",
        }
    }

    #[test]
    fn a_trouble_is_new_once_lasts_and_ends() {
        let mut troubles = Troubles::default();
        let start = Instant::now();
        assert!(troubles.set("a", Some(found("Down")), start).is_some());
        let mut worse = found("Down");
        worse.detail = "worse".to_owned();
        assert!(troubles.set("a", Some(worse), start).is_none());
        assert_eq!(troubles.0["a"].times, 2);
        assert_eq!(
            troubles.about("a").map(|a| a.detail.as_str()),
            Some("worse")
        );
        assert!(troubles.set("b", Some(found("Down")), start).is_some());
        assert!(troubles.set("a", Some(found("Other")), start).is_some());
        assert_eq!(troubles.all().len(), 2);
        let later = start + SAY_EVERY;
        assert!(troubles.set("a", Some(found("Other")), later).is_none());
        assert_eq!(troubles.0["a"].said, later, "it was logged again");
        assert!(troubles.set("a", None, later).is_none());
        assert_eq!(troubles.all()[0].detail, "Down happened");
        for number in 0..TROUBLES_MAX * 2 {
            troubles.set(&number.to_string(), Some(found("Down")), later);
        }
        assert_eq!(troubles.all().len(), TROUBLES_MAX);
    }
}
