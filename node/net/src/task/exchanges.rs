//! What the three exchanges tell, made into events for the driver.

use std::sync::Arc;

use libp2p::PeerId;
use libp2p::request_response::{Event as Exchange, Message as Exchanged, OutboundFailure};
use patchmesh_core::input::Answered;
use patchmesh_core::message::Message;
use patchmesh_core::peer::{Down, PeerId as Key};
use patchmesh_proto::frame::FrameRefusal;
use prost::bytes::Bytes;

use crate::event::{Event, FetchOutcome};
use crate::exchange::chunk_codec::{ChunkRequest, ChunkResponse};
use crate::exchange::document_codec::DocumentRequest;
use crate::identity::from_libp2p;
use crate::task::state::Task;
use crate::wire::refusal;

/// A control frame, refused or not.
type Frame = Result<Vec<Message>, FrameRefusal>;

impl Task {
    pub(crate) fn report_chunk(&mut self, event: Exchange<ChunkRequest, ChunkResponse>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request_id,
                    request,
                    channel,
                } => {
                    if let Some((from, want)) = self.accepted(&peer, request.want)
                        && let Some(serve) = self.chunks.requested(request_id, channel)
                    {
                        let want = Box::new(want);
                        self.pending
                            .push_back(Event::Requested { serve, from, want });
                    }
                }
                Exchanged::Response {
                    request_id,
                    response,
                } => {
                    let event = self.chunks.fetched(request_id, Some(response));
                    if let Some(Event::Fetched { outcome, .. }) = &event
                        && let FetchOutcome::Frame(bytes) = outcome
                        && let Some(key) = from_libp2p(&peer)
                    {
                        self.traffic.payload_received(key, bytes.len() as u64);
                    }
                    self.pending.extend(event);
                }
            },
            Exchange::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.refused_outbound(&peer, &error);
                self.pending.extend(self.chunks.fetched(request_id, None));
            }
            Exchange::InboundFailure { request_id, .. } => {
                self.pending
                    .extend(self.chunks.sent(request_id).map(|sending| Event::Served {
                        serve: sending.serve,
                        bytes: 0,
                    }));
            }
            Exchange::ResponseSent {
                peer, request_id, ..
            } => {
                if let Some(sending) = self.chunks.sent(request_id) {
                    if let Some(key) = from_libp2p(&peer) {
                        self.traffic.payload_sent(key, sending.bytes);
                    }
                    self.pending.push_back(Event::Served {
                        serve: sending.serve,
                        bytes: sending.bytes,
                    });
                }
            }
        }
    }

    pub(crate) fn report_control(&mut self, event: Exchange<Frame, ()>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request, channel, ..
                } => {
                    let Some((from, messages)) = self.accepted(&peer, request) else {
                        return;
                    };
                    self.pending.extend(messages.into_iter().map(|message| {
                        let message = Box::new(message);
                        Event::Message { from, message }
                    }));
                    let network = &mut self.swarm.behaviour_mut().control;
                    if network.send_response(channel, ()).is_err() {
                        tracing::debug!("the sender of a frame is gone");
                    }
                }
                Exchanged::Response { request_id, .. } => self.outboxes.arrived(peer, request_id),
            },
            Exchange::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.refused_outbound(&peer, &error);
                if self.outboxes.is_under_way(&peer, request_id) {
                    // Some messages may have arrived and some not: only a new
                    // session makes the peer's view right again.
                    self.disconnect(&peer, Down::Closed);
                }
            }
            Exchange::InboundFailure { .. } | Exchange::ResponseSent { .. } => {}
        }
    }

    pub(crate) fn report_document(&mut self, event: Exchange<DocumentRequest, Option<Bytes>>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request, channel, ..
                } => {
                    if let Some((from, document)) = self.accepted(&peer, request.document)
                        && let Some(asked) = self.documents.asked(channel)
                    {
                        let document = Box::new(document);
                        self.pending.push_back(Event::Asked {
                            asked,
                            from,
                            document,
                        });
                    }
                }
                Exchanged::Response {
                    request_id,
                    response,
                } => {
                    let outcome = match response {
                        Some(bytes) => Answered::Bytes(Arc::from(&bytes[..])),
                        None => Answered::Gone,
                    };
                    self.pending
                        .extend(self.documents.answered(request_id, outcome));
                }
            },
            Exchange::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.refused_outbound(&peer, &error);
                self.pending
                    .extend(self.documents.answered(request_id, Answered::Failed));
            }
            Exchange::InboundFailure { .. } | Exchange::ResponseSent { .. } => {}
        }
    }

    /// What a connected peer asks, with its key. A breach of the protocol is
    /// reported; dropping the answer's channel then ends the stream.
    fn accepted<T>(&mut self, peer: &PeerId, request: Result<T, FrameRefusal>) -> Option<(Key, T)> {
        let from = self.peers.key(peer)?;
        match request {
            Ok(request) => Some((from, request)),
            Err(refusal) => {
                self.pending
                    .push_back(Event::MessageRefused { from, refusal });
                None
            }
        }
    }

    /// Reports an answer that was a breach of the protocol; a broken stream is
    /// none.
    fn refused_outbound(&mut self, peer: &PeerId, error: &OutboundFailure) {
        if let OutboundFailure::Io(error) = error
            && let Some(refusal) = refusal(error)
            && let Some(from) = from_libp2p(peer)
        {
            self.pending
                .push_back(Event::MessageRefused { from, refusal });
        }
    }
}
