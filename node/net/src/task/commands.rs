//! Commands of the driver, carried out.

use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use patchmesh_core::ids::{AskId, FetchId, HelloId, ServeId};
use patchmesh_core::input::Answered;
use patchmesh_core::message::{Message, Want};
use patchmesh_core::peer::{Address, Down, Path, PeerId as Key};
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;
use prost::bytes::Bytes;

use crate::address::multiaddr;
use crate::command::Command;
use crate::event::{Event, FetchOutcome};
use crate::exchange::chunk::Limits;
use crate::exchange::control::Overflow;
use crate::exchange::document_codec::DocumentRequest;
use crate::hello;
use crate::identity::to_libp2p;
use crate::limits::DIAL_ADDRESSES_MAX;
use crate::task::state::{Next, Task};

impl Task {
    /// Carries out one command.
    pub(crate) fn command(&mut self, command: Command) -> Next {
        let network = self.swarm.behaviour_mut();
        match command {
            Command::Admit { hello, verdict } => {
                self.admit(hello, verdict.ok().map(|admitted| admitted.1));
            }
            Command::Answer { asked, document } => {
                self.documents
                    .answer(&mut network.document, asked, document);
            }
            Command::Ask {
                ask,
                peer,
                document,
                len_max,
            } => {
                let document = Ok(*document);
                self.ask(ask, peer, DocumentRequest { document, len_max });
            }
            Command::CancelFetch { fetch } => self.pending.extend(self.chunks.cancel(fetch)),
            Command::Decline { serve, decline } => {
                self.chunks.decline(&mut network.chunk, serve, decline);
            }
            Command::Dial { peer, addresses } => self.dial(peer, &addresses),
            Command::Disconnect { peer, why } => {
                tracing::debug!(peer = %peer.to_hex(), code = why.code(), "disconnecting");
                if let Some(peer) = to_libp2p(&peer) {
                    self.disconnect(&peer, Down::Local);
                }
            }
            Command::Fetch {
                fetch,
                peer,
                want,
                within,
                idle,
            } => {
                let [within, idle] = [within, idle].map(|time| Duration::from_micros(time.0));
                self.fetch(fetch, peer, *want, Limits::from_now(within, idle));
            }
            Command::Judge { id, verdict } => self.gossip.judge(&mut network.gossip, id, verdict),
            Command::Publish { announcement } => {
                self.gossip.publish(&mut network.gossip, &announcement);
            }
            Command::Send { to, message } => self.send(to, *message),
            Command::ServeBytes { serve, bytes } => self.serve(serve, bytes),
            Command::SetAddresses(addresses) => {
                self.hello.parts.addresses = addresses;
                self.hello.addresses_set = true;
                self.renew_hello();
            }
            Command::SetCertificate(certificate) => {
                let parts = &mut self.hello.parts;
                (parts.certificate, parts.signature) = *certificate;
                self.renew_hello();
            }
            Command::SetHead(head) => {
                self.hello.parts.head = head;
                self.renew_hello();
            }
            Command::SetMark(mark) => {
                self.hello.parts.mark = mark;
                self.renew_hello();
            }
            Command::Shutdown => return Next::End,
        }
        Next::GoOn
    }

    /// Closes all connections to a peer at once, sent or not what waits.
    pub(crate) fn disconnect(&mut self, peer: &PeerId, why: Down) {
        let Some(key) = self.peers.key(peer) else {
            return;
        };
        self.peers.ending(peer, why);
        self.outboxes.forget(peer);
        self.traffic.cut(key);
        if self.swarm.disconnect_peer_id(*peer).is_err() {
            tracing::debug!(peer = %key.to_hex(), "the connection is closing already");
        }
    }

    /// Later hellos carry what `parts` says now.
    pub(crate) fn renew_hello(&mut self) {
        let encoded = hello::encode(&self.hello.parts);
        let encoded = encoded.expect("the certificate fitted when the network started");
        self.hello.encoded.send_replace(encoded);
    }

    fn admit(&mut self, hello: HelloId, path: Option<Path>) {
        let Some(waiting) = self.hello.waiting.remove(&hello) else {
            return;
        };
        if path.is_some() {
            self.peers.admitted(waiting.peer);
        }
        if waiting.answer.send(path).is_err() {
            tracing::debug!(?hello, "the connection did not wait for its verdict");
        }
    }

    fn dial(&mut self, key: Key, addresses: &[Address]) {
        let usable: Vec<_> = addresses
            .iter()
            .filter_map(|address| multiaddr(address))
            .take(DIAL_ADDRESSES_MAX)
            .collect();
        let failed = Event::DialFailed { peer: key };
        let Some(peer) = to_libp2p(&key).filter(|_| !usable.is_empty()) else {
            self.pending.push_back(failed);
            return;
        };
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(usable)
            // From the port it listens on, two that dial at once would meet in
            // one connection that has two dialers.
            .allocate_new_port()
            .build();
        match self.swarm.dial(options) {
            Ok(()) | Err(libp2p::swarm::DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "failed to dial");
                self.pending.push_back(failed);
            }
        }
    }

    fn ask(&mut self, ask: AskId, peer: Key, request: DocumentRequest) {
        match self.connected(&peer) {
            Some(peer) => {
                let network = &mut self.swarm.behaviour_mut().document;
                self.documents.ask(network, &peer, (ask, request));
            }
            None => self.pending.push_back(Event::Answered {
                ask,
                outcome: Answered::Failed,
            }),
        }
    }

    fn fetch(&mut self, fetch: FetchId, peer: Key, want: Want, limits: Limits) {
        match self.connected(&peer) {
            Some(peer) => {
                let network = &mut self.swarm.behaviour_mut().chunk;
                self.chunks.fetch(network, &peer, (fetch, want, limits));
            }
            None => self.pending.push_back(Event::Fetched {
                fetch,
                outcome: FetchOutcome::Stalled,
            }),
        }
    }

    fn send(&mut self, to: Key, message: Message) {
        let Some(peer) = self.connected(&to) else {
            return;
        };
        if self.outboxes.push(peer, message) == Err(Overflow) {
            self.pending.push_back(Event::NotReading { peer: to });
            self.disconnect(&peer, Down::Local);
        }
    }

    fn serve(&mut self, serve: ServeId, bytes: Bytes) {
        assert!(
            bytes.len() <= CHUNK_WIRE_LEN_MAX,
            "the store holds no wire frame above the limit"
        );
        let network = &mut self.swarm.behaviour_mut().chunk;
        self.pending
            .extend(self.chunks.serve(network, serve, bytes));
    }

    fn connected(&self, key: &Key) -> Option<PeerId> {
        to_libp2p(key).filter(|peer| self.peers.key(peer).is_some())
    }
}
