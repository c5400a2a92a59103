//! What came of a policy.

use crate::planner::scenario::model::{Fidelity, Kind};
use crate::planner::world::site::Site;

/// What holds a site up at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limiter {
    /// The line, as built.
    Line,
    /// What updates may take of the line.
    Share,
    /// Other traffic on the line.
    Others,
    /// Earlier releases on the line.
    Earlier,
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
    pub const ALL: [Self; 8] = [
        Self::Line,
        Self::Share,
        Self::Others,
        Self::Earlier,
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
            Self::Earlier => "an earlier release on the WAN line",
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
    pub held: [f64; 8],
    /// When the line was used and at what rate, where later releases need to know.
    pub track: Option<Track>,
}

/// Rates that each hold between two moments; they may lie over each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Track(pub Vec<(f64, f64, f64)>);

impl Track {
    /// Goes on with what came at one rate.
    pub fn add(&mut self, from: f64, to: f64, rate: f64) {
        if rate <= 0.0 || from >= to {
            return;
        }
        match self.0.last_mut() {
            Some((_, end, last))
                if (from - *end).abs() < 1e-9 && (rate - *last).abs() < 1e-6 * rate =>
            {
                *end = to;
            }
            _ => self.0.push((from, to, rate)),
        }
    }
}

impl SiteRun {
    /// Nothing yet, of a site.
    pub fn of(site: &Site) -> Self {
        Self {
            track: site.tracked.then(Track::default),
            ..Self::default()
        }
    }

    /// What held it up most.
    pub fn limiter(&self) -> Limiter {
        let longest = self.held.iter().zip(Limiter::ALL);
        let longest = longest.max_by(|a, b| a.0.total_cmp(b.0).then(b.1.cmp(&a.1)));
        longest.map_or(Limiter::Line, |(_, limiter)| limiter)
    }

    /// Scales the rates at which bytes came; their sum is left to the caller.
    pub fn scale(&mut self, by: f64) {
        self.hours.iter_mut().for_each(|hour| *hour *= by);
        let track = self.track.iter_mut().flat_map(|track| &mut track.0);
        track.for_each(|(_, _, rate)| *rate *= by);
    }

    /// Notes bytes that came at one rate between two moments.
    pub fn note(&mut self, from: f64, to: f64, rate: f64) {
        self.wan_down += rate * (to - from);
        if let Some(track) = &mut self.track {
            track.add(from, to, rate);
        }
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

impl PolicyRun {
    /// Takes that of a later release in, but for the ends.
    pub fn join(&mut self, later: &Self) {
        self.engine_sites = self.engine_sites.max(later.engine_sites);
        self.spread = self.spread.zip(later.spread).map(|(a, b)| widest(a, b));
        if let (Some(grain), Some(later)) = (&mut self.grain, &later.grain) {
            grain.unit = grain.unit.max(later.unit);
            [grain.time, grain.bytes] =
                widest([grain.time, grain.bytes], [later.time, later.bytes]);
        }
        for (site, later) in self.sites.iter_mut().zip(&later.sites) {
            site.join(later);
        }
    }
}

fn widest(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].max(b[0]), a[1].max(b[1])]
}

impl SiteRun {
    fn join(&mut self, later: &Self) {
        self.wan_down += later.wan_down;
        self.wan_up += later.wan_up;
        self.from_origin += later.from_origin;
        self.lan += later.lan;
        if self.hours.len() < later.hours.len() {
            self.hours.resize(later.hours.len(), 0.0);
        }
        for (hour, later) in self.hours.iter_mut().zip(&later.hours) {
            *hour += later;
        }
        for (held, later) in self.held.iter_mut().zip(later.held) {
            *held += later;
        }
    }
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
