//! Fetches and serves under way, each until its answer.

use std::collections::BTreeMap;

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::ids::FetchId;
use crate::limits::{FETCHES_MAX, NEAR_BYTES_MAX, NEAR_FETCHES_MAX};
use crate::message::Want;
use crate::output::Source;
use crate::swarm::grant::SiteKey;
use crate::time::Time;

/// One fetch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetch {
    pub(crate) content: ContentId,
    pub(crate) chunk: ChunkIndex,
    pub(crate) source: Source,
    /// From a member of the site, not over the WAN.
    pub(crate) near: bool,
    pub(crate) bytes: u32,
    pub(crate) started: Time,
    /// Bytes in flight over the WAN when it left, its own included.
    pub(crate) ahead: u64,
    /// Counts; a fetch that was given up only waits for its answer.
    pub(crate) live: bool,
}

impl Fetch {
    pub(crate) fn peer(&self) -> Option<PeerId> {
        match self.source {
            Source::Origin => None,
            Source::Peer(peer) => Some(peer),
        }
    }
}

/// One serve under way.
#[derive(Debug)]
pub(crate) struct Serve {
    pub(crate) to: PeerId,
    pub(crate) want: Want,
    /// Over the WAN, with a lease of this site.
    pub(crate) site: Option<SiteKey>,
}

/// The fetches.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    pub(crate) all: BTreeMap<FetchId, Fetch>,
    next: u64,
    near: usize,
    near_bytes: u64,
}

impl Fetches {
    /// Whether one more may leave to a member of the site.
    pub(crate) fn near_room(&self) -> bool {
        self.all.len() < FETCHES_MAX
            && self.near < NEAR_FETCHES_MAX
            && self.near_bytes < NEAR_BYTES_MAX
    }

    /// Whether one more may leave over the WAN.
    pub(crate) fn wan_room(&self) -> bool {
        self.all.len() < FETCHES_MAX
    }

    pub(crate) fn has_near(&self) -> bool {
        self.near > 0
    }

    pub(crate) fn add(&mut self, fetch: Fetch) -> FetchId {
        let id = FetchId(self.next);
        self.next += 1;
        if fetch.near {
            self.near += 1;
            self.near_bytes += u64::from(fetch.bytes);
        }
        self.all.insert(id, fetch);
        id
    }

    /// Ends the counting of a fetch; `None` if it did not count.
    pub(crate) fn retire(&mut self, id: FetchId) -> Option<Fetch> {
        let fetch = self.all.get_mut(&id).filter(|fetch| fetch.live)?;
        fetch.live = false;
        if fetch.near {
            self.near -= 1;
            self.near_bytes -= u64::from(fetch.bytes);
        }
        Some(*fetch)
    }

    /// Live fetches that match.
    pub(crate) fn select(&self, test: impl Fn(&Fetch) -> bool) -> Vec<FetchId> {
        self.all
            .iter()
            .filter(|(_, fetch)| fetch.live && test(fetch))
            .map(|(id, _)| *id)
            .collect()
    }
}
