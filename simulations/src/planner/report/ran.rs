//! `run.json`: what ran, how long, and how much memory it took. Apart from
//! `result.json`, which is the same on any machine.

use patchmesh_content::id::{blake3, hex};
use serde::{Deserialize, Serialize};

use crate::planner::estimate::estimate;
use crate::planner::run::Plan;

/// Version of the schema of `run.json`.
pub const SCHEMA: &str = "patchmesh.run/1";

/// Linux counts processor time for programs in hundredths of a second.
const TICKS_PER_SEC: f64 = 100.0;

/// A run of the planner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// BLAKE3 of the text of the scenario; tables that it names are not in it.
    pub scenario_blake3: String,
    /// Seed of the world.
    pub seed: u64,
    /// How exactly it was computed.
    pub fidelity: String,
    /// Threads that were used at most.
    pub threads: usize,
    /// Sites.
    pub sites: usize,
    /// Endpoints.
    pub endpoints: usize,
    /// Seconds since the start of the program; none where the system does not say.
    pub wall_secs: Option<f64>,
    /// Seconds of processor time; none where the system does not say.
    pub processor_secs: Option<f64>,
    /// Memory that was estimated before the run, in bytes.
    pub estimated_bytes: f64,
    /// Most memory that was resident, in bytes; none where the system does not say.
    pub peak_rss_bytes: Option<u64>,
}

impl Ran {
    /// The run of this program up to now; `scenario` is the text that was read.
    pub fn now(plan: &Plan, scenario: &str, threads: usize) -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let times = times(&read("/proc/self/stat"), &read("/proc/uptime"));
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario_blake3: hex(&blake3(scenario.as_bytes())),
            seed: plan.scenario.seed,
            fidelity: plan.scenario.fidelity.name().to_owned(),
            threads,
            sites: plan.world.sites.len(),
            endpoints: plan.world.hosts(),
            wall_secs: times.map(|(wall, _)| wall),
            processor_secs: times.map(|(_, processor)| processor),
            estimated_bytes: estimate(&plan.scenario, plan.scenario.fidelity, threads).bytes,
            peak_rss_bytes: peak(&read("/proc/self/status")),
        }
    }
}

/// Seconds since the start of a process and of processor time, from its `stat` and
/// the system's `uptime` (proc(5)).
fn times(stat: &str, uptime: &str) -> Option<(f64, f64)> {
    // The name, which may hold anything, ends with the last parenthesis; field 3 is next.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let secs = |field: usize| Some(fields.get(field - 3)?.parse::<f64>().ok()? / TICKS_PER_SEC);
    let up: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(((up - secs(22)?).max(0.0), secs(14)? + secs(15)?))
}

/// Most resident memory in bytes, from a process's `status`.
fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_memory_are_read_and_what_is_missing_is_not_invented() {
        let before = "0 ".repeat(10);
        let stat = format!("7 (a ) b) S {before}250 50 0 0 20 0 3 0 90000 0 0");
        assert_eq!(times(&stat, "1000.50 1.0"), Some((100.5, 3.0)));
        assert_eq!(times("7 (cut", "1.0"), None);
        assert_eq!(times(&stat, ""), None);
        assert_eq!(peak("VmPeak:\t9 kB\nVmHWM:\t   32 kB\n"), Some(32_768));
        assert_eq!(peak("VmHWM:\t99999999999999999999 kB"), None);
        assert_eq!(peak(""), None);
    }
}
