//! Documents on their way: what this node asked for and what it was asked for.

use std::collections::BTreeMap;

use libp2p::PeerId;
use libp2p::request_response::{Behaviour, OutboundRequestId, ResponseChannel};
use patchmesh_core::ids::{AskId, AskedId};
use patchmesh_core::input::Answered;
use prost::bytes::Bytes;

use crate::event::Event;
use crate::exchange::document_codec::{DocumentCodec, DocumentRequest};
use crate::limits::REQUESTED_MAX;

/// Both tables.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    asks: BTreeMap<OutboundRequestId, AskId>,
    asked: BTreeMap<AskedId, ResponseChannel<Option<Bytes>>>,
    next_asked: u64,
}

impl Documents {
    /// Asks a connected peer.
    pub(crate) fn ask(
        &mut self,
        network: &mut Behaviour<DocumentCodec>,
        peer: &PeerId,
        (ask, request): (AskId, DocumentRequest),
    ) {
        self.asks.insert(network.send_request(peer, request), ask);
    }

    /// A request came to its end.
    pub(crate) fn answered(
        &mut self,
        request: OutboundRequestId,
        outcome: Answered,
    ) -> Option<Event> {
        let ask = self.asks.remove(&request)?;
        Some(Event::Answered { ask, outcome })
    }

    /// A peer asks; `None` where too many wait, and the stream closes.
    pub(crate) fn asked(&mut self, channel: ResponseChannel<Option<Bytes>>) -> Option<AskedId> {
        if self.asked.len() >= REQUESTED_MAX {
            return None;
        }
        let asked = AskedId(self.next_asked);
        self.next_asked += 1;
        self.asked.insert(asked, channel);
        Some(asked)
    }

    /// Answers a peer.
    pub(crate) fn answer(
        &mut self,
        network: &mut Behaviour<DocumentCodec>,
        asked: AskedId,
        document: Option<Bytes>,
    ) {
        if let Some(channel) = self.asked.remove(&asked)
            && network.send_response(channel, document).is_err()
        {
            tracing::debug!(?asked, "the asker of a document is gone");
        }
    }
}
