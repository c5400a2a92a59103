//! Runs every policy of a scenario over one world, each beside its bound.

use std::sync::Arc;

use crate::planner::bound::limits::Limits;
use crate::planner::bound::monitor::{Beaten, check};
use crate::planner::fluid::policy::{limits_of, policy};
use crate::planner::full::policy::{Setting, policy as engine};
use crate::planner::outcome::PolicyRun;
use crate::planner::problem::Problem;
use crate::planner::scenario::model::{Fidelity, Kind, Policy, Scenario};
use crate::planner::world::after::after;
use crate::planner::world::build::world_of;
use crate::planner::world::site::World;

/// A policy, what it cannot beat, and what it did.
#[derive(Debug)]
pub struct Entry {
    /// The bound; of several releases the sum of bytes and the latest times.
    pub limits: Limits,
    /// The run; of several releases all together.
    pub run: PolicyRun,
    /// Each release of several; empty for one.
    pub stages: Vec<Stage>,
}

/// One of several releases under one policy.
#[derive(Debug)]
pub struct Stage {
    /// What it finds after those before it.
    pub world: Arc<World>,
    /// Its bound there.
    pub limits: Limits,
    /// Its run.
    pub run: PolicyRun,
}

/// Everything that a report shows.
#[derive(Debug)]
pub struct Plan {
    /// What was asked.
    pub scenario: Scenario,
    /// The world of its first release.
    pub world: Arc<World>,
    /// Its policies, in the order of the scenario.
    pub entries: Vec<Entry>,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum Failure {
    /// The scenario cannot be.
    Scenario(Problem),
    /// A run was better than is possible.
    Beaten(Beaten),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scenario(problem) => problem.fmt(f),
            Self::Beaten(beaten) => beaten.fmt(f),
        }
    }
}

/// Runs a scenario. `tell` hears of progress.
pub fn plan(
    scenario: Scenario,
    file: &str,
    threads: usize,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Plan, Failure> {
    let count = scenario.releases.len();
    let worlds = (0..count).map(|at| world_of(&scenario, file, at).map(Arc::new));
    let worlds: Result<Vec<Arc<World>>, Problem> = worlds.collect();
    let worlds = worlds.map_err(Failure::Scenario)?;
    let world = worlds[0].clone();
    let hosts = world.hosts();
    tell(&format!("{} sites, {hosts} endpoints", world.sites.len()));
    let mut entries = Vec::new();
    for way in &scenario.policies {
        tell(&way.label);
        let mut stages: Vec<Stage> = Vec::new();
        for (alone, release) in worlds.iter().zip(&scenario.releases) {
            if count > 1 {
                tell(&format!("{}: {}", way.label, release.name));
            }
            let earlier = worlds.iter().zip(&stages);
            let earlier = earlier.map(|(alone, stage)| (&**alone, &stage.run));
            let earlier: Vec<(&World, &PolicyRun)> = earlier.collect();
            let world = if earlier.is_empty() {
                alone.clone()
            } else {
                Arc::new(after(alone, &earlier, release.overlap))
            };
            stages.push(stage(&scenario, world, way, (threads, tell))?);
        }
        entries.push(Entry::of(stages));
    }
    Ok(Plan {
        scenario,
        world,
        entries,
    })
}

/// When an endpoint had the last of the releases that it is there for; infinite for
/// never.
fn last(stages: &[Stage], site: usize, host: usize) -> f64 {
    let there = stages.iter().filter(|stage| {
        let first = stage.world.sites[site].hosts[host].first();
        first.is_finite()
    });
    let ends = there.map(|stage| stage.run.sites[site].ends[host]);
    ends.reduce(f64::max).unwrap_or(f64::INFINITY)
}

/// One release under one policy.
fn stage(
    scenario: &Scenario,
    world: Arc<World>,
    way: &Policy,
    (threads, tell): (usize, &(dyn Fn(&str) + Sync)),
) -> Result<Stage, Failure> {
    let limits = limits_of(&world, way);
    let run = if way.kind == Kind::Patchmesh && scenario.fidelity != Fidelity::Fluid {
        let setting = Setting {
            scenario,
            world: &world,
            limits: &limits,
            threads,
            tell,
        };
        engine(setting, way)
    } else {
        policy(&world, way, &limits, &|_| 1.0, (threads, false)).0
    };
    check(&world, &limits, &run).map_err(Failure::Beaten)?;
    Ok(Stage { world, limits, run })
}

impl Entry {
    /// All releases together, beside each.
    fn of(mut stages: Vec<Stage>) -> Self {
        if stages.len() == 1
            && let Some(only) = stages.pop()
        {
            return Self {
                limits: only.limits,
                run: only.run,
                stages,
            };
        }
        let mut limits = stages[0].limits.clone();
        let mut run = stages[0].run.clone();
        for stage in &stages[1..] {
            limits.join(&stage.limits);
            run.join(&stage.run);
        }
        for (at, site) in run.sites.iter_mut().enumerate() {
            for (host, end) in site.ends.iter_mut().enumerate() {
                *end = last(&stages, at, host);
            }
        }
        let all = stages.iter_mut().map(|stage| &mut stage.run);
        for site in all.chain([&mut run]).flat_map(|run| &mut run.sites) {
            site.track = None;
        }
        Self {
            limits,
            run,
            stages,
        }
    }
}
