//! Memory and time of a plan before anything of it is built, and the refusal of what
//! is too large. All constants are measured (`simulations/README.md`, Speed).

use crate::planner::full::unit::Units;
use crate::planner::problem::Problem;
use crate::planner::report::text;
use crate::planner::scenario::model::{Fidelity, Kind, Presence, Scenario};

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;
/// Bytes of the program with nothing in it.
const PROGRAM: f64 = 12e6;
/// Bytes of an endpoint, and of each time that it is on.
const HOST: f64 = 110.0;
const SPAN: f64 = 75.0;
/// Bytes of an endpoint more where each fetches for itself.
const ALONE: f64 = 90.0;
/// Bytes of a site, and for each policy.
const SITE: f64 = 900.0;
const SITE_RUN: f64 = 700.0;
/// Bytes of a site more where the origin's uplink is shared in grants.
const GRANTED: f64 = 14_000.0;
/// Bytes of an endpoint in the engine, and of a unit there.
const ENGINE: f64 = 170e3;
const ENGINE_UNIT: f64 = 48.0;
/// Seconds of a processor for a unit that reaches an endpoint of a site of 50, and how
/// that grows with the site.
const MOVE: f64 = 9e-6;
const MOVE_GROWS: f64 = 0.6;
/// Seconds of a processor for an endpoint as a flow, and for a site in a grant.
const FLOW: f64 = 2e-6;
const GRANT: f64 = 1e-6;
/// Grants of a run.
const GRANTS: f64 = 512.0;

/// What a plan will take, about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Bytes of memory at most.
    pub bytes: f64,
    /// Seconds of processor time.
    pub secs: f64,
}

/// Seconds of a processor for a site of so many endpoints in the engine.
pub fn work(hosts: f64, units: f64) -> f64 {
    hosts * units * MOVE * (hosts / 50.0).powf(MOVE_GROWS)
}

/// What a scenario will take in a fidelity, on so many threads.
pub fn estimate(scenario: &Scenario, fidelity: Fidelity, threads: usize) -> Estimate {
    let kinds = kinds(scenario);
    let sites: f64 = kinds.iter().map(|kind| kind.sites).sum();
    let hosts: f64 = kinds.iter().map(|kind| kind.sites * kind.hosts).sum();
    let policies = scenario.policies.len() as f64;
    let has = |kind: Kind| scenario.policies.iter().any(|policy| policy.kind == kind);
    let alone = has(Kind::Direct) || has(Kind::Bittorrent);
    let spans = spans(scenario);
    let short = scenario.origin.uplink < kinds.iter().map(|kind| kind.sites * kind.line).sum();
    let hours = 8.0 * scenario.horizon.min(30.0 * DAY) / HOUR;
    let host = HOST + SPAN * spans + 8.0 * policies + if alone { ALONE } else { 0.0 };
    let granted = if short { GRANTED } else { 0.0 };
    let mut bytes = PROGRAM + hosts * host;
    bytes += sites * (SITE + granted + policies * (SITE_RUN + hours));
    let mut secs = hosts * (1.0 + spans) * policies * FLOW;
    if short {
        secs += GRANTS * sites * policies * GRANT;
    }
    if has(Kind::Patchmesh) && fidelity != Fidelity::Fluid {
        let engine = engine(scenario, fidelity, &kinds, threads);
        bytes += engine.bytes;
        secs += engine.secs;
    }
    Estimate { bytes, secs }
}

/// Sites that are alike.
#[derive(Debug, Clone, Copy)]
struct Alike {
    class: usize,
    sites: f64,
    /// Endpoints of one, on average and at most.
    hosts: f64,
    most: f64,
    /// Bits per second of its line.
    line: f64,
}

fn kinds(scenario: &Scenario) -> Vec<Alike> {
    let mean = |class: usize| {
        let all = scenario.site_classes[class].endpoints;
        // Half of the sites lie between the least and the median.
        (f64::from(all.min) + 2.0 * f64::from(all.median) + f64::from(all.max)) / 4.0
    };
    let classes = scenario.site_classes.iter().enumerate();
    let mut kinds: Vec<Alike> = classes
        .map(|(at, class)| Alike {
            class: at,
            sites: f64::from(class.count),
            hosts: mean(at),
            most: f64::from(class.endpoints.max),
            line: class.line.down,
        })
        .collect();
    kinds.extend(scenario.sites.iter().map(|row| {
        let hosts = row.endpoints.map_or_else(|| mean(row.class), f64::from);
        Alike {
            class: row.class,
            sites: 1.0,
            hosts,
            most: hosts,
            line: row.line.down,
        }
    }));
    kinds.retain(|kind| kind.sites > 0.0);
    kinds
}

/// Times that an endpoint is on in the horizon, on average.
fn spans(scenario: &Scenario) -> f64 {
    let days = scenario.horizon / DAY;
    let each = scenario.endpoint_classes.iter().map(|class| {
        let spans = match class.presence {
            Presence::Always => 1.0,
            Presence::OfficeDesktop => 1.0 + 0.05 * days,
            Presence::OfficeLaptop => (0.52 * days).max(1.0),
        };
        class.share * spans
    });
    each.sum()
}

/// What the engine adds: the largest sites at once, one for each thread.
fn engine(scenario: &Scenario, fidelity: Fidelity, kinds: &[Alike], threads: usize) -> Estimate {
    let mut left = vec![scenario.per_class.max(1) as f64; scenario.site_classes.len()];
    let mut runs: Vec<Alike> = Vec::new();
    for kind in kinds {
        let mut kind = *kind;
        if fidelity == Fidelity::Sampled {
            kind.sites = kind.sites.min(left[kind.class]);
            left[kind.class] -= kind.sites;
        }
        runs.push(kind);
    }
    let hosts: f64 = runs.iter().map(|kind| kind.sites * kind.hosts).sum();
    let sizes = scenario.releases.iter().map(|release| release.size as f64);
    let units = sizes.map(|size| Units::new(size, scenario.unit, hosts.ceil() as usize));
    let units: Vec<f64> = units.map(|units| f64::from(units.count())).collect();
    let most = units.iter().copied().fold(0.0, f64::max);
    runs.sort_by(|a, b| b.most.total_cmp(&a.most));
    let (mut free, mut at_once) = (threads.max(1) as f64, 0.0);
    for kind in &runs {
        let sites = kind.sites.min(free);
        at_once += sites * kind.most;
        free -= sites;
    }
    let each = |kind: &Alike| {
        units
            .iter()
            .map(|units| work(kind.hosts, *units))
            .sum::<f64>()
    };
    let secs = runs.iter().map(|kind| kind.sites * each(kind));
    Estimate {
        bytes: at_once * (ENGINE + ENGINE_UNIT * most),
        secs: secs.sum(),
    }
}

/// The estimate in words, or the refusal of a plan that takes more than `most` bytes,
/// which names a fidelity that fits.
pub fn admit(
    scenario: &Scenario,
    file: &str,
    threads: usize,
    most: f64,
) -> Result<String, Problem> {
    let all = estimate(scenario, scenario.fidelity, threads);
    let shown = |estimate: Estimate| text::bytes(estimate.bytes);
    if all.bytes <= most {
        return Ok(format!(
            "estimate: {} of memory, {} of processor time on {threads} threads",
            shown(all),
            text::time(all.secs)
        ));
    }
    let coarser = [Fidelity::Sampled, Fidelity::Fluid];
    let coarser = coarser
        .iter()
        .map(|way| (way, estimate(scenario, *way, threads)));
    let fits = coarser.into_iter().find(|(_, way)| way.bytes <= most);
    let hint = match fits {
        Some((way, needs)) => format!(
            "--fidelity {} takes about {}, or raise --max-memory",
            way.name(),
            shown(needs)
        ),
        None if threads > 1 => "no fidelity fits: raise --max-memory, lower --threads, or plan \
                                parts of the network one by one"
            .to_owned(),
        None => "no fidelity fits: raise --max-memory, or plan parts of the network one by one"
            .to_owned(),
    };
    let says = format!(
        "fidelity {} would take about {} of memory, more than {}",
        scenario.fidelity.name(),
        shown(all),
        text::bytes(most)
    );
    Err(Problem::new(file, says, hint))
}

/// Half of the memory of this machine, or of what its group of processes may take;
/// infinite where the system does not say.
pub fn half_of_memory() -> f64 {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let machine = total(&read("/proc/meminfo"));
    let group = read("/sys/fs/cgroup/memory.max").trim().parse().ok();
    let least = machine
        .into_iter()
        .chain(group)
        .fold(f64::INFINITY, f64::min);
    least / 2.0
}

/// Bytes of memory, from `meminfo` (proc(5)).
fn total(meminfo: &str) -> Option<f64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::scenario::parse::scenario;

    fn large() -> Scenario {
        let text = include_str!("../../scenarios/reference.toml");
        scenario("t.toml", text, &|_| Err(String::new())).unwrap()
    }

    #[test]
    fn what_is_too_large_is_refused_with_what_fits() {
        let mut large = large();
        let said = admit(&large, "t.toml", 2, 1e12).unwrap();
        assert!(said.contains("of memory"), "{said}");
        // Two sites of 1,200 in the engine; the flows of all are some tens of MB.
        let full = estimate(&large, Fidelity::Full, 2).bytes;
        assert!((3e8..6e8).contains(&full), "{full}");
        let refused = admit(&large, "t.toml", 2, 2e8).unwrap_err();
        assert!(refused.says.contains("full"), "{refused}");
        assert!(refused.hint.contains("--fidelity fluid"), "{refused}");
        large.site_classes.truncate(3);
        let mut most = estimate(&large, Fidelity::Sampled, 2).bytes;
        large.sites.clear();
        assert!(admit(&large, "t.toml", 2, most).is_ok());
        most = 1e6;
        let refused = admit(&large, "t.toml", 2, most).unwrap_err();
        assert!(refused.hint.contains("no fidelity fits"), "{refused}");
    }

    #[test]
    fn memory_of_the_machine_is_read() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:   2 kB\n"), Some(2048.0));
        assert_eq!(total("MemTotal: 2"), None);
        assert!(half_of_memory() > 1e6);
    }
}
