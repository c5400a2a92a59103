//! Meeting the members of the own site before a source is asked: what they hold
//! need not cross the WAN, and a source does not know all of it (S-22).

use std::collections::BTreeSet;

use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::INTRODUCED_MAX;
use crate::peer::Address;
use crate::swarm::machine::Swarm;
use crate::time::{Duration, Time};

/// A source is left alone for so long after it connected, at most, until it has
/// said whom it knows of the site and those are reached.
const MEET: Duration = Duration::secs(5);
/// Members that are reached have so long to say what they hold.
const HEAR: Duration = Duration::secs(2);
/// So many members are enough to begin with.
const ENOUGH: usize = 2;

/// What a newly connected source said of the own site.
#[derive(Debug)]
pub(crate) struct Meeting {
    until: Time,
    /// Members that it named; `None` before it named any, or nobody.
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
}

impl Swarm {
    /// Until when a source is not to be asked for chunks of a content, if it
    /// isn't: members of the site are about to be met, or to say what they hold.
    pub(crate) fn meets_until(&self, id: &ContentId, source: &PeerId, now: Time) -> Option<Time> {
        let content = self.contents.get(id)?;
        let meeting = self.peers.get(source)?.meeting.as_ref();
        let met_by = meeting.map_or(Time(0), |meeting| meeting.until);
        let mut since: Vec<Time> = Vec::new();
        let mut heard = 0;
        for (peer, state) in self.peers.connected().filter(|(_, peer)| peer.is_member()) {
            since.push(state.since);
            heard += usize::from(content.views.0.contains_key(peer));
        }
        if met_by > now {
            let named = meeting.and_then(|meeting| meeting.named.as_ref());
            let Some(named) = named else {
                return Some(met_by);
            };
            if since.len() < named.len().min(ENOUGH) {
                return Some(met_by);
            }
        }
        let need = since.len().min(ENOUGH);
        if heard >= need {
            return None;
        }
        // Only the oldest connections count: one that comes and goes must not
        // put the source off again and again.
        since.sort_unstable();
        let until = since[need - 1].max(content.started).plus(HEAR);
        (until > now).then_some(until)
    }
}
