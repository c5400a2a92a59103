//! What the attacks share.

use std::fs;
use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use patchmesh_api::answer::Answer;
use patchmesh_api::event::{Event as EventOfNode, EventKind};
use patchmesh_api::request::Request;
use patchmesh_core::message::DocumentRef;
use patchmesh_core::output::Verdict;
use patchmesh_core::peer::PeerId;
use patchmesh_demo::fleet::Daemon;
use patchmesh_net::{Command, Event};
use patchmesh_tests::bench::{Bench, peer, site_name};
use patchmesh_tests::forge::Forge;
use patchmesh_tests::hostile::{Guise, Hostile, document};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_tests::web::Web;

/// No effect of an attack takes longer to be seen.
pub(crate) const SOON: Duration = Duration::from_secs(40);
/// Memory that an attack may cost a node.
pub(crate) const GROWTH_MAX_KIB: u64 = 64 * 1024;

/// A member of the first site.
pub(crate) fn member(bench: &Bench, seed: u8) -> Guise {
    Guise {
        seed,
        mesh_id: bench.forge.mesh_id(),
        site: site_name(0),
        head: [1, 0, 0],
    }
}

/// Resident memory of a node, in KiB.
pub(crate) fn memory_kib(node: &Daemon) -> u64 {
    let path = format!("/proc/{}/status", node.pid().unwrap());
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

/// Version of the timestamp that a node trusts.
pub(crate) fn head(node: &Daemon) -> u64 {
    node.status().unwrap().head.timestamp
}

/// Bytes that a node received from one peer. The counters run a little behind.
pub(crate) fn received_from(node: &Daemon, peer: PeerId) -> u64 {
    let peers = node.peers().unwrap();
    let own = peers.iter().find(|found| found.peer == peer);
    own.unwrap().received.transport
}

/// Waits until the first endpoint trusts the newest timestamp.
pub(crate) fn until_newest(bench: &Bench) {
    until("the node is at the newest version", SOON, || {
        (head(&bench.endpoints[0]) == bench.forge.version).then_some(())
    });
}

/// Gives the first endpoint one honest neighbour and waits until it is at the
/// newest version; says how long that took from the neighbour's start.
pub(crate) fn rescue(bench: &mut Bench) -> Duration {
    let web = Web::serve(&bench.forge.repository);
    let began = Instant::now();
    bench.add_of_web(&web, Some(0));
    until_newest(bench);
    began.elapsed()
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Program::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// A member that claims this version of timestamp and snapshot.
pub(crate) fn claiming(bench: &Bench, seed: u8, version: u64) -> Guise {
    Guise {
        head: [bench.forge.root_version, version, version],
        ..member(bench, seed)
    }
}

/// Documents of this role among those that were asked for.
pub(crate) fn of_role(asked: &[DocumentRef], wanted: &str) -> usize {
    let own = |document: &&DocumentRef| match document {
        DocumentRef::Metadata { role, .. } => role == wanted,
        DocumentRef::Index { .. } | DocumentRef::Annex { .. } => false,
    };
    asked.iter().filter(own).count()
}

/// A small release that is built in a thief's folder and signed by nobody yet.
pub(crate) fn evil_index(bench: &Bench, thief: &Forge, id: &str) -> Vec<u8> {
    let tree = bench.path("evil-tree");
    input::tree(&tree, 40, 100_000);
    thief.build(&tree, id).encode()
}

/// What came of an offer.
#[derive(Debug)]
pub(crate) struct Offered {
    /// With which code it was refused.
    pub(crate) code: String,
    /// Documents that the node asked the attacker for.
    pub(crate) asked: Vec<DocumentRef>,
    /// Who offered it.
    pub(crate) peer: PeerId,
    /// From the dial to the refusal.
    pub(crate) took: Duration,
}

/// An attacker offers the documents of a folder; waits until the node refuses
/// one of this kind from it.
pub(crate) fn offer(node: &Daemon, guise: &Guise, folder: &Path, what: &str) -> Offered {
    let began = Instant::now();
    let attacker = Hostile::start(guise, serve(folder));
    attacker.dial(node);
    let code = until(
        &format!("a {what} of {} is refused", guise.seed),
        SOON,
        || {
            let events = events(node).into_iter();
            let mut refused = events.filter(|event| event.event == EventKind::Refused);
            let own = refused.find(|event| event.what == what && event.peer == Some(attacker.peer));
            own.map(|event| event.code)
        },
    );
    Offered {
        code,
        asked: attacker.asked(),
        peer: attacker.peer,
        took: began.elapsed(),
    }
}

/// What a node remembers of late.
pub(crate) fn events(node: &Daemon) -> Vec<EventOfNode> {
    match node.ask(&Request::Events { since: 0 }).unwrap() {
        Answer::Events(told) => told.events,
        other => panic!("events are answered by events, not {other:?}"),
    }
}

/// Answers every question for a document out of a folder.
pub(crate) fn serve(folder: &Path) -> impl FnMut(&Event) -> Vec<Command> + use<> {
    let folder = folder.to_owned();
    move |event| match event {
        Event::Asked {
            asked,
            document: wanted,
            ..
        } => vec![Command::Answer {
            asked: *asked,
            document: document(&folder, wanted),
        }],
        _ => Vec::new(),
    }
}

/// A member that listens to the gossip of a node and takes all of it.
pub(crate) struct Listener {
    member: Hostile,
    node: PeerId,
}

impl Listener {
    /// Comes in, and waits until the node passes on to it what an origin says.
    pub(crate) fn start(bench: &mut Bench, seed: u8) -> Self {
        let node = &bench.endpoints[0];
        let member = Hostile::start(&member(bench, seed), |event| match event {
            Event::Gossip { id, .. } => vec![Command::Judge {
                id: *id,
                verdict: Verdict::Accept,
            }],
            _ => Vec::new(),
        });
        member.dial(node);
        let listener = Self {
            member,
            node: peer(node),
        };
        // Gossip travels once its mesh has formed; until then it is lost.
        until("the node passes gossip on", SOON, || {
            if head(&bench.endpoints[0]) == bench.forge.version {
                bench.forge.publish();
                bench.refresh();
            }
            (listener.heard() > 0).then_some(())
        });
        until_newest(bench);
        listener
    }

    /// Messages that came from the node.
    pub(crate) fn heard(&self) -> usize {
        self.heard_of(|_| true)
    }

    /// Messages that came from the node with such a timestamp.
    pub(crate) fn heard_of(&self, is_such: impl Fn(&[u8]) -> bool) -> usize {
        self.member.count(|event| {
            matches!(event, Event::Gossip { from, announcement, .. }
                if *from == self.node && is_such(&announcement.timestamp))
        })
    }
}
