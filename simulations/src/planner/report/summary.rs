//! The figures of a plan, as they go into every kind of report.

use serde::{Deserialize, Serialize};

use crate::planner::bound::limits::{Limits, SiteLimits, Term};
use crate::planner::outcome::{PolicyRun, SiteRun};
use crate::planner::report::quota::above;
use crate::planner::run::{Entry, Plan};
use crate::planner::scenario::model::Release;
use crate::planner::world::site::{Site, World};

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
    /// Its release; names of several with ` + ` between them.
    pub release: String,
    /// Wire bytes of all releases.
    pub size: u64,
    /// Sites.
    pub sites: usize,
    /// Endpoints that are on at some time.
    pub endpoints: usize,
    /// Endpoints that never are.
    pub absent: usize,
    /// When it must be done; the latest of several releases.
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
    /// Part of present endpoints that were done at the deadline; of several releases, of
    /// all endpoints of each that has one.
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
    /// Each of several releases; empty for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseSummary>,
}

/// One of several releases under one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// Name.
    pub release: String,
    /// Wire bytes.
    pub size: u64,
    /// When it is out.
    pub at: f64,
    /// When it must be done.
    pub deadline: Option<f64>,
    /// Its figures; T* and what is possible are those after the releases before it.
    pub figures: PolicySummary,
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

/// What the figures of one release come from.
#[derive(Clone, Copy)]
struct View<'a> {
    plan: &'a Plan,
    world: &'a World,
    limits: &'a Limits,
    run: &'a PolicyRun,
    due: Option<f64>,
}

/// Figures of a plan.
pub fn summary(plan: &Plan) -> Summary {
    let world = &plan.world;
    let releases = &plan.scenario.releases;
    let names: Vec<&str> = releases
        .iter()
        .map(|release| release.name.as_str())
        .collect();
    let policies = plan.entries.iter().map(|entry| policy(plan, entry));
    let mut policies: Vec<PolicySummary> = policies.collect();
    possible(&mut policies.iter_mut().collect::<Vec<_>>());
    for at in 0..releases.len() {
        let of_one = policies.iter_mut();
        let of_one = of_one.filter_map(|policy| policy.releases.get_mut(at));
        possible(
            &mut of_one
                .map(|release| &mut release.figures)
                .collect::<Vec<_>>(),
        );
    }
    let all = plan.entries.first();
    let present: usize = match all {
        Some(all) if !all.stages.is_empty() => (0..world.sites.len())
            .map(|site| ends_of(all, site).count())
            .sum(),
        _ => world.sites.iter().map(|site| site.present().count()).sum(),
    };
    Summary {
        schema: SCHEMA.to_owned(),
        scenario: plan.scenario.name.clone(),
        seed: plan.scenario.seed,
        release: names.join(" + "),
        size: releases.iter().map(|release| release.size).sum(),
        sites: world.sites.len(),
        endpoints: present,
        absent: world.hosts() - present,
        deadline: latest(releases.iter().map(Release::due)),
        currency: plan.scenario.currency.clone(),
        notes: crate::planner::report::notes::notes(plan),
        policies,
    }
}

/// The latest of those that there are.
fn latest(times: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    times.flatten().reduce(f64::max)
}

/// Tells each policy the earliest end that any of them could reach.
fn possible(policies: &mut [&mut PolicySummary]) {
    let ends = policies.iter().map(|policy| policy.bound);
    let first = ends.fold(f64::INFINITY, f64::min);
    for policy in policies {
        policy.possible = first;
    }
}

fn policy(plan: &Plan, entry: &Entry) -> PolicySummary {
    let releases = &plan.scenario.releases;
    let view = View {
        plan,
        world: &plan.world,
        limits: &entry.limits,
        run: &entry.run,
        due: releases[0].due(),
    };
    if entry.stages.is_empty() {
        return figures(view);
    }
    let each = entry.stages.iter().zip(releases).map(|(stage, release)| {
        let view = View {
            world: &stage.world,
            limits: &stage.limits,
            run: &stage.run,
            due: release.due(),
            ..view
        };
        ReleaseSummary {
            release: release.name.clone(),
            size: release.size,
            at: release.at,
            deadline: release.due(),
            figures: figures(view),
        }
    });
    together(view, entry, each.collect())
}

/// All releases of a policy as one.
fn together(view: View<'_>, entry: &Entry, each: Vec<ReleaseSummary>) -> PolicySummary {
    let all = || each.iter().map(|release| &release.figures);
    let by_site: Vec<SiteSummary> = (0..view.world.sites.len())
        .map(|at| site_together(view, entry, at, &each))
        .collect();
    let mut ends: Vec<f64> = (0..view.world.sites.len())
        .flat_map(|site| ends_of(entry, site))
        .collect();
    let mut total = totals(view, by_site, &mut ends);
    total.bound = all().map(|figures| figures.bound).fold(0.0, f64::max);
    // Of all that had to be done by a deadline.
    let timed = || all().filter(|figures| figures.on_time.is_some());
    let ends = |figures: &PolicySummary| -> f64 {
        figures
            .by_site
            .iter()
            .map(|site| site.endpoints as f64)
            .sum()
    };
    let due: f64 = timed().map(ends).sum();
    let done = timed().map(|figures| figures.on_time.unwrap_or(0.0) * ends(figures));
    total.on_time = (due > 0.0).then(|| done.sum::<f64>() / due);
    total.releases = each;
    total
}

/// When each endpoint of a site had the last release that it is there for.
fn ends_of(entry: &Entry, site: usize) -> impl Iterator<Item = f64> + '_ {
    let ends = entry.run.sites[site].ends.iter().enumerate();
    let there = move |host: usize| {
        let mut stages = entry.stages.iter();
        stages.any(|stage| stage.world.sites[site].hosts[host].first().is_finite())
    };
    ends.filter(move |(host, _)| there(*host))
        .map(|(_, end)| *end)
}

fn site_together(view: View<'_>, entry: &Entry, at: usize, each: &[ReleaseSummary]) -> SiteSummary {
    let all = || each.iter().map(|release| &release.figures.by_site[at]);
    let mut ends: Vec<f64> = ends_of(entry, at).collect();
    ends.sort_by(f64::total_cmp);
    let minimum: f64 = all().map(|site| site.wan_minimum).sum();
    let got = &view.run.sites[at];
    let late = each.iter().filter_map(|release| {
        let late = release.figures.by_site[at].late.as_ref()?;
        Some(format!("{}: {late}", release.release))
    });
    let late: Vec<String> = late.collect();
    SiteSummary {
        endpoints: ends.len(),
        wan_down: got.wan_down,
        wan_minimum: minimum,
        copies: ratio(got.wan_down, minimum),
        half: quantile(&ends, 0.5),
        last: quantile(&ends, 1.0),
        bound: all().map(|site| site.bound).fold(0.0, f64::max),
        peak: peak(&view.world.sites[at], got),
        limiter: got.limiter().name().to_owned(),
        late: (!late.is_empty()).then(|| late.join("; ")),
        over_quota: above(&view.world.sites[at], got),
        ..each[0].figures.by_site[at].clone()
    }
}

fn figures(view: View<'_>) -> PolicySummary {
    let View {
        world, limits, run, ..
    } = view;
    let each = world.sites.iter().zip(&run.sites).zip(&limits.sites);
    let by_site: Vec<SiteSummary> = each
        .map(|((site, got), least)| site_summary(view, site, got, least))
        .collect();
    let mut ends: Vec<f64> = Vec::new();
    for (site, got) in world.sites.iter().zip(&run.sites) {
        let all = site.hosts.iter().zip(&got.ends);
        let there = all.filter(|(host, _)| host.first().is_finite());
        ends.extend(there.map(|(_, end)| *end));
    }
    let mut figures = totals(view, by_site, &mut ends);
    let early = |at: f64| ends.partition_point(|end| *end <= at) as f64;
    figures.on_time = view.due.map(|at| early(at) / ends.len().max(1) as f64);
    figures
}

/// Sums and times of a run; sorts the ends.
fn totals(view: View<'_>, by_site: Vec<SiteSummary>, ends: &mut [f64]) -> PolicySummary {
    let View { limits, run, .. } = view;
    ends.sort_by(f64::total_cmp);
    let total = |part: fn(&SiteRun) -> f64| run.sites.iter().map(part).sum::<f64>();
    let live = || by_site.iter().filter(|site| site.endpoints > 0);
    let copies: f64 = live().map(|site| site.copies).sum::<f64>() / live().count().max(1) as f64;
    let most = live().map(|site| site.copies).fold(0.0, f64::max);
    let (cost, cost_note) = crate::planner::report::cost::cost(view.plan, run);
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
        done: [0.5, 0.9, 0.95, 1.0].map(|part| quantile(ends, part)),
        bound: limits.end(),
        possible: limits.end(),
        on_time: None,
        never: ends.iter().filter(|end| end.is_infinite()).count(),
        late_sites: by_site.iter().filter(|site| site.late.is_some()).count(),
        cost,
        cost_note,
        over_quota: by_site.iter().filter(|site| site.over_quota > 0.0).count(),
        over_quota_bytes: by_site.iter().map(|site| site.over_quota).sum(),
        curve: (0..=CURVE)
            .map(|at| quantile(ends, at as f64 / CURVE as f64))
            .collect(),
        by_site,
        releases: Vec::new(),
    }
}

fn ratio(bytes: f64, minimum: f64) -> f64 {
    if minimum > 0.0 { bytes / minimum } else { 0.0 }
}

/// The time at which a part of sorted ends was reached.
fn quantile(ends: &[f64], part: f64) -> Option<f64> {
    let at = ((ends.len() as f64 * part).ceil() as usize).saturating_sub(1);
    ends.get(at).copied().filter(|end| end.is_finite())
}

fn site_summary(view: View<'_>, site: &Site, got: &SiteRun, least: &SiteLimits) -> SiteSummary {
    let all = site.hosts.iter().zip(&got.ends);
    let present = all.filter(|(host, _)| host.first().is_finite());
    let mut ends: Vec<f64> = present.map(|(_, end)| *end).collect();
    ends.sort_by(f64::total_cmp);
    let shared = site.copies() * site.lacks(view.world.size);
    let minimum = if ends.is_empty() { 0.0 } else { shared };
    SiteSummary {
        site: site.id.clone(),
        class: view.plan.scenario.site_classes[site.class].name.clone(),
        endpoints: ends.len(),
        wan_down: got.wan_down,
        wan_minimum: minimum,
        copies: ratio(got.wan_down, minimum),
        half: quantile(&ends, 0.5),
        last: quantile(&ends, 1.0),
        bound: if ends.is_empty() { 0.0 } else { least.end() },
        peak: peak(site, got),
        limiter: got.limiter().name().to_owned(),
        late: late(view, site, got, least),
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
fn late(view: View<'_>, site: &Site, got: &SiteRun, least: &SiteLimits) -> Option<String> {
    let deadline = view.due.unwrap_or(f64::INFINITY);
    let size = view.world.size;
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
