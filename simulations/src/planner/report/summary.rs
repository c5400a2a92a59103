//! The figures of a plan, as they go into every kind of report.

use serde::{Deserialize, Serialize};

use crate::planner::bound::limits::{SiteLimits, Term};
use crate::planner::outcome::SiteRun;
use crate::planner::report::quota::above;
use crate::planner::run::{Entry, Plan};
use crate::planner::world::site::Site;

/// Version of the schema of `result.json`.
pub const SCHEMA: &str = "patchmesh.plan/1";

/// Points of a completion curve.
const CURVE: usize = 100;

/// A plan in figures. Times are seconds since the start; none stands for never.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// Its release.
    pub release: String,
    /// Wire bytes of the release.
    pub size: u64,
    /// Sites.
    pub sites: usize,
    /// Endpoints that are on at some time.
    pub endpoints: usize,
    /// Endpoints that never are.
    pub absent: usize,
    /// When it must be done.
    pub deadline: Option<f64>,
    /// Currency of all costs.
    pub currency: String,
    /// What limits the meaning of the figures.
    pub notes: Vec<String>,
    /// The policies.
    pub policies: Vec<PolicySummary>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySummary {
    /// Name.
    pub policy: String,
    /// How exactly it was computed.
    pub fidelity: String,
    /// Sites that the engine of the node ran in.
    pub engine_sites: usize,
    /// Bytes over all WAN lines towards sites.
    pub wan_down: f64,
    /// The least that is possible: one copy for each site.
    pub wan_minimum: f64,
    /// Bytes over all WAN lines away from sites.
    pub wan_up: f64,
    /// Bytes that the origin sent.
    pub origin: f64,
    /// Bytes inside sites.
    pub lan: f64,
    /// Copies over the line of a site: mean, and the most of any.
    pub copies: [f64; 2],
    /// When 50, 90, 95 and 100 % of present endpoints were done.
    pub done: [Option<f64>; 4],
    /// Earliest end of the last endpoint that this policy could reach: T*.
    pub bound: f64,
    /// Earliest end that any policy could reach.
    pub possible: f64,
    /// Part of present endpoints that were done at the deadline.
    pub on_time: Option<f64>,
    /// Endpoints that never end.
    pub never: usize,
    /// Sites with an endpoint that misses the deadline, or never ends.
    pub late_sites: usize,
    /// Money; none where no price is given.
    pub cost: Option<f64>,
    /// What the cost leaves out.
    pub cost_note: Option<String>,
    /// Sites that take more than their monthly quota.
    pub over_quota: usize,
    /// Bytes that they take above it.
    #[serde(default)]
    pub over_quota_bytes: f64,
    /// Times at which each further 1 % was done.
    pub curve: Vec<Option<f64>>,
    /// Each site.
    pub by_site: Vec<SiteSummary>,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteSummary {
    /// Name.
    pub site: String,
    /// Its class.
    pub class: String,
    /// Endpoints that are on at some time.
    pub endpoints: usize,
    /// Bytes towards it.
    pub wan_down: f64,
    /// Least bytes towards it.
    pub wan_minimum: f64,
    /// The one over the other.
    pub copies: f64,
    /// When half of the endpoints were done.
    pub half: Option<f64>,
    /// When the last was.
    pub last: Option<f64>,
    /// Earliest end by its own line, air and ports.
    pub bound: f64,
    /// Part of the line in its busiest hour, other traffic included.
    pub peak: f64,
    /// What held it up most.
    pub limiter: String,
    /// Why it misses the deadline.
    pub late: Option<String>,
    /// Bytes above its monthly quota.
    #[serde(default)]
    pub over_quota: f64,
}

/// Figures of a plan.
pub fn summary(plan: &Plan) -> Summary {
    let world = &plan.world;
    let present: usize = world.sites.iter().map(|site| site.present().count()).sum();
    let possible = plan
        .entries
        .iter()
        .map(|entry| entry.limits.end())
        .fold(f64::INFINITY, f64::min);
    Summary {
        schema: SCHEMA.to_owned(),
        scenario: plan.scenario.name.clone(),
        seed: plan.scenario.seed,
        release: plan.scenario.release.name.clone(),
        size: plan.scenario.release.size,
        sites: world.sites.len(),
        endpoints: present,
        absent: world.hosts() - present,
        deadline: plan.scenario.release.deadline,
        currency: plan.scenario.currency.clone(),
        notes: crate::planner::report::notes::notes(plan),
        policies: plan
            .entries
            .iter()
            .map(|entry| policy(plan, entry, possible))
            .collect(),
    }
}

fn policy(plan: &Plan, entry: &Entry, possible: f64) -> PolicySummary {
    let Entry { limits, run } = entry;
    let deadline = plan.scenario.release.deadline;
    let world = &plan.world;
    let each = world.sites.iter().zip(&run.sites).zip(&limits.sites);
    let by_site: Vec<SiteSummary> = each
        .map(|((site, got), least)| site_summary(plan, site, got, least))
        .collect();
    let mut ends: Vec<f64> = Vec::new();
    for (site, got) in world.sites.iter().zip(&run.sites) {
        let all = site.hosts.iter().zip(&got.ends);
        ends.extend(
            all.filter(|(host, _)| host.first().is_finite())
                .map(|(_, end)| *end),
        );
    }
    ends.sort_by(f64::total_cmp);
    let total = |part: fn(&SiteRun) -> f64| run.sites.iter().map(part).sum::<f64>();
    let live = || by_site.iter().filter(|site| site.endpoints > 0);
    let copies: f64 = live().map(|site| site.copies).sum::<f64>() / live().count().max(1) as f64;
    let most = live().map(|site| site.copies).fold(0.0, f64::max);
    let (cost, cost_note) = crate::planner::report::cost::cost(plan, run);
    PolicySummary {
        policy: run.label.clone(),
        fidelity: run.fidelity.name().to_owned(),
        engine_sites: run.engine_sites,
        wan_down: total(|site| site.wan_down),
        wan_minimum: by_site.iter().map(|site| site.wan_minimum).sum(),
        wan_up: total(|site| site.wan_up),
        origin: total(|site| site.from_origin),
        lan: total(|site| site.lan),
        copies: [copies, most],
        done: [0.5, 0.9, 0.95, 1.0].map(|part| quantile(&ends, part)),
        bound: limits.end(),
        possible,
        on_time: deadline
            .map(|at| ends.partition_point(|end| *end <= at) as f64 / ends.len().max(1) as f64),
        never: ends.iter().filter(|end| end.is_infinite()).count(),
        late_sites: by_site.iter().filter(|site| site.late.is_some()).count(),
        cost,
        cost_note,
        over_quota: by_site.iter().filter(|site| site.over_quota > 0.0).count(),
        over_quota_bytes: by_site.iter().map(|site| site.over_quota).sum(),
        curve: (0..=CURVE)
            .map(|at| quantile(&ends, at as f64 / CURVE as f64))
            .collect(),
        by_site,
    }
}

/// The time at which a part of sorted ends was reached.
fn quantile(ends: &[f64], part: f64) -> Option<f64> {
    let at = ((ends.len() as f64 * part).ceil() as usize).saturating_sub(1);
    ends.get(at).copied().filter(|end| end.is_finite())
}

fn site_summary(plan: &Plan, site: &Site, got: &SiteRun, least: &SiteLimits) -> SiteSummary {
    let all = site.hosts.iter().zip(&got.ends);
    let present = all.filter(|(host, _)| host.first().is_finite());
    let mut ends: Vec<f64> = present.map(|(_, end)| *end).collect();
    ends.sort_by(f64::total_cmp);
    let shared = site.copies() * site.lacks(plan.world.size);
    let minimum = if ends.is_empty() { 0.0 } else { shared };
    SiteSummary {
        site: site.id.clone(),
        class: plan.scenario.site_classes[site.class].name.clone(),
        endpoints: ends.len(),
        wan_down: got.wan_down,
        wan_minimum: minimum,
        copies: if minimum > 0.0 {
            got.wan_down / minimum
        } else {
            0.0
        },
        half: quantile(&ends, 0.5),
        last: quantile(&ends, 1.0),
        bound: if ends.is_empty() { 0.0 } else { least.end() },
        peak: peak(site, got),
        limiter: got.limiter().name().to_owned(),
        late: late(plan, site, got, least),
        over_quota: above(site, got),
    }
}

/// Part of the line that was used in an hour, by updates and others.
pub fn used(site: &Site, got: &SiteRun, hour: usize) -> (f64, f64) {
    let from = hour as f64 * 3600.0;
    let bytes = got.hours.get(hour).copied().unwrap_or(0.0);
    let others = site.others.passed(from, from + 3600.0) / 3600.0;
    (bytes / (site.down * 3600.0), others)
}

fn peak(site: &Site, got: &SiteRun) -> f64 {
    let hours = 0..got.hours.len();
    hours
        .map(|hour| used(site, got, hour))
        .map(|(own, others)| own + others)
        .fold(0.0, f64::max)
}

/// Why a site misses the deadline, or never ends.
fn late(plan: &Plan, site: &Site, got: &SiteRun, least: &SiteLimits) -> Option<String> {
    let deadline = plan.scenario.release.deadline.unwrap_or(f64::INFINITY);
    let size = plan.world.size;
    let each = || {
        site.hosts
            .iter()
            .zip(&got.ends)
            .filter(|(host, _)| host.first().is_finite())
    };
    let misses = |end: f64| end > deadline || end.is_infinite();
    let missing = each().filter(|(_, end)| misses(**end)).count();
    if missing == 0 {
        return None;
    }
    let reach = |host: &crate::planner::world::site::Host| {
        host.first() + host.lacks(size) / site.port(host)
    };
    let absent = each()
        .filter(|(host, end)| misses(**end) && reach(host) > deadline)
        .count();
    let line = least
        .terms
        .iter()
        .find(|(term, _)| *term == Term::Line)
        .map_or(0.0, |term| term.1);
    let why = if absent == missing {
        "switched on too late".to_owned()
    } else if line > deadline {
        format!(
            "{}: not possible before the deadline at all",
            got.limiter().name()
        )
    } else {
        got.limiter().name().to_owned()
    };
    Some(format!("{missing} of {} endpoints: {why}", each().count()))
}
