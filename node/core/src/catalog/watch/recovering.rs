//! After the floors were lost (T-33): what the store gave back may be an older
//! state than was seen before, so nothing is installed until others have said
//! what is newest.

use std::collections::BTreeSet;

use patchmesh_content::id::PeerId;

use crate::time::{Duration, Time};

/// Members that must have said what they hold.
const MEMBERS: usize = 3;
/// How long further members are waited for once a source has answered.
const SETTLE: Duration = Duration::secs(10);
/// After this time the node goes on with what it has: a site that nobody reaches
/// is not to be without patches for ever.
const AT_MOST: Duration = Duration::secs(60 * 60);

/// Who has answered since the floors were lost.
#[derive(Debug, Clone)]
pub struct Recovering {
    since: Time,
    members: BTreeSet<PeerId>,
    bootstrap: BTreeSet<PeerId>,
    source: Option<Time>,
}

impl Recovering {
    /// Begins now. `bootstrap` are the peers of the configuration.
    pub fn new(bootstrap: BTreeSet<PeerId>, now: Time) -> Self {
        Self {
            since: now,
            members: BTreeSet::new(),
            bootstrap,
            source: None,
        }
    }

    /// A peer has said which versions it holds.
    pub fn answered(&mut self, peer: PeerId, origin: bool, now: Time) {
        if origin || self.bootstrap.contains(&peer) {
            self.source_answered(now);
        } else if self.members.len() < MEMBERS {
            self.members.insert(peer);
        }
    }

    /// An origin has given its timestamp.
    pub fn source_answered(&mut self, now: Time) {
        self.source.get_or_insert(now);
    }

    /// Whether enough have answered and nobody claims more than is held, or the
    /// time is over.
    pub fn is_over(&self, newer_claimed: bool, now: Time) -> bool {
        (self.has_enough(now) && !newer_claimed) || now.since(self.since) >= AT_MOST
    }

    /// Whether enough have answered, however long that takes.
    pub fn has_enough(&self, now: Time) -> bool {
        self.source
            .is_some_and(|source| self.members.len() >= MEMBERS || now.since(source) >= SETTLE)
    }

    /// When those there are have answered long enough.
    pub fn settles(&self, now: Time) -> Option<Time> {
        let settled = self.source.map(|source| source.plus(SETTLE));
        settled.filter(|at| *at > now)
    }

    /// When it may be over without another event.
    pub fn next(&self, now: Time) -> Option<Time> {
        let at_most = Some(self.since.plus(AT_MOST)).filter(|at| *at > now);
        self.settles(now).into_iter().chain(at_most).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn peer(number: u8) -> PeerId {
        PeerId([number; 32])
    }

    /// T-33.
    #[test]
    fn three_members_and_a_source_or_an_hour() {
        let mut recovering = Recovering::new([peer(9)].into(), Time(0));
        for number in [1, 1, 2] {
            recovering.answered(peer(number), false, Time(1));
        }
        recovering.answered(peer(9), false, Time(SECOND));
        assert!(!recovering.is_over(false, Time(2 * SECOND)));
        recovering.answered(peer(3), false, Time(2 * SECOND));
        assert!(recovering.is_over(false, Time(2 * SECOND)));
        assert!(
            !recovering.is_over(true, Time(2 * SECOND)),
            "more is claimed"
        );
        let hour = Time(3_600 * SECOND);
        assert!(recovering.is_over(true, hour));
    }

    #[test]
    fn fewer_members_are_waited_for_and_none_is_a_source() {
        let mut alone = Recovering::new(BTreeSet::new(), Time(0));
        alone.answered(peer(1), false, Time(0));
        assert!(!alone.is_over(false, Time(3_599 * SECOND)));
        assert_eq!(alone.next(Time(0)), Some(Time(3_600 * SECOND)));
        alone.answered(peer(2), true, Time(5 * SECOND));
        assert_eq!(alone.next(Time(0)), Some(Time(15 * SECOND)));
        assert!(!alone.is_over(false, Time(14 * SECOND)));
        assert!(alone.is_over(false, Time(15 * SECOND)));
    }
}
