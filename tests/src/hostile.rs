//! A peer with a key of its own that speaks the protocol properly and says
//! whatever it likes.

use std::fs;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};

use patchmesh_core::message::DocumentRef;
use patchmesh_core::peer::{Member, Path, PeerId};
use patchmesh_demo::fleet::Daemon;
use patchmesh_net::{Bytes, Command, Config, Event, HelloParts, Timing, address, start};
use patchmesh_proto::limits::{PROTOCOL_MAX, PROTOCOL_MIN};
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::layout::{annex_path, index_path, metadata_path};
use patchmesh_trust::member::{Validity, issue_certificate};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::forge::now;

/// Events that are remembered; an attacker that is asked more has failed.
const SEEN_MAX: usize = 100_000;

/// Who a hostile peer says that it is.
#[derive(Debug, Clone)]
pub struct Guise {
    /// Seed of its key.
    pub seed: u8,
    /// Its network.
    pub mesh_id: [u8; 32],
    /// Its site; empty for an origin.
    pub site: String,
    /// Versions of the metadata that it claims to hold.
    pub head: [u64; 3],
}

/// A hostile peer; it ends when dropped.
#[derive(Debug)]
pub struct Hostile {
    /// Its key.
    pub peer: PeerId,
    commands: mpsc::Sender<Command>,
    seen: Arc<Mutex<Vec<Event>>>,
    _runtime: Runtime,
}

/// A certificate for a guise: payload and signature.
///
/// # Panics
/// If the site cannot stand in one.
pub fn certificate(guise: &Guise) -> (Vec<u8>, Vec<u8>) {
    let key = NodeKey::from_seed([guise.seed; 32]);
    let validity = Validity {
        not_before: UtcTime(now().0 - 3_600),
        not_after: UtcTime(now().0 + 3_600),
    };
    let origin = guise.site.is_empty();
    let made = issue_certificate(&key, &guise.mesh_id, &guise.site, origin, validity);
    made.expect("a site that can stand in a certificate")
}

impl Hostile {
    /// Starts a peer that lets everybody in and gives `answer` to each event.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn start(
        guise: &Guise,
        answer: impl FnMut(&Event) -> Vec<Command> + Send + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let _inside = runtime.enter();
        let (handle, events) = start(config(guise)).expect("a hostile peer starts");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let commands = handle.commands.clone();
        tokio::spawn(live(events, commands.clone(), answer, seen.clone()));
        Self {
            peer: handle.peer,
            commands,
            seen,
            _runtime: runtime,
        }
    }

    /// Dials a node.
    ///
    /// # Panics
    /// If the node does not answer on its socket.
    pub fn dial(&self, node: &Daemon) {
        let text = crate::bench::address(node);
        let (peer, address) = address::parse(&text).expect("an address");
        self.say(Command::Dial {
            peer: peer.expect("an address with a peer"),
            addresses: vec![address],
        });
    }

    /// Gives one order.
    ///
    /// # Panics
    /// If the peer has ended.
    pub fn say(&self, command: Command) {
        let sent = self.commands.blocking_send(command);
        sent.expect("the hostile peer lives");
    }

    /// How many of its events are such.
    pub fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|event| is_such(event)).count()
    }

    /// The documents that it was asked for.
    pub fn asked(&self) -> Vec<DocumentRef> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = Vec::new();
        for event in seen.iter() {
            if let Event::Asked { document, .. } = event {
                asked.push((**document).clone());
            }
        }
        asked
    }

    /// Whether a node let it in.
    pub fn is_up(&self, node: PeerId) -> bool {
        self.count(|event| *event == Event::PeerUp { peer: node }) > 0
    }
}

fn config(guise: &Guise) -> Config {
    let (certificate, signature) = certificate(guise);
    Config {
        identity_seed: [guise.seed; 32],
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        hello: HelloParts {
            certificate,
            signature,
            protocol: (PROTOCOL_MIN, PROTOCOL_MAX),
            head: guise.head,
            mark: patchmesh_core::message::Mark::default(),
            addresses: Vec::new(),
        },
        gossip_topic: patchmesh_content::id::hex(&guise.mesh_id[..8]),
        mdns: false,
        short_queues: false,
        timing: Timing::default(),
    }
}

async fn live(
    mut events: mpsc::Receiver<Event>,
    commands: mpsc::Sender<Command>,
    mut answer: impl FnMut(&Event) -> Vec<Command>,
    seen: Arc<Mutex<Vec<Event>>>,
) {
    while let Some(event) = events.recv().await {
        let admit = admit(&event);
        for command in admit.into_iter().chain(answer(&event)) {
            if commands.send(command).await.is_err() {
                return;
            }
        }
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < SEEN_MAX {
            seen.push(event);
        }
    }
}

fn admit(event: &Event) -> Option<Command> {
    let Event::Hello { hello, proof, .. } = event else {
        return None;
    };
    let member = Member {
        peer: proof.peer,
        site: String::new(),
        origin: false,
        addresses: Vec::new(),
    };
    Some(Command::Admit {
        hello: *hello,
        verdict: Ok(Box::new((member, Path::Lan))),
    })
}

/// What a repository folder holds of a document.
pub fn document(repository: &FilePath, document: &DocumentRef) -> Option<Bytes> {
    let path = match document {
        DocumentRef::Metadata { role, version } => {
            let role: RoleName = role.parse().ok()?;
            metadata_path(&role, *version)
        }
        DocumentRef::Annex { name, sha256 } => annex_path(*name, sha256),
        DocumentRef::Index { sha256, name } => {
            let (line, id) = name.split_once('/')?;
            index_path(line, id, sha256)
        }
    };
    fs::read(repository.join(path)).ok().map(Bytes::from)
}
