//! From a scenario to its world.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::planner::problem::{Problem, nearest};
use crate::planner::scenario::model::{
    Cut, Endpoints, Limit, Release, Scenario, SiteClass, SiteRow, Target,
};
use crate::planner::world::chance::{Chance, number};
use crate::planner::world::presence::{Calendar, without};
use crate::planner::world::site::{Host, Site, World};
use crate::planner::world::steps::Steps;

/// Most endpoints of a world.
const HOSTS_MAX: usize = 5_000_000;
/// What is said of a site whose line never leaves updates anything.
pub const UNREACHABLE: &str = "cannot be reached";
/// Payload of one packet, for the rate of a connection under loss.
const SEGMENT: f64 = 1448.0;

/// What a line leaves, by what it depends on.
type Lines = BTreeMap<(usize, u64, u64, Option<usize>, i32, Vec<usize>), [Arc<Steps>; 3]>;

/// Builds the world of the first release; refuses sites that nothing can ever reach.
pub fn world(scenario: &Scenario, file: &str) -> Result<World, Problem> {
    world_of(scenario, file, 0)
}

/// The world in which one of the releases is the only one. Endpoints and the times at
/// which they are on are those of all the others.
pub fn world_of(scenario: &Scenario, file: &str, release: usize) -> Result<World, Problem> {
    let release = &scenario.releases[release];
    let rows = rows(scenario);
    distinct(&rows)?;
    targets(scenario, &rows)?;
    let mut lines = Lines::new();
    let mut sites = Vec::with_capacity(rows.len());
    let mut hosts = 0;
    for row in &rows {
        let site = site((scenario, release), row, &mut lines);
        let reach = site.down_free.passed(0.0, scenario.horizon);
        if reach <= 0.0 {
            let hint = "the limit, other traffic or a fault leaves updates nothing in the whole \
                        horizon: raise limit.share, or take the site out";
            let says = format!("site `{}` {UNREACHABLE}", row.id);
            return Err(row.said.problem(says, hint));
        }
        hosts += site.hosts.len();
        if hosts > HOSTS_MAX {
            let says = format!("more than {HOSTS_MAX} endpoints");
            return Err(Problem::new(
                file,
                says,
                "plan parts of the network one by one",
            ));
        }
        sites.push(site);
    }
    let uplink = scenario.payload(scenario.origin.uplink);
    let cuts = scenario
        .cuts
        .iter()
        .filter(|cut| cut.target == Target::Origin);
    let mut moments = vec![0.0];
    moments.extend(cuts.clone().flat_map(|cut| [cut.from, cut.to]));
    moments.sort_by(f64::total_cmp);
    let rate = |at: f64| {
        let cut = cuts.clone().any(|cut| cut.from <= at && at < cut.to);
        if cut { 0.0 } else { uplink }
    };
    let moments: Vec<_> = moments.iter().map(|at| (*at, rate(*at))).collect();
    let origin = Steps::new(&moments);
    if origin.passed(0.0, scenario.horizon) <= 0.0 {
        let hint = "a fault cuts it for the whole horizon: shorten it";
        return Err(Problem::new(
            file,
            format!("the origin {UNREACHABLE}"),
            hint,
        ));
    }
    Ok(World {
        size: release.size as f64,
        seed: scenario.seed,
        horizon: scenario.horizon,
        origin,
        taken: None,
        sites,
    })
}

/// All sites: those of the classes by number, then single ones.
fn rows(scenario: &Scenario) -> Vec<SiteRow> {
    let mut rows = Vec::new();
    for (at, class) in scenario.site_classes.iter().enumerate() {
        for number in 1..=class.count {
            rows.push(SiteRow {
                id: format!("{}-{number:04}", class.name),
                class: at,
                endpoints: None,
                line: class.line,
                background: class.background,
                utc_offset: class.utc_offset,
                said: class.said.clone(),
            });
        }
    }
    rows.extend(scenario.sites.iter().cloned());
    rows
}

/// Refuses two sites of one name.
fn distinct(rows: &[SiteRow]) -> Result<(), Problem> {
    let mut order: Vec<&SiteRow> = rows.iter().collect();
    // Stable: of two, the one that is said later comes second.
    order.sort_by(|a, b| a.id.cmp(&b.id));
    match order.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(pair) => {
            let says = format!("two sites are named `{}`", pair[1].id);
            let hint = "give one another id; sites of a class by `count` are named NAME-0001 on";
            Err(pair[1].said.problem(says, hint))
        }
        None => Ok(()),
    }
}

/// Refuses cuts of sites that do not exist.
fn targets(scenario: &Scenario, rows: &[SiteRow]) -> Result<(), Problem> {
    let mut known: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    known.extend(
        scenario
            .site_classes
            .iter()
            .map(|class| class.name.as_str()),
    );
    known.sort_unstable();
    let cut = scenario.cuts.iter().filter_map(|cut| match &cut.target {
        Target::Origin => None,
        Target::Sites(names) => Some((names, &cut.said)),
    });
    let off = scenario.outages.iter();
    let off = off.map(|outage| (&outage.sites, &outage.said));
    for (names, said) in cut.chain(off) {
        for name in names {
            if known.binary_search(&name.as_str()).is_err() {
                let near = nearest(name, &known);
                let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
                let says = format!("fault: no site or class is named `{name}`");
                return Err(said.problem(says, hint));
            }
        }
    }
    Ok(())
}

fn site((scenario, release): (&Scenario, &Release), row: &SiteRow, lines: &mut Lines) -> Site {
    let class = &scenario.site_classes[row.class];
    let entity = number(&row.id);
    let mut chance = Chance::new(scenario.seed, entity, 1);
    let count = row
        .endpoints
        .unwrap_or_else(|| draw(class.endpoints, &mut chance));
    let calendar = Calendar::new(scenario.start, row.utc_offset, scenario.horizon);
    let is_named = |names: &[String]| {
        let mut names = names.iter();
        names.any(|name| *name == row.id || *name == class.name)
    };
    let hits = |cut: &Cut| match &cut.target {
        Target::Origin => false,
        Target::Sites(names) => is_named(names),
    };
    let cuts: Vec<usize> = (0..scenario.cuts.len())
        .filter(|at| hits(&scenario.cuts[*at]))
        .collect();
    let (down, up) = (row.line.down.to_bits(), row.line.up.to_bits());
    let key = (
        row.class,
        down,
        up,
        row.background,
        row.utc_offset,
        cuts.clone(),
    );
    let [down_free, up_free, others] = lines
        .entry(key)
        .or_insert_with(|| line(scenario, class, row, (&calendar, &cuts)))
        .clone();
    let wireless = (f64::from(count) * class.lan.wifi_share).round() as u32;
    let make = |at| {
        let entity = entity ^ u64::from(at) << 40;
        let mut host = host((scenario, release), &calendar, entity, at < wireless);
        for outage in &scenario.outages {
            if count - at <= outage.endpoints && is_named(&outage.sites) {
                host.on = without(&host.on, outage.from, outage.to);
            }
        }
        host
    };
    let hosts = (0..count).map(make).collect();
    Site {
        id: row.id.clone(),
        class: row.class,
        down: scenario.payload(row.line.down),
        up: scenario.payload(row.line.up),
        down_free,
        up_free,
        others,
        earlier: None,
        tracked: scenario.releases.len() > 1,
        rtt: row.line.rtt,
        flow: flow(row.line.rtt, row.line.loss),
        price: row.line.price,
        quota: row.line.quota,
        overrun: row.line.overrun,
        nic: class.lan.nic / 8.0,
        fabric: class.lan.fabric / 8.0,
        wifi: class.lan.wifi / 8.0,
        parts: class.lan.parts,
        hosts,
    }
}

/// What one connection carries under loss (Mathis et al., CCR 27(3), 1997).
fn flow(rtt: f64, loss: f64) -> f64 {
    if rtt > 0.0 && loss > 0.0 {
        SEGMENT / rtt * 1.22 / loss.sqrt()
    } else {
        f64::INFINITY
    }
}

fn host(
    (scenario, release): (&Scenario, &Release),
    calendar: &Calendar,
    entity: u64,
    wireless: bool,
) -> Host {
    let mut chance = Chance::new(scenario.seed, entity, 2);
    let class = chance.pick(scenario.endpoint_classes.iter().map(|class| class.share));
    let version = chance.pick(release.versions.iter().map(|version| version.share));
    let ring = chance.pick(release.rings.iter().map(|ring| ring.share));
    Host {
        wireless,
        overlap: release.versions[version].overlap,
        ring: u16::try_from(ring).unwrap_or(u16::MAX),
        start: release.at + release.rings[ring].at,
        on: calendar.on(scenario.endpoint_classes[class].presence, &mut chance),
    }
}

/// Half of the sites are at or below the median.
fn draw(endpoints: Endpoints, chance: &mut Chance) -> u32 {
    let (min, median, max) = (
        f64::from(endpoints.min),
        f64::from(endpoints.median),
        f64::from(endpoints.max),
    );
    let at = chance.unit() * 2.0;
    let count = if at < 1.0 {
        min + (median - min) * at
    } else {
        median + (max - median) * (at - 1.0)
    };
    count.round().clamp(min, max) as u32
}

/// What a line leaves to updates, down and up, and what other traffic takes.
fn line(
    scenario: &Scenario,
    class: &SiteClass,
    row: &SiteRow,
    (calendar, cuts): (&Calendar, &[usize]),
) -> [Arc<Steps>; 3] {
    let profile = row.background.map(|at| &scenario.profiles[at]);
    let hours: Vec<(f64, bool, usize)> = calendar.hours().collect();
    let cuts: Vec<&Cut> = cuts.iter().map(|at| &scenario.cuts[*at]).collect();
    let mut moments: Vec<f64> = hours.iter().map(|(at, _, _)| *at).collect();
    moments.extend(cuts.iter().flat_map(|cut| [cut.from, cut.to]));
    moments.push(0.0);
    moments.sort_by(f64::total_cmp);
    moments.dedup();
    let others = |at: f64| {
        let index = hours
            .partition_point(|(start, _, _)| *start <= at)
            .saturating_sub(1);
        let (weekend, hour) = hours.get(index).map_or((false, 0), |(_, w, h)| (*w, *h));
        let taken = profile.map_or(0.0, |profile| {
            if weekend {
                profile.weekend
            } else {
                profile.weekday[hour]
            }
        });
        (taken, allowed(class.limit, hour))
    };
    let free = |rate: f64| {
        let moments: Vec<(f64, f64)> = moments
            .iter()
            .map(|at| {
                let (taken, share) = others(*at);
                let cut = cuts.iter().any(|cut| cut.from <= *at && *at < cut.to);
                let left = scenario.payload(rate) * share.min(1.0 - taken);
                (*at, if cut { 0.0 } else { left })
            })
            .collect();
        Arc::new(Steps::new(&moments))
    };
    let taken: Vec<(f64, f64)> = moments.iter().map(|at| (*at, others(*at).0)).collect();
    [
        free(row.line.down),
        free(row.line.up),
        Arc::new(Steps::new(&taken)),
    ]
}

/// Part of the line that updates may take in an hour.
fn allowed(limit: Limit, hour: usize) -> f64 {
    let inside = |hours: Option<(u32, u32)>| {
        hours.is_none_or(|(from, to)| {
            let (from, to) = (from as usize, to as usize);
            if from < to {
                (from..to).contains(&hour)
            } else {
                hour >= from || hour < to
            }
        })
    };
    match (inside(limit.window), inside(limit.hours)) {
        (false, _) => 0.0,
        (true, true) => limit.share,
        (true, false) => 1.0,
    }
}
