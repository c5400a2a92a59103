//! What a policy costs, as far as prices are given.

use crate::planner::run::{Entry, Plan};
use crate::planner::scenario::model::Kind;

/// Money and what it leaves out; none where no price is given at all.
pub fn cost(plan: &Plan, entry: &Entry) -> (Option<f64>, Option<String>) {
    let gigabytes = |bytes: f64| bytes / 1e9;
    let sites = || plan.world.sites.iter().zip(&entry.run.sites);
    let unpriced = sites().filter(|(site, _)| site.price.is_none()).count();
    let lines: f64 = sites()
        .map(|(site, run)| site.price.unwrap_or(0.0) * gigabytes(run.wan_down + run.wan_up))
        .sum();
    let origin = plan.scenario.origin.price;
    let sent: f64 = entry.run.sites.iter().map(|run| run.from_origin).sum();
    let policy = plan
        .scenario
        .policies
        .iter()
        .find(|policy| policy.label == entry.run.label);
    let monthly = policy.and_then(|policy| policy.cost);
    let count = plan.world.sites.len();
    if unpriced == count && origin.is_none() && monthly.is_none() {
        return (None, None);
    }
    let mut missing = Vec::new();
    if unpriced > 0 {
        missing.push(format!("{unpriced} lines without a price"));
    }
    if origin.is_none() {
        missing.push("the origin's traffic".to_owned());
    }
    if entry.run.kind == Kind::Cache && monthly.is_none() {
        missing.push("hardware".to_owned());
    }
    let all =
        lines + origin.unwrap_or(0.0) * gigabytes(sent) + monthly.unwrap_or(0.0) * count as f64;
    let note = (!missing.is_empty()).then(|| format!("without {}", missing.join(", ")));
    (Some(all), note)
}
