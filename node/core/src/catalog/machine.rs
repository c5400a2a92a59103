//! The machine: one event in, orders out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::witnesses::{Count, Witnesses};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::release::Release;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{Admission, Head, TrustState, Verifier};
use patchmesh_trust::stop::set::{Mark, Stops};
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;

use crate::catalog::action::Action;
use crate::catalog::alarms::{Alarms, freezes};
use crate::catalog::annexes::{Annexes, Opened};
use crate::catalog::clock::Clock;
use crate::catalog::event::Event;
use crate::catalog::indexes::{Indexes, Listed};
use crate::catalog::log::follow::Follow;
use crate::catalog::needs::{Key, Need, Question};
use crate::catalog::peers::{Peer, Peers};
use crate::catalog::poll::Poll;
use crate::catalog::watch::recovering::Recovering;
use crate::catalog::watch::stopped::{self, TakenOver};
use crate::catalog::watch::withheld::{Missing, covers};
use crate::catalog::witness::state::Cosigning;
use crate::config::{Config, Mode};
use crate::gate::{Cosigned, Operations, Say};
use crate::ids::AskId;
use crate::message::{Announcement, DocumentRef};
use crate::output::{Answer, Notice, Source};
use crate::reason::{WakeReason, Withheld};
use crate::record::{Record, ReleaseState, Restored};
use crate::rng::Rng;
use crate::time::{Duration, Now, Time};

/// How often heads are exchanged with every peer (T-47), before jitter.
const SYNC: Duration = Duration::secs(54);
const SYNC_JITTER_MS: u64 = 12_000;
/// Documents are judged regardless of their expiry by this time: what is
/// listed is served even when stale; only installations need the present.
const ALWAYS: UtcTime = UtcTime(i64::MIN);

/// Decides which metadata and indexes are asked for, taken over, and handed out.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) me: PeerId,
    pub(crate) weight: u32,
    pub(crate) mode: Mode,
    pub(crate) verifier: Verifier,
    pub(crate) clock: Clock,
    pub(crate) peers: Peers,
    pub(crate) indexes: Indexes,
    pub(crate) annexes: Annexes,
    pub(crate) poll: Poll,
    pub(crate) needs: BTreeMap<Key, Need>,
    pub(crate) asks: BTreeMap<AskId, Question>,
    pub(crate) next_ask: u64,
    pub(crate) sync_at: Time,
    pub(crate) wake: Option<(Time, WakeReason)>,
    pub(crate) missing: Missing,
    pub(crate) alarms: Alarms,
    pub(crate) recovering: Option<Recovering>,
    pub(crate) log: Follow,
    pub(crate) stops: Stops,
    pub(crate) taken: TakenOver,
    pub(crate) cosigning: Cosigning,
    rng: Rng,
    /// The verifier took something over since the releases were listed.
    changed: bool,
    pub(crate) due: Due,
}

/// What others have not heard yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Due {
    /// A newer timestamp that came in by another way than gossip.
    pub(crate) unpublished: bool,
    /// The own head moved.
    untold: bool,
    /// Something else was taken over that the site may want now.
    pub(crate) news: bool,
}

impl Catalog {
    /// Rebuilds what the store kept. Documents that no longer stand are left out.
    ///
    /// # Errors
    /// The anchor or the floors are damaged.
    pub fn new(
        config: &Config,
        anchor: &[u8],
        restored: &mut Restored,
        mut rng: Rng,
        now: Now,
    ) -> Result<Self, Refusal> {
        // Roots first, statements last; among roots the store's order stays.
        let mut documents = std::mem::take(&mut restored.documents);
        documents.sort_by(|a, b| a.0.cmp(&b.0));
        let stored = documents.iter().map(|(role, bytes)| (role, &**bytes));
        let floors = restored.floors.as_deref();
        let (mut verifier, _) = Verifier::restore(anchor, &config.lines, stored, floors)?;
        if floors.is_none() && is_used(&documents, restored) {
            verifier.floors_lost();
        }
        // What an origin has is in its folder, and it installs nothing.
        if config.mode == Mode::Origin {
            verifier.floors_regained();
        }
        let bootstrap = config.bootstrap.iter().map(|(peer, _)| *peer);
        let bootstrap: BTreeSet<PeerId> = bootstrap.collect();
        let cosigning = Cosigning::restore(
            &verifier.mesh_id(),
            &std::mem::take(&mut restored.cosignatures),
            restored.witnessed,
            (bootstrap.clone(), now.mono),
        );
        let recovering = Recovering::new(bootstrap, now.mono);
        let recovering = verifier.has_lost_floors().then_some(recovering);
        verifier.restore_log(&std::mem::take(&mut restored.log));
        let given_up = restored.releases.iter();
        let given_up = given_up.filter(|(_, state)| *state == ReleaseState::Known);
        let dropped: BTreeSet<_> = given_up.map(|(content, _)| *content).collect();
        let mut clock = Clock::default();
        if let Some(issued) = verifier.issued() {
            clock.seen(issued, now.mono);
        }
        let stops = stopped::restore(verifier.mesh_id(), &std::mem::take(&mut restored.stops));
        Ok(Self {
            me: config.peer,
            weight: config.weight,
            mode: config.mode,
            verifier,
            clock,
            peers: Peers::new(),
            indexes: Indexes::new(std::mem::take(&mut restored.indexes), dropped),
            annexes: Annexes::new(std::mem::take(&mut restored.annexes)),
            poll: Poll::new(config.mode, now.mono, rng.fork("poll")),
            needs: BTreeMap::new(),
            asks: BTreeMap::new(),
            next_ask: 0,
            sync_at: now.mono.plus(SYNC),
            wake: None,
            missing: Missing::default(),
            recovering,
            alarms: Alarms::restore(anchor, &std::mem::take(&mut restored.proofs)),
            log: Follow::default(),
            stops,
            taken: TakenOver::default(),
            cosigning,
            rng: rng.fork("sync"),
            changed: true,
            due: Due::default(),
        })
    }

    /// Takes one event; orders are appended to `out` and run in that order.
    pub fn handle(&mut self, event: Event, now: Now, out: &mut Vec<Action>) {
        match event {
            Event::Alarm {
                from,
                role,
                version,
            } => self.offered(from, role, version),
            Event::Answered { ask, outcome } => self.answered(ask, outcome, now, out),
            Event::Asked { asked, document } => {
                let document = self.document(&document);
                out.push(Action::Answer { asked, document });
            }
            Event::Cosignature { from, cosignature } => {
                self.give_cosignature(from, &cosignature, now, out);
            }
            Event::Cosigned { from, digest, asks } => {
                self.compared_cosigned(from, digest, asks, now.mono);
            }
            Event::Digest {
                from,
                version,
                digest,
                log,
            } => self.compared(from, version, digest, log),
            Event::Drop { content } => self.indexes.drop_content(content),
            Event::Gossip {
                id,
                from,
                announcement,
            } => {
                let verdict = self.judge(from, &announcement, now, out);
                out.push(Action::Judge { id, verdict });
            }
            Event::Head { from, head } => self.claimed(from, head, now.mono),
            Event::Mark { from, mark } => self.marked(from, mark, now.mono, out),
            Event::Meet { peer } => self.send_stops(peer, out),
            Event::PeerDown { peer } => drop(self.peers.remove(&peer)),
            Event::PeerUp {
                peer,
                path,
                origin,
                head,
            } => {
                self.peers.insert(peer, Peer::new(path, origin, head));
                if let Some(recovering) = &mut self.recovering {
                    recovering.answered(peer, origin, now.mono);
                }
                let head = self.head();
                out.push(Action::SendHead { to: peer, head });
                out.extend(self.digest(peer));
                self.send_alarms(peer, out);
                self.ask_cosigned(peer, out);
            }
            Event::Refresh => self.poll.refresh(now.mono),
            Event::Refused { from, refusal } => {
                let (what, blamed) = (("message", refusal.code()), (Some(from), true));
                self.refuse_flooded(what, blamed, now, out);
            }
            // A refusal is told by a notice.
            Event::Stop { from, stop } => drop(self.give_stop(from, &stop, now, out)),
            Event::Tick => self.sync(now.mono, out),
            Event::Want { content } => self.indexes.want(&content),
        }
        // What counts from now on is durable before anything is applied by it.
        self.judge_by_leaves(out);
        self.relist(out);
        self.take_membership(out);
        self.settle_stops(now.mono, out);
        self.follow_witnesses(now, out);
        self.watch(now.mono, out);
        self.pursue(now.mono, out);
    }

    /// Says when a document that is named is missing for too long, and when
    /// that is over; either changes what may be installed (T-48).
    fn watch(&mut self, now: Time, out: &mut Vec<Action>) {
        self.watch_frozen(out);
        self.watch_log(out);
        self.watch_floors(now, out);
        self.review_waiting();
        let mut wants = self.verifier.wants();
        wants.extend(self.log.want());
        self.missing.look(&wants, now);
        if let Some(withheld) = self.missing.news(now) {
            out.push(Action::Notify(Notice::Withheld(withheld)));
            out.push(Action::Listed);
        }
    }

    /// Ends the time after a loss of the floors once enough others have spoken.
    fn watch_floors(&mut self, now: Time, out: &mut Vec<Action>) {
        let head = self.head();
        let newer = |peer: &Peer| peer.claim[0] > head[0] || peer.claim[1] > head[1];
        let claimed = self.peers.values().any(newer);
        let recovering = self.recovering.as_ref();
        if !recovering.is_some_and(|recovering| recovering.is_over(claimed, now)) {
            return;
        }
        self.recovering = None;
        self.verifier.floors_regained();
        let (role, version) = match head[1] {
            0 => (RoleName::Root, head[0]),
            version => (RoleName::Timestamp, version),
        };
        if let Some(bytes) = self.verifier.document(&role, None) {
            out.push(Action::Persist(Record::Document {
                role,
                version,
                bytes,
                floors: self.verifier.floors(),
            }));
        }
        out.push(Action::Notify(Notice::FloorsLost(false)));
        out.push(Action::Listed);
    }

    /// Whether the floors were lost and too few have said what is newest (T-33).
    pub fn is_recovering(&self) -> bool {
        self.recovering.is_some()
    }

    /// When and why `Event::Tick` is due at the latest.
    pub fn wake(&self) -> Option<(Time, WakeReason)> {
        self.wake
    }

    /// Id of the network.
    pub fn mesh_id(&self) -> [u8; 32] {
        self.verifier.mesh_id()
    }

    /// The time that expiry is judged by.
    pub fn utc(&self, now: Now) -> UtcTime {
        self.clock.utc(now)
    }

    /// Freshness of the trusted metadata.
    pub fn trust(&self, now: Now) -> TrustState {
        self.verifier.state(self.clock.utc(now))
    }

    /// The versions held.
    pub fn versions(&self) -> Head {
        self.verifier.head()
    }

    /// The listed releases, expired or not.
    pub fn listed(&self) -> &Listed {
        self.indexes.listed()
    }

    /// The annex of this name that the held statement names, if it is at hand.
    pub fn annex(&self, name: AnnexName) -> Option<&Opened> {
        self.annexes.current(name)
    }

    /// The verified index of a content.
    pub fn index(&self, content: &ContentId) -> Option<&Arc<Verified<ReleaseIndex>>> {
        self.indexes.open(content)
    }

    /// Whether everything that the newest timestamp names is at hand, so that
    /// what is not listed now is not listed at all.
    pub fn is_complete(&self) -> bool {
        self.verifier.state(ALWAYS) == TrustState::Current && self.verifier.wants().is_empty()
    }

    /// Release lines that the verified targets delegate; `None` without those.
    pub fn delegated_lines(&self) -> Option<Vec<String>> {
        self.verifier.delegated_lines()
    }

    /// Documents that are named and do not come (T-48).
    pub fn withheld(&self, now: Now) -> Vec<Withheld> {
        self.missing.overdue(now.mono)
    }

    /// Releases that may be installed now: listed by statements that have not
    /// expired, that are not known to be replaced by a withheld one, of which no
    /// role was signed twice (T-44), which are in the log (T-74), and that nothing
    /// stops (T-29). None while the floors are lost.
    pub fn usable(&self, now: Now) -> BTreeMap<ContentId, Verified<Release>> {
        if self.stops.all_installs().is_some() {
            return BTreeMap::new();
        }
        let stopped = self.stopped_releases();
        let mut usable = self.covered(now);
        usable.retain(|content, release| {
            let role = RoleName::Line(release.line.clone());
            self.verifier.is_logged(&role) && !stopped.contains(content)
        });
        usable
    }

    /// Whether nothing but the log is in the way of a release (T-74).
    pub fn lacks_only_log(&self, release: &Release, now: Now) -> bool {
        let role = RoleName::Line(release.line.clone());
        !self.verifier.is_logged(&role) && self.covered(now).contains_key(&release.content)
    }

    /// Releases that metadata covers now, whatever log and stops say.
    fn covered(&self, now: Now) -> BTreeMap<ContentId, Verified<Release>> {
        if self.is_recovering() {
            return BTreeMap::new();
        }
        let (withheld, frozen) = (self.withheld(now), self.frozen());
        let releases = self.verifier.releases(self.clock.utc(now)).into_iter();
        let covered = releases.filter(|release| {
            !covers(&withheld, &release.line) && !freezes(&frozen, &release.line)
        });
        covered.map(|release| (release.content, release)).collect()
    }

    /// What both parties say now, and what stands against it (T-26).
    pub fn say(&self, now: Now) -> Say {
        let utc = self.clock.utc(now);
        let verifier = &self.verifier;
        let operations = self.operations(utc);
        let withheld = self.withheld(now).into_iter().map(|one| one.role);
        let frozen = self.frozen().into_iter().map(|one| one.role);
        Say {
            node: self.me,
            utc,
            current: verifier.state(utc) == TrustState::Current,
            frozen: frozen.collect(),
            withheld: withheld.collect(),
            not_separated: verifier.lines_not_separated(),
            stopped: self.all_stopped(),
            cosigned: self.cosigned(),
            operations,
        }
    }

    fn operations(&self, utc: UtcTime) -> Operations {
        if self.verifier.delegates(&RoleName::Rollout) == Some(false) {
            return Operations::Nobody;
        }
        let named = self.verifier.annexes(utc);
        let open = self.annexes.current(AnnexName::Policy);
        let logged = self.verifier.is_logged(&RoleName::Rollout);
        let open = open.filter(|open| logged && named.contains(&open.annex));
        match open.map(|open| &*open.body) {
            Some(AnnexBody::Policy(policy)) => Operations::Say(policy.clone()),
            Some(AnnexBody::Keys(_) | AnnexBody::Revocations(_)) | None => Operations::Silent,
        }
    }

    /// How many witnesses have cosigned what an apply rests on, where that is
    /// asked for (T-78).
    fn cosigned(&self) -> Cosigned {
        let membership = RoleName::Membership;
        if self.verifier.delegates(&membership) == Some(false) {
            return Cosigned::Unasked;
        }
        // A newer statement that is withheld may ask for more than the held one.
        let lacks = self
            .verifier
            .wants()
            .iter()
            .any(|want| want.role == membership);
        let keys = match self
            .annexes
            .current(AnnexName::Keys)
            .map(|open| &*open.body)
        {
            Some(AnnexBody::Keys(keys)) if !lacks => keys,
            _ if lacks || self.annexes.is_named(AnnexName::Keys) => return Cosigned::Unknown,
            _ => return Cosigned::Unasked,
        };
        let Some(asked) = keys.cosignatures else {
            return Cosigned::Unasked;
        };
        let lines: BTreeSet<&String> = self.listed().values().map(|one| &one.line).collect();
        let lines = lines.into_iter();
        let lines = lines.map(|line| (line.clone(), self.cosigned_line(line)));
        Cosigned::Asked {
            asked,
            lines: lines.collect(),
        }
    }

    /// How many witnesses have cosigned a head that contains everything that the
    /// releases of a line and their approvals rest on.
    fn cosigned_line(&self, line: &str) -> Count {
        let mut last = 0;
        for role in [
            RoleName::Targets,
            RoleName::Membership,
            RoleName::Rollout,
            RoleName::Line(line.to_owned()),
        ] {
            let Some(leaf) = self.verifier.logged_at(&role) else {
                return Count::default();
            };
            last = last.max(leaf);
        }
        self.cosigning.set.count(last)
    }

    /// Listed witnesses, and what each has cosigned.
    pub fn witnesses(&self) -> &Witnesses {
        &self.cosigning.set
    }

    /// Head of the log that the newest timestamp names.
    pub fn log_head(&self) -> Option<LogHead> {
        self.verifier.log_floor()
    }

    /// The next time at which a document expires.
    pub fn next_expiry(&self, utc: UtcTime) -> Option<UtcTime> {
        self.verifier.expires(utc).map(|(_, at)| at)
    }

    /// The verifier knows more than when the releases were listed.
    pub(crate) fn changed(&mut self) {
        self.changed = true;
        self.due.news = true;
    }

    /// Contents of listed releases that nothing may be done with (T-26).
    fn all_stopped(&self) -> BTreeSet<ContentId> {
        if self.stops.all_installs().is_some() {
            return self.indexes.listed().keys().copied().collect();
        }
        self.stopped_releases()
    }

    /// Contents of listed releases that a stop names.
    pub fn stopped_releases(&self) -> BTreeSet<ContentId> {
        let listed = self.indexes.listed().iter();
        let stopped = listed.filter(|(_, one)| self.stops.release(&one.line, &one.id).is_some());
        stopped.map(|(content, _)| *content).collect()
    }

    pub(crate) fn head(&self) -> [u64; 3] {
        let head = self.verifier.head();
        [head.root, head.timestamp, head.snapshot]
    }

    /// Takes over what was admitted: durable first, then told.
    pub(crate) fn take(
        &mut self,
        admission: Admission,
        gossip: bool,
        now: Now,
        out: &mut Vec<Action>,
    ) {
        let before = self.head();
        let leaves = self.verifier.log_tree().size();
        let changes = self.verifier.apply(admission);
        self.leaves_taken(leaves, out);
        for change in changes {
            if change.role == RoleName::Timestamp {
                self.due.unpublished = !gossip;
            }
            out.push(Action::Persist(Record::Document {
                role: change.role,
                version: change.version,
                bytes: change.bytes,
                floors: self.verifier.floors(),
            }));
            self.changed = true;
            self.due.news = true;
        }
        match self.verifier.issued() {
            Some(issued) => self.clock.seen(issued, now.mono),
            // A new root took the word from who said so: it is no floor any more.
            None => self.clock = Clock::default(),
        }
        if self.head() != before {
            self.due.untold = true;
            out.push(Action::Notify(Notice::HeadMoved(self.head())));
        }
    }

    /// Which timestamp this node holds, for a peer (T-47).
    fn digest(&self, to: PeerId) -> Option<Action> {
        let version = self.verifier.version(&RoleName::Timestamp);
        let digest = self.verifier.timestamp_digest();
        let log = self.verifier.log_floor();
        digest.map(|digest| Action::SendDigest {
            to,
            version,
            digest,
            log: log.map(|head| (head.size, head.root)),
        })
    }

    fn claimed(&mut self, from: PeerId, head: [u64; 3], now: Time) {
        if let Some(peer) = self.peers.get_mut(&from) {
            if peer.claim[2] < head[2] {
                peer.current_from = now;
            }
            peer.claim = head;
        }
        for need in self.needs.values_mut() {
            need.news(Source::Peer(from));
        }
    }

    fn sync(&mut self, now: Time, out: &mut Vec<Action>) {
        if now < self.sync_at {
            return;
        }
        let jitter = Duration::millis(self.rng.below(SYNC_JITTER_MS));
        self.sync_at = now.plus(Duration(SYNC.0 + jitter.0));
        self.tell(true, out);
        for to in self.peers.keys() {
            self.ask_cosigned(*to, out);
        }
    }

    /// Sends the own head to the site, or to every peer. In the site it also
    /// says that there is something new to ask for: who asked too early asks
    /// again at once.
    fn tell(&mut self, everyone: bool, out: &mut Vec<Action>) {
        let head = self.head();
        let peers = self.peers.iter();
        let peers = peers.filter(|(_, peer)| everyone || peer.near());
        let peers: Vec<PeerId> = peers.map(|(to, _)| *to).collect();
        for to in peers {
            out.push(Action::SendHead { to, head });
            // What else there is has not changed since it was told to everyone.
            if !everyone {
                continue;
            }
            out.extend(self.digest(to));
            self.send_alarms(to, out);
            if self.stops.mark() != Mark::default() {
                self.send_mark(to, out);
            }
        }
    }

    /// After the verifier changed: what is listed, which stored indexes belong
    /// to it, and what others should hear. An origin speaks only once it has
    /// all it speaks of, since it is asked for that at once.
    fn relist(&mut self, out: &mut Vec<Action>) {
        if self.changed {
            self.changed = false;
            let complete = self.is_complete();
            self.indexes.list(self.verifier.releases(ALWAYS), complete);
            self.annexes.list(self.verifier.annexes(ALWAYS));
            self.annexes.open_stored();
            out.push(Action::Listed);
        }
        self.open_stored(out);
        let complete = self.is_complete()
            && self.indexes.missing().next().is_none()
            && self.annexes.missing().next().is_none();
        if self.due.untold && (complete || self.mode != Mode::Origin) {
            self.due.untold = false;
            self.due.news = false;
            self.tell(true, out);
        }
        if std::mem::take(&mut self.due.news) && self.mode != Mode::Origin {
            self.tell(false, out);
        }
        if self.due.unpublished && complete {
            self.due.unpublished = false;
            if let Some(timestamp) = self.verifier.document(&RoleName::Timestamp, None) {
                let (log_from, leaves) = self.leaves_told();
                out.push(Action::Publish(Announcement {
                    root_version: self.verifier.head().root,
                    timestamp: timestamp.to_vec(),
                    log_from,
                    leaves,
                }));
            }
        }
    }

    fn open_stored(&mut self, out: &mut Vec<Action>) {
        let missing: Vec<_> = self.indexes.missing().cloned().collect();
        for release in missing {
            let content = release.content;
            let stored = self.indexes.take_stored(&content);
            let opened = stored.map(|bytes| Verifier::open_index(&release, &bytes));
            if let Some(Ok(index)) = opened {
                let index = Arc::new(index);
                self.indexes.insert(content, Arc::clone(&index));
                out.push(Action::Indexed { content, index });
            }
        }
    }

    fn document(&self, document: &DocumentRef) -> Option<Answer> {
        if let Some(answer) = self.proof(document).or_else(|| self.leaves(document)) {
            return Some(answer);
        }
        match document {
            DocumentRef::Metadata { role, version } => {
                let role = role.parse().ok()?;
                let version = (*version > 0).then_some(*version);
                self.verifier.document(&role, version).map(Answer::Bytes)
            }
            DocumentRef::Index { sha256, .. } => self.indexes.by_sha256(sha256).map(Answer::Index),
            DocumentRef::Annex { name, sha256 } => {
                self.annexes.bytes(*name, sha256).map(Answer::Bytes)
            }
        }
    }
}

/// Whether the store gave back more than the first documents of a new node, of
/// which a crash may have left the one without the floors after it.
fn is_used(documents: &[(RoleName, Arc<[u8]>)], restored: &Restored) -> bool {
    let first = |role: &RoleName| matches!(role, RoleName::Root | RoleName::Timestamp);
    documents.iter().any(|(role, _)| !first(role))
        || !restored.releases.is_empty()
        || !restored.chunks.is_empty()
}

#[cfg(test)]
mod tests;
