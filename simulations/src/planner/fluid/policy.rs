//! A policy over the whole world, as flows.

use crate::planner::bound::limits::{Limits, Way, limits};
use crate::planner::fluid::each::Each;
use crate::planner::fluid::grants::{Flow, Granted, run};
use crate::planner::fluid::late::finish;
use crate::planner::fluid::shared::Shared;
use crate::planner::outcome::{PolicyRun, SiteRun};
use crate::planner::parallel::for_each;
use crate::planner::scenario::model::{Fidelity, Kind, Policy};
use crate::planner::world::site::{Site, World};
use crate::planner::world::steps::Steps;

/// Part of the uplinks that a swarm uses (assumed; Bharambe et al., INFOCOM
/// 2006, find more than 0.95 with many peers).
const EFFICIENCY: f64 = 0.95;

/// How the bound of a policy is computed.
pub fn way(kind: Kind) -> Way {
    match kind {
        Kind::Direct => Way::Each,
        Kind::Cache | Kind::Grouped | Kind::Patchmesh => Way::Share,
        Kind::Bittorrent => Way::Relay,
    }
}

/// Runs a policy; `stretch` is a factor on the bytes of each site.
pub fn policy(
    world: &World,
    policy: &Policy,
    limits: &Limits,
    stretch: &dyn Fn(usize) -> f64,
    (threads, keep): (usize, bool),
) -> (PolicyRun, Granted) {
    let (mut supply, origin) = supply(world, policy.kind);
    if let Some(taken) = &world.taken {
        supply = supply.without(taken);
    }
    let size = world.size;
    // In a swarm nobody is ahead of what the origin has sent.
    let ahead = if policy.kind == Kind::Bittorrent {
        world.origin.clone()
    } else {
        Steps::constant(f64::INFINITY)
    };
    let make = |(at, site)| match policy.kind {
        Kind::Direct => Flow::Each(Each::new(site, size, 1.0, &ahead)),
        Kind::Bittorrent if policy.local == 0 => {
            Flow::Each(Each::new(site, size, far(world, site), &ahead))
        }
        Kind::Bittorrent | Kind::Cache | Kind::Grouped | Kind::Patchmesh => {
            Flow::Shared(Shared::new(site, policy, (size, stretch(at)), &ahead))
        }
    };
    let mut flows: Vec<Flow<'_>> = world.sites.iter().enumerate().map(make).collect();
    let most: f64 = world.sites.iter().map(|site| site.down_free.most()).sum();
    let end = limits.end();
    let granted = run(
        &mut flows,
        (&supply, most),
        (end, world.horizon),
        (threads, keep),
    );
    let mut pairs: Vec<(Option<Flow<'_>>, SiteRun, usize)> = flows
        .into_iter()
        .enumerate()
        .map(|(at, flow)| (Some(flow), SiteRun::default(), at))
        .collect();
    for_each(&mut pairs, threads, |(flow, result, at)| {
        match flow.take() {
            Some(Flow::Each(site)) => *result = site.finish(origin),
            Some(Flow::Shared(site)) => {
                let (mut run, copy) = site.finish();
                run.from_origin *= origin;
                finish(
                    (&world.sites[*at], &world.origin),
                    policy.kind,
                    size,
                    (&mut run, &copy),
                );
                *result = run;
            }
            None => {}
        }
    });
    let mut sites: Vec<SiteRun> = pairs.into_iter().map(|(_, run, _)| run).collect();
    if policy.kind == Kind::Bittorrent {
        uploads(world, &mut sites);
    }
    (of_flows(policy, sites), granted)
}

/// The run of a policy as flows.
fn of_flows(policy: &Policy, sites: Vec<SiteRun>) -> PolicyRun {
    PolicyRun {
        label: policy.label.clone(),
        kind: policy.kind,
        fidelity: Fidelity::Fluid,
        engine_sites: 0,
        spread: None,
        grain: None,
        sites,
    }
}

/// Part of the bytes of an endpoint that come over the line where neighbours are anywhere:
/// as many as there are others elsewhere, and one copy for each part of the site at least.
fn far(world: &World, site: &Site) -> f64 {
    let others = world.hosts().saturating_sub(1).max(1) as f64;
    let here = site.hosts.len().max(1) as f64;
    let elsewhere = (others - (here - 1.0)) / others;
    elsewhere.max(f64::from(site.parts) / here).min(1.0)
}

/// What all sites together can get, and the part of it that the origin sends. While the
/// origin is cut, a swarm stands still: what is new comes from there.
fn supply(world: &World, kind: Kind) -> (Steps, f64) {
    let origin = world.origin.most();
    if kind != Kind::Bittorrent || !origin.is_finite() {
        return (world.origin.clone(), 1.0);
    }
    let ups: f64 = world.sites.iter().map(|site| site.up_free.least()).sum();
    let all = origin + EFFICIENCY * ups;
    (world.origin.times(all / origin), origin / all)
}

/// What is not from the origin was sent by the sites, by the rates of their lines.
fn uploads(world: &World, sites: &mut [SiteRun]) {
    let relayed: f64 = sites
        .iter()
        .map(|site| site.wan_down - site.from_origin)
        .sum();
    let ups: f64 = world.sites.iter().map(|site| site.up_free.most()).sum();
    for (site, run) in world.sites.iter().zip(sites) {
        run.wan_up = relayed * site.up_free.most() / ups;
    }
}

/// The bound that a policy is held to.
pub fn limits_of(world: &World, policy: &Policy) -> Limits {
    limits(world, way(policy.kind))
}
