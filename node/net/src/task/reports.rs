//! What the swarm tells, made into events for the driver.

use std::collections::BTreeMap;

use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{PeerId, gossipsub, mdns, ping};
use patchmesh_core::ids::HelloId;
use patchmesh_core::message::Announcement;
use patchmesh_core::output::Verdict;
use patchmesh_core::peer::{Address, Down};

use crate::address::ip;
use crate::behaviour::BehaviourEvent;
use crate::event::Event;
use crate::gossip::report;
use crate::hello::HelloAsk;
use crate::identity::{from_libp2p, to_libp2p};
use crate::limits::{DISCOVERED_ADDRESSES_MAX, HELLOS_MAX};
use crate::task::state::{Task, Waiting};

impl Task {
    /// Takes in a hello. A peer does not dial while its side of a connection
    /// stands, so one that stands here is dead, and the driver must see its
    /// end before the hello.
    pub(crate) fn ask_for_verdict(&mut self, ask: HelloAsk) {
        let Some(peer) = to_libp2p(&ask.proof.peer) else {
            return;
        };
        if self.peers.is_stale(&peer) {
            self.disconnect(&peer, Down::Closed);
        }
        if self.peers.is_ending(&peer) {
            let held = self.hello.held.entry(peer).or_default();
            held.retain(|ask| !ask.answer.is_closed());
            held.push(ask);
        } else {
            self.show(peer, ask);
        }
    }

    /// Hands a hello to the driver; without room for it, it is refused.
    fn show(&mut self, peer: PeerId, ask: HelloAsk) {
        let waiting = &mut self.hello.waiting;
        waiting.retain(|_, waiting| !waiting.answer.is_closed());
        if waiting.len() >= HELLOS_MAX {
            return;
        }
        let hello = HelloId(self.hello.next);
        self.hello.next += 1;
        let answer = ask.answer;
        waiting.insert(hello, Waiting { peer, answer });
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
            } => self.established(peer_id, connection_id),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                ..
            } => self.closed(&peer_id, connection_id),
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(%error, "failed to dial");
                let turned_away = peer_id.is_some_and(|peer| self.hello.turned_away.take(&peer));
                if let Some(peer) = peer_id.as_ref().and_then(from_libp2p) {
                    if turned_away {
                        self.pending.push_back(Event::TurnedAway { peer });
                    }
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
            SwarmEvent::IncomingConnection { .. }
            | SwarmEvent::Dialing { .. }
            | SwarmEvent::NewExternalAddrCandidate { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. }
            | SwarmEvent::NewExternalAddrOfPeer { .. }
            | _ => {}
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
            }) if !self.is_heard(&peer) => {
                tracing::debug!(%error, ?connection, "no sign of life");
                self.disconnect(&peer, Down::TimedOut);
            }
            BehaviourEvent::Gossip(_)
            | BehaviourEvent::Identify(_)
            | BehaviourEvent::Mdns(mdns::Event::Expired(_))
            | BehaviourEvent::Ping(_) => {}
        }
    }

    /// Whether bytes came from a peer while the answer to a ping did not: on a thin
    /// line the answer waits behind the chunks that are under way.
    fn is_heard(&self, peer: &PeerId) -> bool {
        let heard = from_libp2p(peer).and_then(|key| self.traffic.heard(key));
        heard.is_some_and(|heard| heard.elapsed() < self.pong)
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId) {
        let key = from_libp2p(&peer).expect("the gate admits Ed25519 keys only");
        if self.peers.is_late(&peer) || self.peers.is_ending(&peer) {
            self.traffic.cut(key);
            self.swarm.close_connection(connection);
        } else if self.peers.established(peer, key, connection) {
            self.pending.push_back(Event::PeerUp { peer: key });
        }
    }

    fn closed(&mut self, peer: &PeerId, connection: ConnectionId) {
        let Some((key, why)) = self.peers.closed(peer, connection) else {
            return;
        };
        self.outboxes.forget(peer);
        self.pending.push_back(Event::PeerDown { peer: key, why });
        for ask in self.hello.held.remove(peer).unwrap_or_default() {
            self.show(*peer, ask);
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
                self.pending
                    .push_back(Event::MessageRefused { from, refusal });
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
}

fn is_loopback(address: &Multiaddr) -> bool {
    let first = address.iter().next();
    first
        .and_then(|part| ip(&part))
        .is_some_and(|ip| ip.is_loopback())
}
