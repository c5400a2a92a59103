//! What the swarm tells, made into events for the driver.

use std::collections::BTreeMap;
use std::io;

use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::request_response::{
    Event as Exchange, InboundFailure, Message as Exchanged, OutboundFailure,
};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{PeerId, gossipsub, mdns, ping};
use patchmesh_core::ids::HelloId;
use patchmesh_core::message::{Announcement, Message};
use patchmesh_core::output::Verdict;
use patchmesh_core::peer::{Address, Down};
use prost::bytes::Bytes;

use crate::behaviour::BehaviourEvent;
use crate::event::{Event, FetchOutcome};
use crate::exchange::chunk_codec::{ChunkRequest, ChunkResponse};
use crate::exchange::document_codec::DocumentRequest;
use crate::gossip::report;
use crate::hello::HelloAsk;
use crate::identity::{from_libp2p, to_libp2p};
use crate::limits::{DISCOVERED_ADDRESSES_MAX, HELLOS_MAX};
use crate::task::state::{Task, Waiting};
use crate::wire::{code, refusal};

impl Task {
    /// Hands a hello to the driver.
    pub(crate) fn ask_for_verdict(&mut self, ask: HelloAsk) {
        let Some(peer) = to_libp2p(&ask.proof.peer) else {
            return;
        };
        self.hello
            .waiting
            .retain(|_, waiting| !waiting.answer.is_closed());
        if self.hello.waiting.len() >= HELLOS_MAX {
            // Dropping the question is a no.
            return;
        }
        let hello = HelloId(self.hello.next);
        self.hello.next += 1;
        let answer = ask.answer;
        self.hello.waiting.insert(hello, Waiting { peer, answer });
        self.pending.push_back(Event::Hello {
            hello,
            proof: Box::new(ask.proof),
            remote: ask.remote,
        });
    }

    /// Takes in one event of the swarm.
    pub(crate) fn report(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.report_protocol(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => {
                let key = from_libp2p(&peer_id).expect("the gate admits Ed25519 keys only");
                if self.peers.established(peer_id, key, connection_id) {
                    self.pending.push_back(Event::PeerUp { peer: key });
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                ..
            } => self.closed(&peer_id, connection_id),
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(%error, "failed to dial");
                if let Some(peer) = peer_id.as_ref().and_then(from_libp2p) {
                    self.pending.push_back(Event::DialFailed { peer });
                }
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                self.hello.listening.insert(address);
                self.listening();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.hello.listening.remove(&address);
                self.listening();
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                tracing::warn!(?addresses, ?reason, "a listener has closed");
                for address in addresses {
                    self.hello.listening.remove(&address);
                }
                self.listening();
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::debug!(%error, "a listener failed to take a connection");
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::debug!(%error, "a connection did not come in");
            }
            // Nothing that a driver could act on; the type is open to more.
            _ => {}
        }
    }

    fn report_protocol(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Chunk(event) => self.report_chunk(event),
            BehaviourEvent::Control(event) => self.report_control(event),
            BehaviourEvent::Document(event) => self.report_document(event),
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => self.report_gossip(propagation_source, message_id, &message.data),
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => self.discovered(found),
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error),
            }) => {
                tracing::debug!(%error, ?connection, "no sign of life");
                self.disconnect(&peer, Down::TimedOut);
            }
            BehaviourEvent::Gossip(_)
            | BehaviourEvent::Identify(_)
            | BehaviourEvent::Mdns(mdns::Event::Expired(_))
            | BehaviourEvent::Ping(_) => {}
        }
    }

    fn closed(&mut self, peer: &PeerId, connection: ConnectionId) {
        let Some((key, why)) = self.peers.closed(peer, connection) else {
            return;
        };
        self.outboxes.forget(peer);
        self.pending.push_back(Event::PeerDown { peer: key, why });
        for (answer, path) in self.hello.held.remove(peer).unwrap_or_default() {
            if answer.send(Some(path)).is_err() {
                tracing::debug!("the connection did not wait for its verdict");
            }
        }
    }

    fn listening(&mut self) {
        let all = &self.hello.listening;
        self.pending.push_back(Event::ListenAddresses(
            all.iter().map(Multiaddr::to_vec).collect(),
        ));
        if !self.hello.addresses_set {
            let outside = all.iter().filter(|address| !is_loopback(address));
            let mut addresses: Vec<Address> = outside.map(Multiaddr::to_vec).collect();
            if addresses.is_empty() {
                addresses = all.iter().map(Multiaddr::to_vec).collect();
            }
            self.hello.parts.addresses = addresses;
            self.renew_hello();
        }
    }

    fn report_chunk(&mut self, event: Exchange<ChunkRequest, ChunkResponse>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request_id,
                    request,
                    channel,
                } => {
                    if let Some(from) = self.peers.key(&peer)
                        && let Some(serve) = self.chunks.requested(request_id, channel)
                    {
                        let want = Box::new(request.want);
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
            Exchange::InboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.refused_inbound(&peer, &error);
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

    fn report_control(&mut self, event: Exchange<Vec<Message>, ()>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request, channel, ..
                } => {
                    let Some(from) = self.peers.key(&peer) else {
                        return;
                    };
                    self.pending.extend(request.into_iter().map(|message| {
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
            Exchange::InboundFailure { peer, error, .. } => self.refused_inbound(&peer, &error),
            Exchange::ResponseSent { .. } => {}
        }
    }

    fn report_document(&mut self, event: Exchange<DocumentRequest, Option<Bytes>>) {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Exchanged::Request {
                    request, channel, ..
                } => {
                    if let Some(from) = self.peers.key(&peer)
                        && let Some(asked) = self.documents.asked(channel)
                    {
                        self.pending.push_back(Event::Asked {
                            asked,
                            from,
                            document: Box::new(request.document),
                        });
                    }
                }
                Exchanged::Response {
                    request_id,
                    response,
                } => self
                    .pending
                    .extend(self.documents.answered(request_id, Some(response))),
            },
            Exchange::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.refused_outbound(&peer, &error);
                self.pending
                    .extend(self.documents.answered(request_id, None));
            }
            Exchange::InboundFailure { peer, error, .. } => self.refused_inbound(&peer, &error),
            Exchange::ResponseSent { .. } => {}
        }
    }

    fn report_gossip(&mut self, peer: PeerId, message: gossipsub::MessageId, data: &[u8]) {
        let gossipsub = &mut self.swarm.behaviour_mut().gossip;
        let Some(from) = self.peers.key(&peer) else {
            report(gossipsub, &message, &peer, Verdict::Ignore);
            return;
        };
        match Announcement::decode(data) {
            Ok(announcement) => {
                if let Some(id) = self.gossip.came(gossipsub, message, peer) {
                    self.pending.push_back(Event::Gossip {
                        id,
                        from,
                        announcement: Box::new(announcement),
                    });
                }
            }
            Err(refusal) => {
                report(gossipsub, &message, &peer, Verdict::Reject);
                let code = code(refusal);
                self.pending.push_back(Event::MessageRefused { from, code });
            }
        }
    }

    fn discovered(&mut self, found: Vec<(PeerId, Multiaddr)>) {
        let mut by_peer: BTreeMap<PeerId, Vec<Address>> = BTreeMap::new();
        for (peer, mut address) in found {
            if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
                address.pop();
            }
            let addresses = by_peer.entry(peer).or_default();
            if addresses.len() < DISCOVERED_ADDRESSES_MAX {
                addresses.push(address.to_vec());
            }
        }
        self.pending
            .extend(by_peer.into_iter().filter_map(|(peer, addresses)| {
                let peer = from_libp2p(&peer)?;
                Some(Event::Discovered { peer, addresses })
            }));
    }

    fn refused_inbound(&mut self, peer: &PeerId, error: &InboundFailure) {
        if let InboundFailure::Io(error) = error {
            self.refused(peer, error);
        }
    }

    fn refused_outbound(&mut self, peer: &PeerId, error: &OutboundFailure) {
        if let OutboundFailure::Io(error) = error {
            self.refused(peer, error);
        }
    }

    /// Reports a breach of the protocol; a broken stream is none.
    fn refused(&mut self, peer: &PeerId, error: &io::Error) {
        if let Some(refusal) = refusal(error)
            && let Some(from) = from_libp2p(peer)
        {
            let code = code(refusal);
            self.pending.push_back(Event::MessageRefused { from, code });
        }
    }
}

fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}
