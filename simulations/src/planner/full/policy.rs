//! The node's own policy with its engine: in all sites, or in some of each
//! class.

use crate::planner::bound::limits::Limits;
use crate::planner::fluid::policy::policy as flows;
use crate::planner::full::pilot::{Factor, factor, mean, stretch};
use crate::planner::full::site::SiteWorld;
use crate::planner::full::unit::Units;
use crate::planner::outcome::{PolicyRun, SiteRun};
use crate::planner::parallel::map;
use crate::planner::scenario::model::{Fidelity, Policy, Scenario};
use crate::planner::world::site::{Site, World};
use crate::planner::world::steps::Steps;

/// Connections over the line at one time: claims that a node may have.
const FLOWS: f64 = 4.0;

/// A world, and how it is to be run.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// What is asked.
    pub scenario: &'a Scenario,
    /// Its world.
    pub world: &'a World,
    /// Its bound.
    pub limits: &'a Limits,
    /// Threads.
    pub threads: usize,
    /// Hears of progress.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Runs the policy.
pub fn policy(setting: Setting<'_>, policy: &Policy) -> PolicyRun {
    let Setting {
        scenario,
        world,
        limits,
        threads,
        ..
    } = setting;
    let units = Units::new(world.size, scenario.unit);
    let (mut run, mut granted) = flows(world, policy, limits, &|_| 1.0, (threads, true));
    if !granted.sites.is_empty() {
        // The origin is short: sites must be granted for as long as the engine
        // needs, or the rest of its work would come from nowhere.
        let pilots = chosen(world, 1);
        let found = engine(setting, &units, &pilots, &granted.sites);
        let factors = by_class(scenario, world, &found, &run.sites);
        let time: Vec<f64> = factors.iter().map(|factors| mean(factors).0.time).collect();
        let slower = |at: usize| time[world.sites[at].class];
        (run, granted) = flows(world, policy, limits, &slower, (threads, true));
        // Stretched flows carry no more bytes, they only take longer.
        for (site, got) in world.sites.iter().zip(&mut run.sites) {
            let by = time[site.class];
            got.wan_down /= by;
            got.from_origin /= by;
            got.hours.iter_mut().for_each(|hour| *hour /= by);
        }
    }
    let all = scenario.fidelity == Fidelity::Full;
    let sites = if all {
        (0..world.sites.len()).collect()
    } else {
        chosen(world, scenario.per_class.max(1))
    };
    let found = engine(setting, &units, &sites, &granted.sites);
    if !all {
        let factors = by_class(scenario, world, &found, &run.sites);
        let means: Vec<(Factor, Factor)> = factors.iter().map(|each| mean(each)).collect();
        for (site, got) in world.sites.iter().zip(&mut run.sites) {
            stretch(site, got, means[site.class].0);
        }
        let widest =
            |part: fn(&Factor) -> f64| means.iter().map(|(_, half)| part(half)).fold(0.0, f64::max);
        run.spread = Some([widest(|f| f.time), widest(|f| f.bytes)]);
    }
    run.engine_sites = found.len();
    for (at, mut site) in found {
        site.held = run.sites[at].held;
        run.sites[at] = site;
    }
    run.fidelity = scenario.fidelity;
    run
}

/// Sites of each class, evenly taken.
fn chosen(world: &World, per_class: usize) -> Vec<usize> {
    let classes = world
        .sites
        .iter()
        .map(|site| site.class + 1)
        .max()
        .unwrap_or(0);
    let mut chosen = Vec::new();
    for class in 0..classes {
        let all: Vec<usize> = (0..world.sites.len())
            .filter(|at| world.sites[*at].class == class)
            .collect();
        let count = per_class.min(all.len());
        chosen.extend((0..count).map(|at| all[at * all.len() / count]));
    }
    chosen
}

fn by_class(
    scenario: &Scenario,
    world: &World,
    found: &[(usize, SiteRun)],
    flows: &[SiteRun],
) -> Vec<Vec<Factor>> {
    let mut factors = vec![Vec::new(); scenario.site_classes.len()];
    for (at, run) in found {
        let site = &world.sites[*at];
        factors[site.class].extend(factor(site, run, &flows[*at]));
    }
    factors
}

/// Runs some sites with the engine.
fn engine(
    setting: Setting<'_>,
    units: &Units,
    sites: &[usize],
    granted: &[Vec<(f64, f64)>],
) -> Vec<(usize, SiteRun)> {
    let world = setting.world;
    let count = std::sync::atomic::AtomicUsize::new(0);
    let runs = map(sites, setting.threads, |_, at| {
        let site = &world.sites[*at];
        let rate = line(site, granted.get(*at).map(Vec::as_slice));
        let mut engine = SiteWorld::new(site, units, &rate, world.seed);
        engine.run(world.horizon);
        let done = 1 + count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if done.is_multiple_of(100) || done == sites.len() {
            (setting.tell)(&format!("engine: {done} of {} sites", sites.len()));
        }
        engine.outcome()
    });
    sites.iter().copied().zip(runs).collect()
}

/// What a line gives to updates: what was granted, and where nothing was asked
/// for, no more than the last grant.
fn line(site: &Site, granted: Option<&[(f64, f64)]>) -> Steps {
    let most = FLOWS * site.flow;
    let mut moments = Vec::new();
    let mut add = |from: f64, to: f64, cap: f64| {
        let mut now = from;
        while now < to {
            moments.push((now, site.down_free.rate(now).min(cap)));
            now = site.down_free.change(now);
        }
    };
    let Some(granted) = granted else {
        add(0.0, f64::INFINITY, most);
        return Steps::new(&moments);
    };
    let mut last = most;
    for (at, (from, grant)) in granted.iter().enumerate() {
        let to = granted.get(at + 1).map_or(f64::INFINITY, |next| next.0);
        if *grant > 0.0 {
            last = grant.min(most);
        }
        add(*from, to, last);
    }
    Steps::new(&moments)
}
