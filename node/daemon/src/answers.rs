//! The state of the node in the words of the control socket.

use std::collections::BTreeMap;

use patchmesh_api::answer::Answer;
use patchmesh_api::peers::{Path, Peer, Peers};
use patchmesh_api::releases::{Release, ReleaseState, WaitingOn};
use patchmesh_api::status::{
    ByteCount, Head, Mode, PeerCounts, Received, Sent, Status, StoreUse, Trust, TrustState, Witness,
};
use patchmesh_content::id::PeerId;
use patchmesh_core::catalog::clock::Skew;
use patchmesh_core::peer;
use patchmesh_core::reason;
use patchmesh_core::record;
use patchmesh_core::view::{PeerView, ReleaseView, View, WitnessView};
use patchmesh_net::PeerTraffic;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::state;
use patchmesh_trust::stop::set::Standing;
use patchmesh_trust::stop::signed::Subject;
use patchmesh_trust::time::UtcTime;

use crate::apply;
use crate::drive::node::Node;
use crate::origin::source::Origin;
use crate::troubles;

/// Answer to `Request::Status`.
pub(crate) fn status(node: &Node) -> Box<Status> {
    let view = node.engine.view(node.clock.now());
    let connected = view.peers.iter().filter(|peer| peer.connected).count();
    let trust = trust(node, &view);
    let usage = node.store.usage();
    let addresses = node.listening.iter();
    Box::new(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: node.net.peer,
        site: node.settings.site.clone(),
        mode: mode(node),
        addresses: addresses
            .filter_map(|address| patchmesh_net::address::text_with_peer(&node.net.peer, address))
            .collect(),
        uptime_seconds: node.clock.uptime_secs(),
        ready: trust.state == TrustState::Current,
        unlisted: unlisted(node, &view, trust.state),
        head: Head {
            root: view.head.root,
            timestamp: view.head.timestamp,
            snapshot: view.head.snapshot,
        },
        trust,
        peers: PeerCounts {
            known: count(view.peers.len()),
            connected: count(connected),
        },
        received: received(node, &view),
        sent: sent(node),
        wasted_bytes: node.wasted,
        store: StoreUse {
            used_bytes: usage.used_bytes,
            quota_bytes: usage.quota_bytes,
        },
        troubles: node.troubles.all(),
        recorder: node.recorder.usage(),
        log_size: view.log.map_or(0, |head| head.size),
        witnesses: view.witnesses.iter().map(witness).collect(),
        releases: view
            .releases
            .iter()
            .map(|one| release(one, &view.stops))
            .collect(),
        refusals: node.notices.refusals(),
    })
}

/// What is in use and in no statement: it is only sure of current metadata.
fn unlisted(node: &Node, view: &View, state: TrustState) -> Vec<String> {
    if state != TrustState::Current {
        return Vec::new();
    }
    let active = apply::all_active(&node.settings.state).into_iter();
    let unlisted = active.filter(|(line, id)| {
        let mut releases = view.releases.iter();
        !releases.any(|one| one.line == *line && one.id == *id)
    });
    let names = unlisted.map(|(line, id)| format!("{line}/{id}"));
    names.collect()
}

fn witness(view: &WitnessView) -> Witness {
    let kept = view.cosignature.as_ref();
    Witness {
        node: view.witness,
        site: view.site.clone(),
        size: kept.map_or(0, |kept| kept.head.size),
        at: kept.map_or(0, |kept| kept.stated().0),
        line: kept.map_or_else(String::new, Cosignature::line),
        other_size: view.other.map_or(0, |head| head.size),
    }
}

/// Answer to `Request::Peers`.
pub(crate) fn peers(node: &Node) -> Answer {
    let view = node.engine.view(node.clock.now());
    let traffic = node.net.traffic.peers();
    let peers = view
        .peers
        .iter()
        .map(|peer| one_peer(peer, &traffic))
        .collect();
    Answer::Peers(Peers { peers })
}

fn one_peer(peer: &PeerView, traffic: &BTreeMap<PeerId, PeerTraffic>) -> Peer {
    let bytes = traffic.get(&peer.peer).copied().unwrap_or_default();
    Peer {
        peer: peer.peer,
        site: peer.site.clone(),
        origin: peer.origin,
        path: match peer.path {
            peer::Path::Lan => Path::Lan,
            peer::Path::Site => Path::Site,
            peer::Path::Wan => Path::Wan,
        },
        connected: peer.connected,
        received: ByteCount {
            transport: bytes.received,
            payload: bytes.payload_received,
        },
        sent: ByteCount {
            transport: bytes.sent,
            payload: bytes.payload_sent,
        },
        corrupt_chunks: peer.corrupt_chunks,
        stalled: peer.stalled,
        refused: peer.refused,
    }
}

fn mode(node: &Node) -> Mode {
    match node.origin.as_deref() {
        Some(Origin::Folder(_)) => Mode::Origin,
        Some(Origin::Http(_)) => Mode::EndpointWithHttp,
        None => Mode::Endpoint,
    }
}

fn trust(node: &Node, view: &View) -> Trust {
    if let Some(found) = troubles::frozen(&view.frozen, &node.settings.state) {
        return Trust {
            state: TrustState::Frozen,
            since: node.troubles.since("equivocation"),
            reason: found.detail,
        };
    }
    if let (state::TrustState::Current, Some(found)) =
        (view.trust, troubles::withheld(&view.withheld))
    {
        let first = view.withheld.iter().map(|one| one.since).min();
        let now = node.clock.now();
        let ago = first.map_or(0, |since| now.mono.since(since).0 / 1_000_000);
        return Trust {
            state: TrustState::Stale,
            since: Some(now.utc.0.saturating_sub_unsigned(ago)),
            reason: found.detail,
        };
    }
    if let (state::TrustState::Current, true) = (view.trust, view.recovering) {
        return Trust {
            state: TrustState::Recovering,
            since: node.troubles.since("floors"),
            reason: troubles::floors_lost().detail,
        };
    }
    match view.trust {
        state::TrustState::Bootstrapped => Trust {
            state: TrustState::Bootstrapped,
            since: None,
            reason: "no timestamp was received yet: is an origin or peer connected?".to_owned(),
        },
        state::TrustState::Current => Trust {
            state: TrustState::Current,
            since: None,
            reason: String::new(),
        },
        state::TrustState::Stale { since } => Trust {
            state: TrustState::Stale,
            since: Some(since.0),
            reason: expired(node).to_owned(),
        },
    }
}

fn expired(node: &Node) -> &'static str {
    match node.engine.skew(node.clock.now()) {
        Some(Skew::Ahead(_)) => "by the clock of this machine, which may be ahead",
        Some(Skew::Behind(_)) | None => "signed metadata has expired and no newer one was received",
    }
}

/// Bytes by class. What origin peers sent is taken out of the WAN class, so
/// that every byte counts once.
fn received(node: &Node, view: &View) -> Received {
    let traffic = node.net.traffic.read();
    let peers = node.net.traffic.peers();
    let mut origin = ByteCount::default();
    for peer in view
        .peers
        .iter()
        .filter(|peer| peer.origin && peer.path == peer::Path::Wan)
    {
        let bytes = peers.get(&peer.peer).copied().unwrap_or_default();
        origin.transport += bytes.received;
        origin.payload += bytes.payload_received;
    }
    let wan = ByteCount {
        transport: traffic.received.wan.saturating_sub(origin.transport),
        payload: traffic.payload_received.wan.saturating_sub(origin.payload),
    };
    if let Some(Origin::Http(http)) = node.origin.as_deref() {
        origin.transport += http.received();
        origin.payload += http.payload();
    }
    let of = |transport, payload| ByteCount { transport, payload };
    Received {
        lan: of(traffic.received.lan, traffic.payload_received.lan),
        site: of(traffic.received.site, traffic.payload_received.site),
        wan,
        origin,
    }
}

fn sent(node: &Node) -> Sent {
    let traffic = node.net.traffic.read();
    let of = |transport, payload| ByteCount { transport, payload };
    Sent {
        lan: of(traffic.sent.lan, traffic.payload_sent.lan),
        site: of(traffic.sent.site, traffic.payload_sent.site),
        wan: of(traffic.sent.wan, traffic.payload_sent.wan),
    }
}

/// One release.
pub(crate) fn release(view: &ReleaseView, stops: &[Standing]) -> Release {
    Release {
        line: view.line.clone(),
        id: view.id.clone(),
        content: view.content,
        severity: view.severity.clone(),
        state: match view.state {
            record::ReleaseState::Known => ReleaseState::Known,
            record::ReleaseState::Fetching => ReleaseState::Fetching,
            record::ReleaseState::Staged => ReleaseState::Staged,
            record::ReleaseState::Failed => ReleaseState::Failed,
            record::ReleaseState::Applying => ReleaseState::Applying,
            record::ReleaseState::Good => ReleaseState::Good,
        },
        chunks_held: view.chunks_held,
        chunks_total: view.chunks_total,
        wire_bytes: view.wire_bytes,
        total_bytes: view.total_bytes,
        waiting_on: view
            .waiting_on
            .iter()
            .map(|reason| waiting_on(reason, view, stops))
            .collect(),
    }
}

fn waiting_on(reason: &reason::WaitingOn, view: &ReleaseView, stops: &[Standing]) -> WaitingOn {
    match reason {
        reason::WaitingOn::Chunks { held, total } => WaitingOn::Chunks {
            held: *held,
            total: *total,
        },
        reason::WaitingOn::Applying => WaitingOn::Applying,
        reason::WaitingOn::Approval => WaitingOn::Approval,
        reason::WaitingOn::Cosignatures {
            keys,
            keys_asked,
            sites,
            sites_asked,
        } => WaitingOn::Cosignatures {
            keys: *keys,
            keys_asked: *keys_asked,
            sites: *sites,
            sites_asked: *sites_asked,
        },
        reason::WaitingOn::Disk => WaitingOn::Disk,
        reason::WaitingOn::Frozen => WaitingOn::Frozen,
        reason::WaitingOn::Hold { reason } => WaitingOn::Hold {
            reason: reason.clone(),
        },
        reason::WaitingOn::Newer { id } => WaitingOn::Newer { id: id.clone() },
        reason::WaitingOn::OtherIndex => WaitingOn::OtherIndex,
        reason::WaitingOn::Ring { ring } => WaitingOn::Ring { ring: ring.clone() },
        reason::WaitingOn::Rollout => WaitingOn::Rollout,
        reason::WaitingOn::Separation { line } => WaitingOn::Separation { line: line.clone() },
        reason::WaitingOn::Window { from } => WaitingOn::Window {
            from: *from,
            at: UtcTime(*from).format().unwrap_or_else(|| from.to_string()),
        },
        reason::WaitingOn::Index => WaitingOn::Index,
        reason::WaitingOn::Log => WaitingOn::Log,
        reason::WaitingOn::Metadata => WaitingOn::Metadata,
        reason::WaitingOn::Policy => WaitingOn::Policy,
        reason::WaitingOn::Source => WaitingOn::Source,
        reason::WaitingOn::Staging => WaitingOn::Staging,
        reason::WaitingOn::Stop => {
            let own = |one: &&Standing| one.stop.covers(&view.line, &view.id);
            let all = |one: &&Standing| one.stop.subject == Subject::AllInstalls;
            let stop = stops.iter().find(own).or_else(|| stops.iter().find(all));
            WaitingOn::Stop {
                detail: stop.map_or_else(String::new, Standing::text),
            }
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
