//! What is needed now: the next root, a newer timestamp, what the verifier
//! lacks, annexes, and the indexes of listed releases.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_proto::limits::{PROOF_LEN_MAX, ROOT_LEN_MAX, STOPS_LEN_MAX, TIMESTAMP_LEN_MAX};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{Head, Verifier};

use crate::catalog::alarms::{Alarms, proof_of};
use crate::catalog::annexes::{self, Annexes};
use crate::catalog::indexes::{Indexes, reference};
use crate::catalog::log::follow::Follow;
use crate::catalog::peers::{Peer, Peers};
use crate::catalog::poll::Stage;
use crate::catalog::watch::stopped::STOPS_FILE;
use crate::ids::AskId;
use crate::limits::PROOF_ASKS_MAX;
use crate::message::DocumentRef;
use crate::output::Source;
use crate::time::{Duration, Time};

/// Longest time that claims of a newer root hold back timestamps (T-18).
const ROOT_FIRST: Duration = Duration::secs(10);
/// Shortest and longest pause before a source is asked again for the same.
const PAUSE_MIN: Duration = Duration::millis(250);
const PAUSE_DOUBLINGS_MAX: u32 = 5;
/// How long a source of something false is passed over.
const BAR: Duration = Duration::secs(60);

/// What is needed, and whether the source of truth itself is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The document.
    pub document: DocumentRef,
    /// A look at `Source::Origin`, not a document that anybody may give.
    pub polled: bool,
}

/// A question under way.
#[derive(Debug, Clone)]
pub struct Question {
    /// What for.
    pub key: Key,
    /// Who was asked.
    pub source: Source,
}

/// A need and how far it has come.
#[derive(Debug, Clone)]
pub struct Need {
    /// Longest acceptable document in bytes.
    pub len_max: usize,
    /// Since when it is needed.
    pub since: Time,
    /// The question under way, and when it counts as lost.
    pub ask: Option<(AskId, Source, Time)>,
    pauses: BTreeMap<Source, Pause>,
    /// Who has said since then that it has something new.
    told: BTreeSet<Source>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    until: Time,
    tries: u32,
    barred: bool,
}

impl Need {
    /// A need that came up now.
    pub fn new(len_max: usize, since: Time) -> Self {
        Self {
            len_max,
            since,
            ask: None,
            pauses: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Before this time the source is not asked.
    pub fn not_before(&self, source: Source) -> Time {
        self.pauses
            .get(&source)
            .map_or(Time(0), |pause| pause.until)
    }

    /// The source did not give it: ask again after a pause that doubles.
    pub fn pause(&mut self, source: Source, now: Time) {
        let pause = self.pauses.entry(source).or_default();
        let doublings = pause.tries.min(PAUSE_DOUBLINGS_MAX);
        pause.until = now.plus(Duration(PAUSE_MIN.0 << doublings));
        pause.tries += 1;
    }

    /// The source gave something false: pass it over for long.
    pub fn bar(&mut self, source: Source, now: Time) {
        let until = now.plus(BAR);
        let pause = Pause {
            until,
            tries: PAUSE_DOUBLINGS_MAX,
            barred: true,
        };
        self.pauses.insert(source, pause);
    }

    /// Whether the source has had news since this is needed.
    pub fn told_of(&self, source: Source) -> bool {
        self.told.contains(&source)
    }

    /// The source has news: it may be asked at once.
    pub fn news(&mut self, source: Source) {
        self.told.insert(source);
        if self.pauses.get(&source).is_some_and(|pause| !pause.barred) {
            self.pauses.remove(&source);
        }
    }
}

/// How a metadata document is asked for.
pub fn metadata(role: &str, version: u64) -> DocumentRef {
    DocumentRef::Metadata {
        role: role.to_owned(),
        version,
    }
}

/// What the machine knows when it works out its needs.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The verifier.
    pub verifier: &'a Verifier,
    /// Connected peers.
    pub peers: &'a Peers,
    /// Listed releases.
    pub indexes: &'a Indexes,
    /// Named annexes.
    pub annexes: &'a Annexes,
    /// Look at the source of truth.
    pub stage: Option<Stage>,
    /// Look at its file of stops.
    pub stops: bool,
    /// Whether peers are asked at all.
    pub peers_asked: bool,
    /// Proofs that some roles were signed twice.
    pub alarms: &'a Alarms,
    /// The log, and the timestamp that waits for its leaves.
    pub log: &'a Follow,
}

/// Everything that is needed, with the longest acceptable answer.
/// `root_since` says since when the next root has been looked for.
pub fn required(known: Known<'_>, root_since: Option<Time>, now: Time) -> BTreeMap<Key, usize> {
    let head = known.verifier.head();
    let mut required = BTreeMap::new();
    let mut add = |document, polled, len| required.insert(Key { document, polled }, len);
    let root = metadata("root", head.root.saturating_add(1));
    let timestamp = metadata("timestamp", 0);
    let newer_root = claimed(known, now, |claim, head| claim[0] > head.root);
    if newer_root {
        add(root.clone(), false, ROOT_LEN_MAX);
    }
    let root_first = newer_root && root_since.is_none_or(|since| now.since(since) < ROOT_FIRST);
    let frozen = |role: &RoleName| known.alarms.is_frozen(role, known.verifier);
    let stopped = frozen(&RoleName::Timestamp);
    let waiting = known.log.version();
    let newer = move |claim: &[u64; 3], head: &Head| claim[1] > head.timestamp.max(waiting);
    if !root_first && !stopped && claimed(known, now, newer) {
        add(timestamp.clone(), false, TIMESTAMP_LEN_MAX);
    }
    match known.stage {
        Some(Stage::Root) => drop(add(root, true, ROOT_LEN_MAX)),
        Some(Stage::Timestamp) => drop(add(timestamp, true, TIMESTAMP_LEN_MAX)),
        Some(Stage::Idle(_)) | None => {}
    }
    if let (Some((leaves, len_max)), false) = (known.log.needed(known.verifier), stopped) {
        add(leaves, false, len_max);
    }
    if known.stops {
        add(metadata(STOPS_FILE, 0), true, STOPS_LEN_MAX);
    }
    for (document, len_max) in offered(known, stopped) {
        add(document, false, len_max);
    }
    let wants = known.verifier.wants().into_iter();
    for want in wants.filter(|want| !frozen(&want.role)) {
        let version = want.version.unwrap_or(0);
        add(
            metadata(&want.role.to_string(), version),
            false,
            want.len_max,
        );
    }
    for annex in known.annexes.missing() {
        let len = usize::try_from(annex.len).unwrap_or(usize::MAX);
        add(annexes::reference(annex), false, len);
    }
    for release in known.indexes.missing() {
        let len = usize::try_from(release.len).unwrap_or(usize::MAX);
        add(reference(release), false, len);
    }
    required
}

/// What peers have to show of equivocation: a timestamp that contradicts the own
/// one, and proofs; one of each peer, and few at all, since an offer must
/// not hold up the news.
fn offered(known: Known<'_>, stopped: bool) -> Vec<(DocumentRef, usize)> {
    let twins = known.peers.values().filter_map(|peer| peer.twin);
    let twins: BTreeSet<u64> = twins.filter(|_| !stopped).collect();
    let twins = twins.into_iter().take(PROOF_ASKS_MAX);
    let twins = twins.map(|version| (metadata("timestamp", version), TIMESTAMP_LEN_MAX));
    let unknown = |role: &String| !known.alarms.is_known(role, known.verifier);
    let first = |peer: &Peer| {
        let mut offered = peer.alarms.iter();
        let (role, version) = offered.find(|(role, _)| unknown(role))?;
        Some(proof_of(role, *version))
    };
    let proofs: BTreeSet<_> = known.peers.values().filter_map(first).collect();
    let proofs = proofs.into_iter().take(PROOF_ASKS_MAX);
    let proofs = proofs.map(|document| (document, PROOF_LEN_MAX));
    twins.chain(proofs).collect()
}

fn claimed(known: Known<'_>, now: Time, newer: impl Fn(&[u64; 3], &Head) -> bool) -> bool {
    let head = known.verifier.head();
    let mut trusted = known.peers.values().filter(|peer| peer.trusted_from <= now);
    known.peers_asked && trusted.any(|peer| newer(&peer.claim, &head))
}
