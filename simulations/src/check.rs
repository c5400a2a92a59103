//! What must hold after every event, and at the end of a world.

use patchmesh_content::id::ContentId;
use patchmesh_core::limits::{ASKS_MAX, FETCHES_MAX, PEERS_MAX, WAN_ALONE_MAX};
use patchmesh_core::message::Want;
use patchmesh_core::record::ReleaseState;
use patchmesh_core::time::Duration;
use patchmesh_trust::role::RoleName;

use crate::bound::bound;
use crate::broken::Broken;
use crate::link::Serving;
use crate::operations::LINE;
use crate::plan::{CHUNK_WIRE_LEN, Fault, Site};
use crate::world::World;

/// Chunks that one crash may cost a site in which others take chunks: the window
/// (S-19).
const WINDOW_MAX: u64 = 64;
/// Chunks of a second release that members who have not heard of it yet order under
/// the first, while others fetch them under the second: one duty span.
const TWICE_MAX: u64 = 16;
/// A lease lives at least so long after its holder was granted a chunk.
const LEASE: Duration = Duration::secs(15);
/// While a chunk is under way it lives eight times as long as chunks to the site
/// take, at most this long (S-17).
const SERVE_MOST: Duration = Duration::secs(900);
/// What a node may not have made durable yet: so many bytes, or what came in so
/// many seconds. A node that is alone in its site loses all of it.
const UNSYNCED: (u64, u64) = (8 << 20, 2);

/// Checks one node after it handled an event.
pub fn node(world: &mut World, node: usize) -> Result<(), Broken> {
    let clocks = world.clocks(node);
    let host = &mut world.hosts[node];
    let Some(engine) = &host.engine else {
        return Ok(());
    };
    let view = engine.view(clocks);
    let versions = [view.head.root, view.head.timestamp, view.head.snapshot];
    // A newer root may void the floors of the other roles (T-32).
    let sinks = versions.iter().zip(&host.head).any(|(new, old)| new < old);
    if sinks && versions[0] <= host.head[0] {
        let found = format!("versions sink from {:?} to {versions:?}", host.head);
        return Err(Broken::new("S2", node, &found));
    }
    host.head = versions;
    if versions[1] > host.store.version(&RoleName::Timestamp) {
        return Err(Broken::new(
            "S5",
            node,
            "shows a timestamp that is not durable",
        ));
    }
    let mut open = Vec::new();
    for release in &view.releases {
        let content = &release.content;
        let state = release.state;
        let is_done = matches!(state, ReleaseState::Staged | ReleaseState::Good);
        let stored = host.store.release(content);
        // An apply that a crash cut short left a staged release behind.
        let was_applying = state == ReleaseState::Staged && stored == Some(ReleaseState::Applying);
        if is_done && stored != Some(state) && !was_applying {
            return Err(Broken::new("S5", node, "staged, but not durable"));
        }
        let waits = !release.waiting_on.is_empty();
        let may_wait = state == ReleaseState::Staged && world.plan.parties.is_some();
        if node != 0 && waits == is_done && !may_wait {
            return Err(Broken::new(
                "waits",
                node,
                "waits on nothing, or although staged",
            ));
        }
        if may_wait && !waits {
            open.push(*content);
        }
        let index = host.store.index(content);
        let held = engine.held(content);
        if let (Some(held), Some((_, index)), true) = (held, index, node != 0) {
            let stored = |chunk| {
                index
                    .chunk(chunk)
                    .is_some_and(|chunk| host.store.contains(&chunk.id))
            };
            if !held.iter().all(stored) {
                return Err(Broken::new("S4", node, "counts a chunk that it has not"));
            }
        }
    }
    open_only_where_it_may_be(world, node, &open)?;
    let host = &world.hosts[node];
    let bounds = host.asks.len() <= ASKS_MAX
        && host.fetches.len() <= FETCHES_MAX
        && view.peers.len() <= PEERS_MAX;
    if bounds {
        Ok(())
    } else {
        Err(Broken::new("S9", node, "over a named limit"))
    }
}

/// S11: these are staged and wait for nothing, so that they are applied next.
fn open_only_where_it_may_be(world: &World, node: usize, open: &[ContentId]) -> Result<(), Broken> {
    let wrong = open.iter().filter(|_| node != 0);
    let mut wrong = wrong.filter_map(|content| must_not_apply(world, node, content));
    wrong
        .next()
        .map_or(Ok(()), |found| Err(Broken::new("S11", node, found)))
}

/// S11: why a node must not apply a release, by the statements that it holds durably, as
/// they were published.
pub fn must_not_apply(world: &World, node: usize, content: &ContentId) -> Option<&'static str> {
    let host = &world.hosts[node];
    let publisher = &world.publisher;
    let held = |role: RoleName| publisher.said_at(host.store.version(&role));
    let line = held(RoleName::Line(LINE.to_owned()));
    let (Some(rollout), Some(line), Some(targets)) =
        (held(RoleName::Rollout), line, held(RoleName::Targets))
    else {
        return Some("applies what nobody could approve");
    };
    if rollout.approved(&host.peer, &line.releases) != Some(*content) {
        return Some("applies what operations do not approve");
    }
    targets.keys.as_ref()?;
    let Some(membership) = held(RoleName::Membership) else {
        return Some("applies before it knows who the witnesses are");
    };
    let all = [rollout, line, targets, membership];
    let leaves = all.iter().map(|said| said.leaves).max().unwrap_or_default();
    let heads = publisher.heads.range(leaves..);
    let cosignatures = host.store.cosignatures();
    let is_witnessed = membership.is_witnessed(&publisher.mesh_id(), heads, cosignatures);
    (!is_witnessed).then_some("applies what too few witnesses have cosigned")
}

/// Checks a serve over the WAN that begins: no other member of the site has a lease
/// of the span that is certainly live, or one of them took the other for unreachable.
pub fn lease(
    world: &mut World,
    (server, client, site): (usize, usize, usize),
    want: &Want,
) -> Result<(), Broken> {
    let (content, span) = (want.content, want.chunk.span());
    let split = (server, site, content, span);
    if want.unreachable {
        world.splits.insert(split);
    }
    // Serves took at least as long as the quickest, on average too.
    let quickest = world.quickest.get(&(server, site, content));
    let patience = quickest.map_or(SERVE_MOST, |quickest| {
        Duration(quickest.0.saturating_mul(8).clamp(LEASE.0, SERVE_MOST.0))
    });
    let is_live = |serving: &&Serving| {
        let of = &serving.want;
        let place = (server, serving.client, content, span);
        let reached = world.reached.get(&place).copied();
        let reached = reached.filter(|at| *at <= world.now());
        let active = serving
            .since
            .map(|since| since.max(reached.unwrap_or_default()));
        active.is_some_and(|at| world.now().since(at) < patience)
            && !serving.given_back
            && (serving.server, of.content, of.chunk.span()) == (server, content, span)
            && serving.client != client
            && world.hosts[serving.client].site == Some(site)
    };
    match world.serves.values().find(is_live) {
        Some(other) if !world.splits.contains(&split) => {
            let other = other.client;
            let found = format!(
                "serves nodes {other} and {client} of a site span {}",
                span.0
            );
            Err(Broken::new("S6", server, &found))
        }
        _ => Ok(()),
    }
}

/// Whether every honest node knows the newest metadata and has staged every release.
pub fn is_done(world: &World) -> bool {
    let head = world.publisher.head();
    world.hosts.iter().enumerate().all(|(node, host)| {
        // Who sends corrupt chunks is turned away, and on its own.
        if world.plan.liars.contains(&node) {
            return true;
        }
        let Some(engine) = &host.engine else {
            return false;
        };
        let view = engine.view(world.clocks(node));
        let is_staged = |state| matches!(state, ReleaseState::Staged | ReleaseState::Good);
        let said = world.publisher.said.last();
        let approved = said.and_then(|said| said.approved(&host.peer, &said.releases));
        let mut releases = view.releases.iter();
        let applied = approved.is_none_or(|content| {
            releases.any(|one| one.content == content && one.state == ReleaseState::Good)
        });
        let newest = [view.head.root, view.head.timestamp] == head;
        let staged = view.releases.iter();
        let staged = staged.filter(|release| is_staged(release.state));
        newest && (node == 0 || staged.count() == world.active && applied)
    })
}

/// Who lacks what, for the report of a world that does not end.
pub fn missing(world: &World) -> String {
    let mut lacks = vec!["not done in time:".to_owned()];
    for (node, host) in world.hosts.iter().enumerate() {
        let Some(engine) = &host.engine else {
            continue;
        };
        let view = engine.view(world.clocks(node));
        for release in &view.releases {
            if node != 0 && !release.waiting_on.is_empty() {
                let (held, total) = (release.chunks_held, release.chunks_total);
                let waiting = &release.waiting_on;
                let id = &release.id;
                lacks.push(format!("node {node}: {id} {held}/{total} {waiting:?};"));
            }
        }
        if [view.head.root, view.head.timestamp] != world.publisher.head() {
            lacks.push(format!("node {node}: head {:?};", view.head));
        }
    }
    lacks.join(" ")
}

/// Checks a finished world: nothing is left open, and the WAN carried no more
/// than the crashes and cuts explain.
pub fn end(world: &World) -> Result<(), Broken> {
    let plan = &world.plan;
    if !plan.liars.is_empty() {
        return Ok(());
    }
    let allowance = |site: usize| {
        let own = |fault: &Fault| match fault {
            Fault::Crash(node, _) | Fault::Full(node, _) | Fault::Slow(node, _, _) => {
                *node == 0 || world.hosts[*node].site == Some(site)
            }
            Fault::Mute(from, to, _) => [*from, *to]
                .iter()
                .any(|node| world.hosts[*node].site == Some(site)),
            Fault::Apart(cut, _) | Fault::Cut(cut, _) => *cut == site,
            Fault::Rotate | Fault::Say(_) | Fault::Second => false,
        };
        let faults = plan.faults.iter().filter(|(_, fault)| own(fault));
        let window = WINDOW_MAX * CHUNK_WIRE_LEN;
        let Site { nodes, down, .. } = plan.sites[site];
        let alone = UNSYNCED.0.min(down / 8 * UNSYNCED.1);
        let alone = alone + u64::from(WAN_ALONE_MAX) * CHUNK_WIRE_LEN;
        let each = if nodes == 1 {
            alone.max(window)
        } else {
            window
        };
        let is_second = |(_, fault): &&(_, Fault)| matches!(fault, Fault::Second);
        let seconds = plan.faults.iter().filter(is_second).count() as u64;
        faults.count() as u64 * each + seconds * TWICE_MAX * CHUNK_WIRE_LEN
    };
    let bytes = bound(plan).bytes;
    // Parts that cannot reach each other have a copy each.
    let parts = |site: usize| {
        let apart = |(_, fault): &&(_, Fault)| matches!(fault, Fault::Apart(of, _) if *of == site);
        1 + plan.faults.iter().filter(apart).count().min(1) as u64
    };
    for (site, carried) in world.wan_bytes.iter().enumerate() {
        let most = parts(site) * (bytes + bytes / 50) + allowance(site);
        if *carried > most {
            let found = format!("site {site}: {carried} bytes over the WAN, at most {most}");
            return Err(Broken::new("S7", 0, &found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
