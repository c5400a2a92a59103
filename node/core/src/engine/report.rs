//! The state for people, put together from the machines.

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::id::PeerId;
use patchmesh_trust::release::Release;

use crate::catalog::Catalog;
use crate::gate;
use crate::reason::WaitingOn;
use crate::record::ReleaseState;
use crate::rollout::Rollout;
use crate::rollout::plan::{Facts, Progress, waiting};
use crate::swarm::Swarm;
use crate::time::Now;
use crate::view::{ReleaseView, View, WitnessView};

/// The machines of one node at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Machines<'a> {
    /// Signed metadata.
    pub catalog: &'a Catalog,
    /// Chunks and peers.
    pub swarm: &'a Swarm,
    /// Releases on this host.
    pub rollout: &'a Rollout,
    /// Whether the store has room.
    pub room: bool,
}

/// The whole node on one screen.
pub fn view(machines: Machines<'_>, now: Now) -> View {
    let usable = machines.catalog.usable(now);
    let say = machines.catalog.say(now);
    let mut verdicts = gate::judge(&say, machines.catalog.listed(), &usable);
    let releases = machines.rollout.releases();
    let mut releases: Vec<_> = releases
        .map(|(release, facts)| {
            let usable = usable.contains_key(&release.content);
            let facts = Facts { usable, ..*facts };
            let mut view = machines.release(release, facts, now);
            let closed = verdicts.closed.remove(&release.content);
            if facts.state == ReleaseState::Staged && !machines.rollout.policy().origin {
                view.waiting_on.extend(closed.into_iter().flatten());
            }
            if machines.catalog.lacks_only_log(release, now) {
                let mut waits = view.waiting_on.iter_mut();
                if let Some(metadata) = waits.find(|one| **one == WaitingOn::Metadata) {
                    *metadata = WaitingOn::Log;
                }
            }
            view
        })
        .collect();
    releases.sort_by(|a, b| (&a.line, &a.id).cmp(&(&b.line, &b.id)));
    View {
        head: machines.catalog.versions(),
        trust: machines.catalog.trust(now),
        frozen: machines.catalog.frozen(),
        withheld: machines.catalog.withheld(now),
        recovering: machines.catalog.is_recovering(),
        stops: machines.catalog.stops(),
        log: machines.catalog.log_head(),
        witnesses: witnesses(machines.catalog),
        peers: machines.swarm.peers(now.mono),
        releases,
    }
}

fn witnesses(catalog: &Catalog) -> Vec<WitnessView> {
    let shown = catalog.witnesses().shown();
    let views = shown.map(|one| WitnessView {
        witness: PeerId(one.witness),
        site: one.site.to_owned(),
        cosignature: one.kept.cloned(),
        other: one.other,
    });
    views.collect()
}

impl Machines<'_> {
    fn release(&self, release: &Release, facts: Facts, now: Now) -> ReleaseView {
        let content = release.content;
        let index = self.catalog.index(&content);
        let held = self.swarm.held(&content);
        let progress = Progress {
            held: held.map_or(0, Bitfield::held),
            total: index.map_or(0, |index| index.chunks_len()),
            lacks_source: self.swarm.lacks_source(&content, now.mono),
            no_room: !self.room,
            installs_stopped: self.catalog.stopped().all_installs().is_some(),
        };
        ReleaseView {
            line: release.line.clone(),
            id: release.id.clone(),
            content,
            severity: release.severity.clone(),
            state: facts.state,
            chunks_held: progress.held,
            chunks_total: progress.total,
            wire_bytes: index.map_or(0, |index| index.wire_bytes()),
            total_bytes: index.map_or(0, |index| index.total_bytes()),
            waiting_on: waiting(self.rollout.policy(), &facts, &progress),
        }
    }
}
