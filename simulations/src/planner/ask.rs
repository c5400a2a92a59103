//! Questions that are no report: what holds a class of sites up, and how little is
//! enough.

use std::fmt::Write as _;

use crate::planner::find::Search;
use crate::planner::fluid::policy::limits_of;
use crate::planner::problem::Problem;
use crate::planner::report::explain::explain;
use crate::planner::report::summary::{PolicySummary, summary};
use crate::planner::run::{Failure, plan};
use crate::planner::scenario::model::{Fidelity, Kind, Scenario};
use crate::planner::windows::{Found, Lengths, shown, with};
use crate::planner::world::build::{UNREACHABLE, world_of};

/// What limits each class, or one site, under each kind of policy.
pub fn limits(scenario: &Scenario, file: &str, site: Option<&str>) -> Result<String, Problem> {
    let classes = scenario.site_classes.iter().map(|class| class.name.clone());
    let classes: Vec<String> = classes.collect();
    let mut out = String::new();
    for (at, release) in scenario.releases.iter().enumerate() {
        let world = world_of(scenario, file, at)?;
        if scenario.releases.len() > 1 {
            writeln!(out, "{}, if it were the only one\n", release.name).unwrap_or_default();
        }
        for policy in &scenario.policies {
            let limits = limits_of(&world, policy);
            let text = explain((&world, &classes), &limits, site);
            let text = text.map_err(|says| Problem::new(file, says, "ids are in sites.csv"))?;
            writeln!(out, "{}\n{text}", policy.label).unwrap_or_default();
        }
    }
    Ok(out)
}

/// The smallest value with which so large a part of the present endpoints is done
/// at the deadline; under the node's own policy, or the first.
pub fn smallest(
    scenario: &Scenario,
    file: &str,
    (search, until): (&Search, f64),
    threads: usize,
) -> Result<String, Failure> {
    let scenario = one_policy(scenario);
    if !search.is_for_deadline() {
        has_deadline(&scenario, file)?;
    }
    let mut last: Option<PolicySummary> = None;
    let found = search.smallest(&scenario, |point| {
        let mut found = summary(&plan(point, file, threads, &|_| {})?);
        let policy = found.policies.pop();
        let good = policy.as_ref().and_then(|policy| policy.on_time);
        let good = good.is_some_and(|part| part >= until);
        if good {
            last = policy;
        }
        Ok::<bool, Failure>(good)
    })?;
    let percent = until * 100.0;
    Ok(match (found, last) {
        (Some(value), Some(policy)) => format!(
            "smallest {} with which {} has {percent} % of the endpoints done at the deadline \
             ({:.2} % are)\n",
            search.shown(value),
            policy.policy,
            policy.on_time.unwrap_or(0.0) * 100.0,
        ),
        _ => format!(
            "not even {} has {percent} % of the endpoints done at the deadline\n",
            search.shown(search.most())
        ),
    })
}

/// The shortest daily window with which so large a part of the present endpoints is
/// done at the deadline. Looked for as flows; the answer is run again as exactly as
/// the scenario asks.
pub fn window(
    scenario: &Scenario,
    file: &str,
    (lengths, until): (Lengths, f64),
    threads: usize,
) -> Result<String, Failure> {
    let scenario = one_policy(scenario);
    has_deadline(&scenario, file)?;
    let on_time = |point: Scenario| -> Result<f64, Failure> {
        match plan(point, file, threads, &|_| {}) {
            Ok(found) => Ok(summary(&found).policies[0].on_time.unwrap_or(0.0)),
            // A window in which other traffic or a cut leaves nothing.
            Err(Failure::Scenario(problem)) if problem.says.contains(UNREACHABLE) => Ok(0.0),
            Err(failure) => Err(failure),
        }
    };
    let mut flows = scenario.clone();
    flows.fidelity = Fidelity::Fluid;
    let found = lengths.shortest(&flows, |point| Ok::<_, Failure>(on_time(point)? >= until))?;
    let (label, percent) = (&scenario.policies[0].label, until * 100.0);
    let what = format!("{label} has {percent} % of the endpoints done at the deadline");
    let Some(Found { length, starts }) = found else {
        return Ok(format!("in no window of {} h {what}\n", lengths.most()));
    };
    let part = on_time(with(&scenario, starts[0], length))?;
    let each: Vec<String> = starts.iter().map(|start| shown(*start, length)).collect();
    let mut says = format!(
        "shortest window in which {what}: {length} h a day\n\
         windows of that length, local time: {}\n\
         in {}: {:.2} % at the deadline, {}\n",
        each.join(", "),
        each[0],
        part * 100.0,
        scenario.fidelity.name(),
    );
    if part < until {
        says.push_str("that is less than was asked for: take one hour more\n");
    }
    Ok(says)
}

/// The scenario with the node's own policy alone, or else the first.
fn one_policy(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    let own = scenario
        .policies
        .iter()
        .position(|way| way.kind == Kind::Patchmesh);
    let way = scenario.policies.swap_remove(own.unwrap_or(0));
    scenario.policies = vec![way];
    scenario
}

fn has_deadline(scenario: &Scenario, file: &str) -> Result<(), Failure> {
    if scenario
        .releases
        .iter()
        .all(|release| release.deadline.is_some())
    {
        return Ok(());
    }
    let hint = "add `deadline = \"48h\"` to [[release]]";
    Err(Failure::Scenario(Problem::new(
        file,
        "a release without a deadline",
        hint,
    )))
}

impl From<String> for Failure {
    fn from(says: String) -> Self {
        Self::Scenario(Problem::new("command line", says, ""))
    }
}
