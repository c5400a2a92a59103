//! Events of the network, handed to the engine.

use std::time::Instant;

use patchmesh_api::answer::Answer;
use patchmesh_content::id::PeerId;
use patchmesh_core::ids::{CommandId, FetchId};
use patchmesh_core::input::{Command, Fetched, Input};
use patchmesh_core::output::Reply;
use patchmesh_core::peer::Address;
use patchmesh_net::{Bytes, Event, FetchOutcome};
use tokio::sync::oneshot;

use crate::chunks::intake;
use crate::drive::finished::{Fetch, Finished};
use crate::drive::node::Node;
use crate::troubles::Found;

impl Node {
    /// One event of the network.
    pub(crate) fn take_event(&mut self, event: Event) {
        let input = match event {
            Event::Answered { ask, outcome } => Input::Answered { ask, outcome },
            Event::Asked {
                asked,
                from,
                document,
            } => Input::Asked {
                asked,
                from,
                document,
            },
            Event::DialFailed { peer } => {
                tracing::debug!(%peer, "no connection came of dialling");
                return;
            }
            Event::Discovered { peer, addresses } => Input::Discovered { peer, addresses },
            Event::Fetched { fetch, outcome } => return self.take_fetched(fetch, outcome),
            Event::Gossip {
                id,
                from,
                announcement,
            } => Input::Gossip {
                id,
                from,
                announcement,
            },
            Event::Hello { hello, proof, .. } => Input::Hello { hello, proof },
            Event::ListenAddresses(addresses) => {
                for address in &addresses {
                    let text = patchmesh_net::address::text(address).unwrap_or_default();
                    tracing::info!(address = text, "listening");
                }
                self.listens(addresses);
                return;
            }
            Event::Message { from, message } => Input::Message { from, message },
            Event::MessageRefused { from, refusal } => Input::Refused { from, refusal },
            Event::NotReading { peer } => {
                self.notices
                    .refused("message", "control-queue-full", Some(peer));
                return;
            }
            Event::PeerDown { peer, why } => Input::PeerDown { peer, why },
            Event::PeerUp { peer } => {
                self.trouble(&about(peer), None);
                Input::PeerUp { peer }
            }
            Event::TurnedAway { peer } => return self.turned_away(peer),
            Event::Requested { serve, from, want } => Input::Requested { serve, from, want },
            Event::Served { serve, bytes } => {
                self.serves.remove(&serve);
                Input::Served { serve, bytes }
            }
        };
        self.feed(input);
    }

    /// A node that listens nowhere finds others and is found by nobody.
    fn listens(&mut self, addresses: Vec<Address>) {
        let found = addresses.is_empty().then(|| Found {
            code: "NotListening",
            detail: format!("no address of {:?} takes connections", self.settings.listen),
            hint: "the log names the address and the reason; mend it and restart the node",
        });
        self.listening = addresses;
        self.trouble("listening", found);
    }

    /// A refused hello is a closed connection, which names no reason (M-16). Of
    /// a peer that the configuration names, it is worth telling.
    fn turned_away(&mut self, peer: PeerId) {
        let named = |text: &&String| {
            patchmesh_net::address::parse(text).is_ok_and(|(named, _)| named == Some(peer))
        };
        let Some(address) = self.settings.bootstrap.iter().find(named) else {
            return;
        };
        let network = patchmesh_content::id::hex(&self.mesh_id);
        let wall = self.clock.now().utc.format().unwrap_or_default();
        let found = Found {
            code: "TurnedAway",
            detail: format!(
                "{address} closes the connection on the hello of this node, which \
                is of network {network} and whose clock says {wall}"
            ),
            hint: "is `trust.root` the root document of that network (WrongNetwork; `patchmesh \
                   root show` prints the id)? Is the clock right to a day (Expired)? The events \
                   of that peer name the refusal",
        };
        self.trouble(&about(peer), Some(found));
    }

    /// A user's command.
    pub(crate) fn take_command(
        &mut self,
        command: Command,
        reply: oneshot::Sender<Result<Reply, Answer>>,
    ) {
        self.commands_seen += 1;
        let id = CommandId(self.commands_seen);
        self.replies.insert(id, reply);
        self.feed(Input::Command { id, command });
    }

    fn take_fetched(&mut self, fetch: FetchId, outcome: FetchOutcome) {
        let known = self.fetches.remove(&fetch);
        let outcome = match outcome {
            FetchOutcome::Declined(decline) => Fetched::Declined(decline),
            FetchOutcome::Frame(frame) => match known {
                Some(known) => return self.take_frame(fetch, known, frame),
                None => Fetched::Stalled,
            },
            FetchOutcome::Stalled => Fetched::Stalled,
        };
        self.feed(Input::Fetched { fetch, outcome });
    }

    fn take_frame(&mut self, fetch: FetchId, known: Fetch, frame: Bytes) {
        let want = known.want;
        let Some(place) = self.contents.place(&want.content, want.chunk) else {
            // The content was forgotten while the frame was under way.
            self.wasted += frame.len() as u64;
            return self.feed(Input::Fetched {
                fetch,
                outcome: Fetched::Stalled,
            });
        };
        let store = self.store.clone();
        self.spawn(move || {
            let began = Instant::now();
            let taken = intake::take(&store, &place, &frame);
            tracing::trace!(
                fetch = fetch.0,
                micros = began.elapsed().as_micros(),
                "took a chunk"
            );
            Finished::Taken(fetch, known, taken)
        });
    }
}

/// What troubles with one peer are about.
fn about(peer: PeerId) -> String {
    format!("peer {peer}")
}
