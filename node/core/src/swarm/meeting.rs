//! What a newly connected source said of the own site, before it is asked for
//! chunks: what members hold need not cross the WAN, and a source does not know
//! all of it (S-22).

use std::collections::BTreeSet;

use patchmesh_content::id::PeerId;

use crate::limits::INTRODUCED_MAX;
use crate::peer::Address;
use crate::time::{Duration, Time};

/// A source is left alone for so long after it connected, at most, until it has
/// said whom it knows of the site and those are reached.
const MEET: Duration = Duration::secs(5);

/// Its word, and until when it is waited for.
#[derive(Debug)]
pub(crate) struct Meeting {
    until: Time,
    /// Members that it named, perhaps none; `None` before it said anything.
    named: Option<BTreeSet<PeerId>>,
}

impl Meeting {
    /// The source connected now.
    pub(crate) fn new(now: Time) -> Self {
        Self {
            until: now.plus(MEET),
            named: None,
        }
    }

    /// The source names members of the site, perhaps none.
    pub(crate) fn hear(&mut self, list: &[(PeerId, Vec<Address>)]) {
        let named = self.named.get_or_insert_default();
        let room = INTRODUCED_MAX.saturating_sub(named.len());
        named.extend(list.iter().take(room).map(|(peer, _)| *peer));
    }

    /// When the source is asked at the latest.
    pub(crate) fn until(&self) -> Time {
        self.until
    }

    /// How many members it named; `None` before it said anything.
    pub(crate) fn named(&self) -> Option<usize> {
        self.named.as_ref().map(BTreeSet::len)
    }
}
