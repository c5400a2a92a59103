//! What the kernel says of a process, and of the machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Processor time and memory of one process.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Usage {
    /// Processor time since its start, in seconds; 10 ms steps.
    pub(crate) cpu_secs: f64,
    /// Resident memory now, in bytes.
    pub(crate) rss: u64,
    /// Part of it that is not pages of the program file, in bytes.
    pub(crate) own: u64,
    /// Most resident memory since its start, in bytes.
    pub(crate) rss_peak: u64,
}

/// Usage of a process; nothing if it is gone.
pub(crate) fn usage(id: u32) -> Option<Usage> {
    let folder = PathBuf::from(format!("/proc/{id}"));
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let status = fs::read_to_string(folder.join("status")).ok()?;
    // The name in brackets may hold spaces; user and system time follow it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    let kib = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Some(Usage {
        // The kernel gives times to programs in 1/100 s on every platform.
        cpu_secs: f64::from(ticks(11)? + ticks(12)?) / 100.0,
        rss: kib("VmRSS:")? * 1024,
        own: kib("RssAnon:")? * 1024,
        rss_peak: kib("VmHWM:")? * 1024,
    })
}

/// Load average of the last minute.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|load| load.parse().ok());
    first.unwrap_or_default()
}

/// The commit that is measured, with a mark if files differ from it.
pub(crate) fn commit() -> String {
    let mut command = Command::new("git");
    command.args(["describe", "--always", "--dirty", "--abbrev=12"]);
    let output = command.output().map(|output| output.stdout);
    String::from_utf8_lossy(&output.unwrap_or_default())
        .trim()
        .to_owned()
}

/// Congestion control of new connections.
pub(crate) fn congestion_control() -> String {
    let path = "/proc/sys/net/ipv4/tcp_congestion_control";
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}
