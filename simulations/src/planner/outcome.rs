//! What came of a policy.

use crate::planner::scenario::model::{Fidelity, Kind};

/// What holds a site up at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limiter {
    /// The line, as built.
    Line,
    /// What updates may take of the line.
    Share,
    /// Other traffic on the line.
    Others,
    /// The origin's uplink, or what the swarm gives.
    Origin,
    /// The wireless medium.
    Air,
    /// Ports, fabric or the server inside the site.
    Lan,
    /// Nobody who wants it is on.
    Off,
}

impl Limiter {
    /// All of them, in the order of [`SiteRun::held`].
    pub const ALL: [Self; 7] = [
        Self::Line,
        Self::Share,
        Self::Others,
        Self::Origin,
        Self::Air,
        Self::Lan,
        Self::Off,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "WAN line",
            Self::Share => "update limit on the WAN line",
            Self::Others => "other traffic on the WAN line",
            Self::Origin => "origin uplink",
            Self::Air => "Wi-Fi airtime",
            Self::Lan => "LAN port, fabric or server",
            Self::Off => "no endpoint switched on",
        }
    }
}

/// What came of one site.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SiteRun {
    /// Bytes towards the site.
    pub wan_down: f64,
    /// Bytes away from it.
    pub wan_up: f64,
    /// Part of `wan_down` that the origin sent.
    pub from_origin: f64,
    /// Bytes between its endpoints, or from its server.
    pub lan: f64,
    /// When each endpoint had everything; infinite for never.
    pub ends: Vec<f64>,
    /// Bytes towards the site in each hour.
    pub hours: Vec<f64>,
    /// Seconds that each limiter held it up.
    pub held: [f64; 7],
}

impl SiteRun {
    /// What held it up most.
    pub fn limiter(&self) -> Limiter {
        let longest = self.held.iter().zip(Limiter::ALL);
        let longest = longest.max_by(|a, b| a.0.total_cmp(b.0).then(b.1.cmp(&a.1)));
        longest.map_or(Limiter::Line, |(_, limiter)| limiter)
    }

    /// Notes bytes that came at one rate between two moments.
    pub fn note(&mut self, from: f64, to: f64, rate: f64) {
        self.wan_down += rate * (to - from);
        let mut now = from;
        while now < to {
            let hour = (now / 3600.0) as usize;
            let end = ((hour + 1) as f64 * 3600.0).min(to);
            if self.hours.len() <= hour {
                self.hours.resize(hour + 1, 0.0);
            }
            self.hours[hour] += rate * (end - now);
            // Guards against a step too small for the clock.
            now = if end > now { end } else { to };
        }
    }
}

/// What came of one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRun {
    /// Name in reports.
    pub label: String,
    /// What it does.
    pub kind: Kind,
    /// How exactly it was computed.
    pub fidelity: Fidelity,
    /// Sites that the engine ran in.
    pub engine_sites: usize,
    /// Half of the 95 % interval of time and of bytes, where sites were sampled.
    pub spread: Option<[f64; 2]>,
    /// What the engine's unit added and was taken out.
    pub grain: Option<Grain>,
    /// All sites, in the order of the world.
    pub sites: Vec<SiteRun>,
}

/// The unit that the engine moved, and what it would have added: the most of any
/// site, as parts of the corrected figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grain {
    /// Bytes of a unit.
    pub unit: f64,
    /// To the last end of a site.
    pub time: f64,
    /// To its WAN bytes.
    pub bytes: f64,
}
