//! Questions that are no report: what holds a class of sites up, and how little is
//! enough.

use std::fmt::Write as _;

use crate::planner::find::Search;
use crate::planner::fluid::policy::limits_of;
use crate::planner::problem::Problem;
use crate::planner::report::explain::explain;
use crate::planner::report::summary::{PolicySummary, summary};
use crate::planner::run::{Failure, plan};
use crate::planner::scenario::model::{Kind, Scenario};
use crate::planner::world::build::world;

/// What limits each class, or one site, under each kind of policy.
pub fn limits(scenario: &Scenario, file: &str, site: Option<&str>) -> Result<String, Problem> {
    let world = world(scenario, file)?;
    let classes = scenario.site_classes.iter().map(|class| class.name.clone());
    let classes: Vec<String> = classes.collect();
    let mut out = String::new();
    for policy in &scenario.policies {
        let limits = limits_of(&world, policy);
        let text = explain((&world, &classes), &limits, site);
        let text = text.map_err(|says| Problem::new(file, says, "ids are in sites.csv"))?;
        writeln!(out, "{}\n{text}", policy.label).unwrap_or_default();
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
    let wrong = |says: &str, hint: &str| Failure::Scenario(Problem::new(file, says, hint));
    let mut scenario = scenario.clone();
    let own = scenario
        .policies
        .iter()
        .position(|way| way.kind == Kind::Patchmesh);
    let way = scenario.policies.swap_remove(own.unwrap_or(0));
    scenario.policies = vec![way];
    if scenario.release.deadline.is_none() && !search.is_for_deadline() {
        return Err(wrong(
            "no deadline",
            "add `deadline = \"48h\"` to [[release]]",
        ));
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

impl From<String> for Failure {
    fn from(says: String) -> Self {
        Self::Scenario(Problem::new("command line", says, ""))
    }
}
