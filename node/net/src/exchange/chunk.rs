//! Chunks on their way: what this node asked for and what it was asked for.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use libp2p::PeerId;
use libp2p::request_response::{Behaviour, InboundRequestId, OutboundRequestId, ResponseChannel};
use patchmesh_core::ids::{FetchId, ServeId};
use patchmesh_core::message::{Decline, Want};
use prost::bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::event::{Event, FetchOutcome};
use crate::exchange::chunk_codec::{ChunkCodec, ChunkRequest, ChunkResponse};
use crate::heard::Heard;
use crate::limits::REQUESTED_MAX;

/// Both tables. Every fetch is answered once, whatever the network does.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    fetches: BTreeMap<FetchId, Fetch>,
    by_request: BTreeMap<OutboundRequestId, FetchId>,
    deadlines: BTreeSet<(Instant, FetchId)>,
    /// When bytes of a chunk last came from each peer that is asked.
    heard: BTreeMap<PeerId, Heard>,
    serves: BTreeMap<ServeId, Serve>,
    sending: BTreeMap<InboundRequestId, Sending>,
    next_serve: u64,
}

#[derive(Debug)]
struct Fetch {
    request: OutboundRequestId,
    cancel: CancellationToken,
    peer: PeerId,
    limits: Limits,
    since: Instant,
    /// When it is looked at next.
    due: Instant,
}

/// How long a fetch may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    by: Instant,
    idle: Duration,
}

impl Limits {
    /// From now `within` in all, and `idle` without a byte.
    pub(crate) fn from_now(within: Duration, idle: Duration) -> Self {
        Self {
            by: Instant::now() + within,
            idle,
        }
    }

    fn due(&self, last: Instant) -> Instant {
        self.by.min(last + self.idle)
    }
}

#[derive(Debug)]
struct Serve {
    request: InboundRequestId,
    channel: ResponseChannel<ChunkResponse>,
}

/// A wire frame handed to the connection and not yet gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) serve: ServeId,
    pub(crate) bytes: u64,
}

impl Chunks {
    /// Asks a connected peer. An id that is in use already is a bug of the
    /// driver.
    pub(crate) fn fetch(
        &mut self,
        network: &mut Behaviour<ChunkCodec>,
        peer: &PeerId,
        (fetch, want, limits): (FetchId, Want, Limits),
    ) {
        let cancel = CancellationToken::new();
        let heard = self.heard.entry(*peer).or_default().clone();
        let since = Instant::now();
        let due = limits.due(since);
        let request = network.send_request(
            peer,
            ChunkRequest {
                want: Ok(want),
                cancel: cancel.clone(),
                heard,
            },
        );
        self.by_request.insert(request, fetch);
        self.deadlines.insert((due, fetch));
        let earlier = self.fetches.insert(
            fetch,
            Fetch {
                request,
                cancel,
                peer: *peer,
                limits,
                since,
                due,
            },
        );
        assert!(earlier.is_none(), "a fetch id is used once");
    }

    /// Gives a fetch up and resets its stream.
    pub(crate) fn cancel(&mut self, fetch: FetchId) -> Option<Event> {
        let entry = self.remove(fetch)?;
        entry.cancel.cancel();
        Some(Event::Fetched {
            fetch,
            outcome: FetchOutcome::Stalled,
        })
    }

    /// The first deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(by, _)| by)
    }

    /// Gives up what is late.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(&(due, fetch)) = self.deadlines.first()
            && due <= now
        {
            if !self.put_off(fetch, now) {
                events.extend(self.cancel(fetch));
            }
        }
        events
    }

    /// Whether bytes came from the peer of late, so that a fetch has more time.
    fn put_off(&mut self, fetch: FetchId, now: Instant) -> bool {
        let Some(entry) = self.fetches.get_mut(&fetch) else {
            return false;
        };
        let heard = self.heard.get(&entry.peer).and_then(Heard::last);
        let last = heard.map_or(entry.since, |heard| heard.max(entry.since));
        let due = entry.limits.due(last);
        if due <= now {
            return false;
        }
        self.deadlines.remove(&(entry.due, fetch));
        self.deadlines.insert((due, fetch));
        entry.due = due;
        true
    }

    /// A request came to its end; `None` where it had been given up.
    pub(crate) fn fetched(
        &mut self,
        request: OutboundRequestId,
        response: Option<ChunkResponse>,
    ) -> Option<Event> {
        let fetch = *self.by_request.get(&request)?;
        self.remove(fetch)?;
        let outcome = match response {
            Some(ChunkResponse::Declined(decline)) => FetchOutcome::Declined(decline),
            Some(ChunkResponse::Frame(bytes)) => FetchOutcome::Frame(bytes),
            None => FetchOutcome::Stalled,
        };
        Some(Event::Fetched { fetch, outcome })
    }

    /// A peer asks; `None` where too many wait, and the stream closes.
    pub(crate) fn requested(
        &mut self,
        request: InboundRequestId,
        channel: ResponseChannel<ChunkResponse>,
    ) -> Option<ServeId> {
        if self.serves.len() >= REQUESTED_MAX {
            return None;
        }
        let serve = ServeId(self.next_serve);
        self.next_serve += 1;
        self.serves.insert(serve, Serve { request, channel });
        Some(serve)
    }

    /// Sends the chunk. An event only where the asker is gone.
    pub(crate) fn serve(
        &mut self,
        network: &mut Behaviour<ChunkCodec>,
        serve: ServeId,
        bytes: Bytes,
    ) -> Option<Event> {
        let failed = Event::Served { serve, bytes: 0 };
        let entry = self.serves.remove(&serve)?;
        let sending = Sending {
            serve,
            bytes: bytes.len() as u64,
        };
        match network.send_response(entry.channel, ChunkResponse::Frame(bytes)) {
            Ok(()) => {
                self.sending.insert(entry.request, sending);
                None
            }
            Err(_) => Some(failed),
        }
    }

    /// Says no.
    pub(crate) fn decline(
        &mut self,
        network: &mut Behaviour<ChunkCodec>,
        serve: ServeId,
        decline: Box<Decline>,
    ) {
        if let Some(entry) = self.serves.remove(&serve)
            && network
                .send_response(entry.channel, ChunkResponse::Declined(decline))
                .is_err()
        {
            tracing::debug!(?serve, "the asker of a declined chunk is gone");
        }
    }

    /// An answer has gone, or failed; the frame that it was, if it was one.
    pub(crate) fn sent(&mut self, request: InboundRequestId) -> Option<Sending> {
        self.sending.remove(&request)
    }

    fn remove(&mut self, fetch: FetchId) -> Option<Fetch> {
        let entry = self.fetches.remove(&fetch)?;
        self.by_request.remove(&entry.request);
        self.deadlines.remove(&(entry.due, fetch));
        if !self.fetches.values().any(|other| other.peer == entry.peer) {
            self.heard.remove(&entry.peer);
        }
        Some(entry)
    }
}
