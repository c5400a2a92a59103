//! The node's own policy with its engine: in all sites, or in some of each
//! class.

use crate::planner::bound::limits::Limits;
use crate::planner::estimate::work as of_site;
use crate::planner::fluid::policy::policy as flows;
use crate::planner::full::grain::{COARSER, Kept, Trial, learn, refine};
use crate::planner::full::pilot::{Factor, factor, mean, stretch};
use crate::planner::full::site::SiteWorld;
use crate::planner::full::unit::Units;
use crate::planner::outcome::{Grain, PolicyRun, SiteRun};
use crate::planner::parallel::map;
use crate::planner::progress::bar;
use crate::planner::report::text::time;
use crate::planner::scenario::model::{Fidelity, Policy, Scenario};
use crate::planner::world::site::{Site, World};
use crate::planner::world::steps::Steps;

/// Connections over the line at one time: claims that a node may have.
const FLOWS: f64 = 4.0;
/// Sites of each class that also run in a coarser unit.
const TRIALS: usize = 3;

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
    let all = scenario.fidelity == Fidelity::Full;
    let sites = if all {
        (0..world.sites.len()).collect()
    } else {
        chosen(world, scenario.per_class.max(1))
    };
    let endpoints = sites.iter().map(|at| world.sites[*at].hosts.len()).sum();
    let units = Units::new(world.size, scenario.unit, endpoints);
    (setting.tell)(&expected(world, &sites, &units, threads));
    let (mut run, mut granted) = flows(world, policy, limits, &|_| 1.0, (threads, true));
    if !granted.sites.is_empty() {
        // The origin is short: sites must be granted for as long as the engine
        // needs, or the rest of its work would come from nowhere.
        let pilots = chosen(world, 1);
        let mut found = engine(setting, &units, &pilots, &granted.sites);
        refine_all(setting, &units, (&mut found, &run.sites), &granted.sites);
        let factors = by_class(scenario, world, &found, &run.sites);
        let time: Vec<f64> = factors.iter().map(|factors| mean(factors).0.time).collect();
        let slower = |at: usize| time[world.sites[at].class];
        (run, granted) = flows(world, policy, limits, &slower, (threads, true));
        // Stretched flows carry no more bytes, they only take longer.
        for (site, got) in world.sites.iter().zip(&mut run.sites) {
            let by = time[site.class];
            got.wan_down /= by;
            got.from_origin /= by;
            got.scale(1.0 / by);
        }
    }
    let mut found = engine(setting, &units, &sites, &granted.sites);
    run.grain = refine_all(setting, &units, (&mut found, &run.sites), &granted.sites);
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

/// What a run will take, by what others took (`simulations/README.md`, Speed).
fn expected(world: &World, sites: &[usize], units: &Units, threads: usize) -> String {
    let each = sites.iter().map(|at| world.sites[*at].hosts.len() as f64);
    let (moves, work) = each.fold((0.0, 0.0), |(moves, work), hosts| {
        let units = f64::from(units.count());
        (moves + hosts * units, work + of_site(hosts, units))
    });
    format!(
        "engine: {:.0} units to {} sites, about {} of work for each of {threads} threads",
        moves,
        sites.len(),
        time(work / threads.max(1) as f64)
    )
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

/// Takes out of some sites what the unit added, by the figures of a few of each
/// class in a coarser one.
fn refine_all(
    setting: Setting<'_>,
    units: &Units,
    (found, flows): (&mut [(usize, SiteRun)], &[SiteRun]),
    granted: &[Vec<(f64, f64)>],
) -> Option<Grain> {
    let world = setting.world;
    if units.slow <= 1.0 {
        return None;
    }
    let trials: Vec<(usize, usize)> = trials(setting, found);
    let sites: Vec<usize> = trials.iter().map(|(_, at)| *at).collect();
    let coarser = units.coarser(world.size, COARSER);
    let coarse = engine(setting, &coarser, &sites, granted);
    let kept: Vec<Kept> = (0..setting.scenario.site_classes.len())
        .map(|class| {
            let of_class = trials.iter().zip(&coarse);
            let of_class = of_class.filter(|((_, at), _)| world.sites[*at].class == class);
            let each = of_class.map(|((place, at), (_, coarse))| Trial {
                site: &world.sites[*at],
                fine: &found[*place].1,
                coarse,
                flow: &flows[*at],
            });
            learn(&each.collect::<Vec<_>>(), units.slow)
        })
        .collect();
    let mut grain = Grain {
        unit: units.bytes,
        time: 0.0,
        bytes: 0.0,
    };
    for (at, run) in found {
        let site = &world.sites[*at];
        let [time, bytes] = refine(site, run, &flows[*at], kept[site.class]);
        grain.time = grain.time.max(time);
        grain.bytes = grain.bytes.max(bytes);
    }
    Some(grain)
}

/// A few of the sites that ran, of each class: their places among those, and in
/// the world.
fn trials(setting: Setting<'_>, found: &[(usize, SiteRun)]) -> Vec<(usize, usize)> {
    let mut left = vec![TRIALS; setting.scenario.site_classes.len()];
    let mut trials = Vec::new();
    for (place, (at, _)) in found.iter().enumerate() {
        let left = &mut left[setting.world.sites[*at].class];
        if *left > 0 {
            *left -= 1;
            trials.push((place, *at));
        }
    }
    trials
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
        if let Some(bar) = bar(done, sites.len()) {
            (setting.tell)(&bar);
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
