//! Runs every policy of a scenario over one world, each beside its bound.

use crate::planner::bound::limits::Limits;
use crate::planner::bound::monitor::{Beaten, check};
use crate::planner::fluid::policy::{limits_of, policy};
use crate::planner::full::policy::{Setting, policy as engine};
use crate::planner::outcome::PolicyRun;
use crate::planner::problem::Problem;
use crate::planner::scenario::model::{Fidelity, Kind, Scenario};
use crate::planner::world::build::world;
use crate::planner::world::site::World;

/// A policy, what it cannot beat, and what it did.
#[derive(Debug)]
pub struct Entry {
    /// The bound.
    pub limits: Limits,
    /// The run.
    pub run: PolicyRun,
}

/// Everything that a report shows.
#[derive(Debug)]
pub struct Plan {
    /// What was asked.
    pub scenario: Scenario,
    /// Its world.
    pub world: World,
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
    let world = world(&scenario, file).map_err(Failure::Scenario)?;
    let hosts = world.hosts();
    tell(&format!("{} sites, {hosts} endpoints", world.sites.len()));
    let mut entries = Vec::new();
    for way in &scenario.policies {
        tell(&way.label);
        let limits = limits_of(&world, way);
        let run = if way.kind == Kind::Patchmesh && scenario.fidelity != Fidelity::Fluid {
            let setting = Setting {
                scenario: &scenario,
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
        entries.push(Entry { limits, run });
    }
    Ok(Plan {
        scenario,
        world,
        entries,
    })
}
