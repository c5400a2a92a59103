//! What a policy costs, as far as prices are given.

use crate::planner::outcome::{PolicyRun, SiteRun};
use crate::planner::report::quota::above;
use crate::planner::run::Plan;
use crate::planner::scenario::model::Kind;
use crate::planner::world::site::Site;

/// Money and what it leaves out; none where no price is given at all.
pub fn cost(plan: &Plan, run: &PolicyRun) -> (Option<f64>, Option<String>) {
    let gigabytes = |bytes: f64| bytes / 1e9;
    let sites = || plan.world.sites.iter().zip(&run.sites);
    let unpriced = sites().filter(|(site, _)| site.price.is_none()).count();
    let line = |(site, run): (&Site, &SiteRun)| {
        site.price.unwrap_or(0.0) * gigabytes(run.wan_down + run.wan_up)
            + site.overrun.unwrap_or(0.0) * gigabytes(above(site, run))
    };
    let lines: f64 = sites().map(line).sum();
    let origin = plan.scenario.origin.price;
    let sent: f64 = run.sites.iter().map(|run| run.from_origin).sum();
    let mut policies = plan.scenario.policies.iter();
    let policy = policies.find(|policy| policy.label == run.label);
    let monthly = policy.and_then(|policy| policy.cost);
    let count = plan.world.sites.len();
    let no_overrun = sites().all(|(site, _)| site.overrun.is_none());
    if unpriced == count && origin.is_none() && monthly.is_none() && no_overrun {
        return (None, None);
    }
    let mut missing = Vec::new();
    if unpriced > 0 {
        missing.push(format!("{unpriced} lines without a price"));
    }
    let free = sites().filter(|(site, run)| site.overrun.is_none() && above(site, run) > 0.0);
    let free = free.count();
    if free > 0 {
        missing.push(format!("what {free} lines take above their quota"));
    }
    if origin.is_none() {
        missing.push("the origin's traffic".to_owned());
    }
    if run.kind == Kind::Cache && monthly.is_none() {
        missing.push("hardware".to_owned());
    }
    let all =
        lines + origin.unwrap_or(0.0) * gigabytes(sent) + monthly.unwrap_or(0.0) * count as f64;
    let note = (!missing.is_empty()).then(|| format!("without {}", missing.join(", ")));
    (Some(all), note)
}
