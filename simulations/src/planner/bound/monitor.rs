//! No run may beat the bound: a value below it is a fault of the simulator, and
//! ends the program.

use std::fmt;

use crate::planner::bound::limits::Limits;
use crate::planner::outcome::PolicyRun;
use crate::planner::world::site::World;

/// Relative slack for rounding.
const SLACK: f64 = 1e-6;

/// A run was better than is possible.
#[derive(Debug, Clone, PartialEq)]
pub struct Beaten {
    /// The policy.
    pub policy: String,
    /// The site, or `all`.
    pub site: String,
    /// Which limit.
    pub term: &'static str,
    /// What the run had.
    pub found: f64,
    /// What it can have at best.
    pub least: f64,
}

impl fmt::Display for Beaten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "policy {} beats the bound in site {}: {} {} is below {}; this is a fault of the \
             simulator, please report it with the scenario",
            self.policy, self.site, self.term, self.found, self.least
        )
    }
}

/// Compares a run with what is possible.
pub fn check(world: &World, limits: &Limits, run: &PolicyRun) -> Result<(), Beaten> {
    let below = |found: f64, least: f64| found < least * (1.0 - SLACK) - 1e-6;
    let beaten = |site: &str, term, found, least| {
        Err(Beaten {
            policy: run.label.clone(),
            site: site.to_owned(),
            term,
            found,
            least,
        })
    };
    let mut whole = true;
    let mut last = 0.0f64;
    for ((site, least), got) in world.sites.iter().zip(&limits.sites).zip(&run.sites) {
        for (host, end) in site.hosts.iter().zip(&got.ends) {
            let earliest = host.first() + host.lacks(world.size) / site.port(host);
            if end.is_finite() && below(*end, earliest) {
                return beaten(&site.id, "end of an endpoint", *end, earliest);
            }
        }
        let present = site
            .hosts
            .iter()
            .zip(&got.ends)
            .filter(|(host, _)| host.first().is_finite());
        let end = present.map(|(_, end)| *end).fold(0.0, f64::max);
        whole &= end.is_finite();
        if end.is_finite() && least.first.is_finite() {
            last = last.max(end);
            if below(end, least.end()) {
                return beaten(&site.id, "end of the site", end, least.end());
            }
            if below(got.wan_down, least.bytes) {
                return beaten(&site.id, "WAN bytes", got.wan_down, least.bytes);
            }
        }
        let room = site.down_free.passed(0.0, world.horizon);
        if below(room, got.wan_down) {
            return beaten(&site.id, "room of the line", room, got.wan_down);
        }
    }
    if whole && below(last, limits.end()) {
        return beaten("all", "last end", last, limits.end());
    }
    let sent: f64 = run.sites.iter().map(|site| site.from_origin).sum();
    let room = world.origin.passed(0.0, world.horizon);
    if below(room, sent) {
        return beaten("all", "room of the origin's uplink", room, sent);
    }
    Ok(())
}
