//! Follows a rollout until every endpoint that should has staged the release,
//! and kills those that are to be killed on the way.

use std::time::{Duration, Instant};

use patchmesh_api::releases::ReleaseState;
use patchmesh_api::status::Status;
use patchmesh_demo::binaries::Binaries;

use crate::lab::Lab;
use crate::links::{self, Link};
use crate::node::Node;
use crate::plan::Plan;
use crate::release::{Draw, ID};
use crate::result::Result;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two lines for people.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// A rollout may take this many times T*, and a minute.
const PATIENCE: f64 = 5.0;
/// Endpoints killed in each site.
pub(crate) const KILLS: usize = 2;

/// Counters of all links at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Seconds from the start of all.
    pub(crate) secs: f64,
    /// Links in the order of the sites.
    pub(crate) links: Vec<Link>,
}

/// Looks until all have staged; returns the counters on the way.
pub(crate) fn until_staged(
    lab: &mut Lab,
    (plan, binaries): (&Plan, &Binaries),
    began: Instant,
    t_star: f64,
) -> Result<Vec<Sample>> {
    let (late, late_at) = plan.late;
    let mut all_started = late == 0;
    let mut samples = Vec::new();
    let moments = moments(plan);
    let mut said = Instant::now();
    loop {
        let secs = began.elapsed().as_secs_f64();
        if !all_started && secs >= late_at {
            lab.start_endpoints(plan, binaries, plan.nodes - late + 1..=plan.nodes)?;
            all_started = true;
        }
        for node in lab.nodes.iter_mut().filter(|node| node.lives()) {
            node.look();
            let secs = began.elapsed().as_secs_f64();
            if node.held_at.is_none() && node.status.as_ref().is_some_and(is_whole) {
                node.held_at = Some(secs);
            }
            let staged = node.status.as_ref().is_some_and(is_staged);
            if staged && node.staged_at.is_none() {
                node.staged_at = Some(secs);
            }
        }
        let links = links::read(&lab.space.core(), plan.sites)?;
        samples.push(Sample { secs, links });
        for (site, moments) in (1..).zip(&moments) {
            kill_due(&mut lab.nodes, site, moments, lab.whole, began)?;
        }
        let waiting = waiting(lab);
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            println!("  {secs:>5.1} s  {}", progress(lab, plan));
        }
        if all_started && waiting.is_empty() {
            return Ok(samples);
        }
        if secs > 60.0 + late_at + t_star * PATIENCE {
            return Err(format!("after {secs:.0} s waits for {}", waiting.join(", ")).into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Those that have not staged; the liar's own store is spoilt and not waited for.
fn waiting(lab: &Lab) -> Vec<String> {
    let nodes = lab.nodes.iter().enumerate();
    let open = nodes.filter(|(at, node)| {
        node.lives() && node.staged_at.is_none() && !(lab.liar.is_some() && *at == 0)
    });
    open.map(|(_, node)| node.name.clone()).collect()
}

fn progress(lab: &Lab, plan: &Plan) -> String {
    let sites = (1..=plan.sites).map(|site| {
        let of_site = || lab.nodes.iter().filter(|node| node.site == site);
        let staged = of_site().filter(|node| node.staged_at.is_some()).count();
        let held = of_site().filter_map(|node| node.status.as_ref()?.releases.first());
        let held: Vec<u32> = held.map(|release| release.chunks_held).collect();
        let total = lab.chunks.max(1);
        let sum: u32 = held.iter().sum();
        format!(
            "site {site}: {:>3} % ({staged} staged)",
            sum * 100 / (total * plan.nodes)
        )
    });
    sites.collect::<Vec<_>>().join("   ")
}

/// Shares of a site's progress at which one endpoint is killed.
fn moments(plan: &Plan) -> Vec<Vec<f64>> {
    let mut draw = Draw(plan.seed ^ 0x6b69_6c6c);
    let kills = if plan.kill { KILLS } else { 0 };
    let mut of_site = || {
        let mut shares: Vec<f64> = (0..kills).map(|_| 0.25 + 0.3 * draw.share()).collect();
        shares.sort_by(f64::total_cmp);
        shares
    };
    (0..plan.sites).map(|_| of_site()).collect()
}

/// Kills the endpoint that fetched most over the WAN, once its site has come
/// as far as the next moment says.
fn kill_due(
    nodes: &mut [Node],
    site: u32,
    moments: &[f64],
    whole: u64,
    began: Instant,
) -> Result<()> {
    let of_site = || nodes.iter().filter(|node| node.site == site);
    let killed = of_site().filter(|node| !node.lives()).count();
    let Some(moment) = moments.get(killed) else {
        return Ok(());
    };
    let fetched: u64 = of_site().map(wan_payload).sum();
    if ratio(fetched, whole) < *moment {
        return Ok(());
    }
    let living = nodes
        .iter_mut()
        .filter(|node| node.site == site && node.lives());
    let most = living.max_by_key(|node| wan_payload(node));
    let victim = most.ok_or("nobody is left to kill")?;
    victim.kill(began.elapsed().as_secs_f64())?;
    println!(
        "  SIGKILL to {} at {:.1} s, which fetched {:.2} MB",
        victim.name,
        victim.killed_at.unwrap_or_default(),
        ratio(wan_payload(victim), 1_000_000),
    );
    Ok(())
}

/// Chunk bytes that a node received over the WAN, as far as is known.
pub(crate) fn wan_payload(node: &Node) -> u64 {
    let received = node.status.as_ref().map(|status| status.received);
    received.map_or(0, |received| received.origin.payload + received.wan.payload)
}

fn is_whole(status: &Status) -> bool {
    let mut releases = status.releases.iter();
    releases.any(|found| {
        found.id == ID && found.chunks_total > 0 && found.chunks_held == found.chunks_total
    })
}

fn is_staged(status: &Status) -> bool {
    let mut releases = status.releases.iter();
    releases.any(|found| found.id == ID && found.state == ReleaseState::Staged)
}

/// One number over another; 0 over nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    patchmesh_demo::measure::ratio(part, whole)
}
