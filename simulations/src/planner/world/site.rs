//! One site of a world. Rates are bytes per second, times seconds since the
//! start.

use std::sync::Arc;

use crate::planner::world::steps::Steps;

/// One endpoint.
#[derive(Debug, Clone)]
pub struct Host {
    /// Whether it has no cable.
    pub wireless: bool,
    /// Part of the release that it holds.
    pub overlap: f64,
    /// Its ring.
    pub ring: u16,
    /// When its ring begins.
    pub start: f64,
    /// When it is on; ascending, apart from each other.
    pub on: Box<[(f64, f64)]>,
}

impl Host {
    /// When it is on and wants the release.
    pub fn spans(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let start = self.start;
        let spans = self.on.iter().map(move |(from, to)| (from.max(start), *to));
        spans.filter(|(from, to)| from < to)
    }

    /// When it can begin; infinite for never.
    pub fn first(&self) -> f64 {
        self.spans().next().map_or(f64::INFINITY, |(from, _)| from)
    }

    /// Bytes that it lacks.
    pub fn lacks(&self, size: f64) -> f64 {
        size * (1.0 - self.overlap)
    }
}

/// One site.
#[derive(Debug, Clone)]
pub struct Site {
    /// Name.
    pub id: String,
    /// Index of its class.
    pub class: usize,
    /// The line, as built.
    pub down: f64,
    /// The line, as built.
    pub up: f64,
    /// What updates may take of the line towards the site.
    pub down_free: Arc<Steps>,
    /// What updates may take of the line away from it.
    pub up_free: Arc<Steps>,
    /// Part of the line that other traffic takes.
    pub others: Arc<Steps>,
    /// What earlier releases take of the line; it is not in `down_free`.
    pub earlier: Option<Steps>,
    /// Whether runs are to remember when the line was used.
    pub tracked: bool,
    /// Round trip.
    pub rtt: f64,
    /// What one connection carries at most, by loss and round trip.
    pub flow: f64,
    /// Per 10^9 bytes.
    pub price: Option<f64>,
    /// Bytes that updates may take in a month.
    pub quota: Option<u64>,
    /// Per 10^9 bytes above the quota.
    pub overrun: Option<f64>,
    /// Each port.
    pub nic: f64,
    /// All ports together.
    pub fabric: f64,
    /// The wireless medium.
    pub wifi: f64,
    /// Parts that cannot reach each other.
    pub parts: u32,
    /// Its endpoints.
    pub hosts: Vec<Host>,
}

impl Site {
    /// Whether earlier releases use the line at a moment.
    pub fn earlier_takes(&self, at: f64) -> bool {
        self.earlier
            .as_ref()
            .is_some_and(|taken| taken.rate(at) > 0.0)
    }

    /// What an endpoint takes at most.
    pub fn port(&self, host: &Host) -> f64 {
        if host.wireless {
            self.nic.min(self.wifi)
        } else {
            self.nic
        }
    }

    /// Endpoints that are on at some time in the horizon.
    pub fn present(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.first().is_finite())
    }

    /// Bytes that no endpoint of the site holds.
    pub fn lacks(&self, size: f64) -> f64 {
        let overlaps = self.present().map(|host| host.overlap);
        size * (1.0 - overlaps.fold(0.0, f64::max))
    }

    /// Parts that need a copy of their own: those of endpoints that are on at some time.
    pub fn copies(&self) -> f64 {
        if self.parts < 2 {
            return 1.0;
        }
        let each = (1..).zip(&self.hosts);
        let there = each.filter(|(_, host)| host.first().is_finite());
        let mut parts: Vec<u32> = there.map(|(node, _)| node % self.parts).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.len().max(1) as f64
    }
}

/// All of it.
#[derive(Debug, Clone)]
pub struct World {
    /// Wire bytes of the release.
    pub size: f64,
    /// Where all chance comes from.
    pub seed: u64,
    /// Seconds that are looked at.
    pub horizon: f64,
    /// What the origin sends at most.
    pub origin: Steps,
    /// What earlier releases take of what there is for all sites.
    pub taken: Option<Steps>,
    /// The sites.
    pub sites: Vec<Site>,
}

impl World {
    /// Endpoints in all sites.
    pub fn hosts(&self) -> usize {
        self.sites.iter().map(|site| site.hosts.len()).sum()
    }
}
