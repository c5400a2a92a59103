//! What to measure: parameters from the environment.

use std::path::PathBuf;
use std::str::FromStr;

use crate::result::Result;

/// Parameters of the laboratory.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Sites.
    pub(crate) sites: u32,
    /// Endpoints in each.
    pub(crate) nodes: u32,
    /// Bytes of the release; 0 for none.
    pub(crate) size: u64,
    /// Rate of a WAN link towards a site, in bits per second.
    pub(crate) wan_down: u64,
    /// The same towards the first site.
    pub(crate) slow_down: u64,
    /// Rate of a WAN link from a site, in bits per second.
    pub(crate) wan_up: u64,
    /// Rate of the origin's uplink, in bits per second.
    pub(crate) origin: u64,
    /// Endpoints of each site that are started later, and how many seconds after
    /// the others.
    pub(crate) late: (u32, f64),
    /// Whether two endpoints of each site are killed.
    pub(crate) kill: bool,
    /// Whether one endpoint alters what it serves.
    pub(crate) bad_peer: bool,
    /// Seconds for which the finished network is watched at rest; 0 for none.
    pub(crate) idle: u64,
    /// Draws the content and the moments of the kills.
    pub(crate) seed: u64,
    /// Repetitions.
    pub(crate) runs: u32,
    /// Where the document is saved.
    pub(crate) out: Option<PathBuf>,
    /// Log level of all nodes.
    pub(crate) log: String,
    /// Whether the folder with all nodes and logs stays.
    pub(crate) keep: bool,
    /// Most copies of the payload a site may receive, crash allowance apart.
    pub(crate) copies_max: Option<f64>,
    /// Latest moment of the last endpoint, in times T*.
    pub(crate) t_max: Option<f64>,
    /// Most resident memory of an endpoint at rest, in MiB.
    pub(crate) rss_max: Option<f64>,
    /// Most processor time of an endpoint at rest, in percent of one core.
    pub(crate) cpu_max: Option<f64>,
}

impl Plan {
    /// Reads the environment.
    pub(crate) fn from_env() -> Result<Self> {
        let mut plan = Self {
            sites: read("SITES", 4)?,
            nodes: read("NODES", 5)?,
            size: size("SIZE", "64MiB")?,
            wan_down: rate("WAN_DOWN", "20mbit")?,
            slow_down: 0,
            wan_up: rate("WAN_UP", "5mbit")?,
            origin: rate("ORIGIN", "100mbit")?,
            late: (read("LATE", 0)?, read("LATE_AT", 20.0)?),
            kill: read("KILL", 0u8)? != 0,
            bad_peer: read("BAD_PEER", 0u8)? != 0,
            idle: read("IDLE", 0)?,
            seed: read("SEED", 1)?,
            runs: read("RUNS", 1)?,
            out: text("OUT").map(PathBuf::from),
            log: text("LOG").unwrap_or_else(|| "warn".to_owned()),
            keep: read("KEEP", 0u8)? != 0,
            copies_max: limit("COPIES_MAX")?,
            t_max: limit("T_MAX")?,
            rss_max: limit("RSS_MAX")?,
            cpu_max: limit("CPU_MAX")?,
        };
        plan.slow_down = if text("SLOW").is_some() {
            rate("SLOW", "")?
        } else {
            plan.wan_down
        };
        if !(1..=40).contains(&plan.sites) || !(1..=200).contains(&plan.nodes) {
            return Err("SITES is 1 to 40 and NODES is 1 to 200".into());
        }
        if plan.kill && plan.nodes < 3 {
            return Err("KILL=1 needs NODES of 3 or more, so that one survives".into());
        }
        if plan.late.0 >= plan.nodes || !(0.0..=600.0).contains(&plan.late.1) {
            return Err("LATE is less than NODES, and LATE_AT 0 to 600".into());
        }
        if plan.size == 0 && (plan.kill || plan.bad_peer) {
            return Err("KILL and BAD_PEER need a SIZE".into());
        }
        Ok(plan)
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read<T: FromStr>(name: &str, default: T) -> Result<T> {
    let parse = |value: String| value.parse().map_err(|_| format!("{name}={value}?").into());
    text(name).map_or(Ok(default), parse)
}

fn limit(name: &str) -> Result<Option<f64>> {
    text(name).map(|_| read(name, 0.0)).transpose()
}

/// A rate such as `20mbit`, in bits per second.
fn rate(name: &str, default: &str) -> Result<u64> {
    let units = [
        ("kbit", 1_000),
        ("mbit", 1_000_000),
        ("gbit", 1_000_000_000),
    ];
    scaled(name, default, &units)
}

/// A size such as `64MiB`, in bytes.
fn size(name: &str, default: &str) -> Result<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    scaled(name, default, &units)
}

fn scaled(name: &str, default: &str, units: &[(&str, u64)]) -> Result<u64> {
    let value = text(name).unwrap_or_else(|| default.to_owned());
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((value.strip_suffix(unit)?, *factor)))
        .unwrap_or((&value, 1));
    let number = number.parse::<u64>().ok();
    let product = number.and_then(|number| number.checked_mul(factor));
    product.ok_or_else(|| format!("{name}={value} is not a number with one of {units:?}").into())
}
