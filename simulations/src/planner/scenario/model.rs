//! A scenario as it was meant: rates in bits per second, times in seconds.

use crate::planner::problem::Said;

/// How exactly the node's own policy is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Flows, hour by hour.
    Fluid,
    /// Some sites of each class with the engine, the others as flows.
    Sampled,
    /// Every site and endpoint with the engine.
    Full,
}

impl Fidelity {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fluid => "fluid",
            Self::Sampled => "sampled",
            Self::Full => "full",
        }
    }

    /// From what is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "fluid" => Ok(Self::Fluid),
            "sampled" => Ok(Self::Sampled),
            "full" => Ok(Self::Full),
            _ => Err(format!(
                "`{text}` is no fidelity; use fluid, sampled or full"
            )),
        }
    }
}

/// Local time at the first moment of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// 0 is Monday.
    pub weekday: u32,
    /// Seconds since midnight.
    pub second: u32,
}

/// The source of the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Name.
    pub name: String,
    /// Infinite for a CDN.
    pub uplink: f64,
    /// Per 10^9 bytes sent.
    pub price: Option<f64>,
}

/// When endpoints of a class are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Always.
    Always,
    /// Nominally always, at 0.95 of the time (assumed).
    OfficeDesktop,
    /// In the office on some weekdays (assumed).
    OfficeLaptop,
}

/// A kind of endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointClass {
    /// Name.
    pub name: String,
    /// Part of all endpoints.
    pub share: f64,
    /// When they are on.
    pub presence: Presence,
}

/// A WAN line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Towards the site.
    pub down: f64,
    /// Away from it.
    pub up: f64,
    /// Round trip in seconds.
    pub rtt: f64,
    /// Part of packets lost.
    pub loss: f64,
    /// Per 10^9 bytes, both ways.
    pub price: Option<f64>,
    /// Bytes that updates may take in a month.
    pub quota: Option<u64>,
    /// Per 10^9 bytes above the quota, beside the price.
    pub overrun: Option<f64>,
}

/// What is inside a site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lan {
    /// Port of each endpoint, per direction.
    pub nic: f64,
    /// All ports together.
    pub fabric: f64,
    /// Parts that cannot reach each other.
    pub parts: u32,
    /// Part of endpoints without a cable.
    pub wifi_share: f64,
    /// Usable rate of the medium they share.
    pub wifi: f64,
}

/// What updates may take of the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Part of the rate.
    pub share: f64,
    /// Local hours in which it holds; always, if none.
    pub hours: Option<(u32, u32)>,
    /// Local hours in which updates run at all; always, if none.
    pub window: Option<(u32, u32)>,
}

/// How many endpoints sites have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Fewest.
    pub min: u32,
    /// Half of the sites have at most so many.
    pub median: u32,
    /// Most.
    pub max: u32,
}

/// A kind of site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteClass {
    /// Name.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Their size.
    pub endpoints: Endpoints,
    /// Their WAN line.
    pub line: Line,
    /// What is inside.
    pub lan: Lan,
    /// What updates may take.
    pub limit: Limit,
    /// Index of the profile of other traffic.
    pub background: Option<usize>,
    /// Seconds ahead of the scenario's start clock.
    pub utc_offset: i32,
    /// Where it is said.
    pub said: Said,
}

/// A single site, inline or from a table.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteRow {
    /// Name.
    pub id: String,
    /// Index of its class.
    pub class: usize,
    /// Its size, if it is known.
    pub endpoints: Option<u32>,
    /// Its line.
    pub line: Line,
    /// Index of the profile of other traffic.
    pub background: Option<usize>,
    /// Seconds ahead of the scenario's start clock.
    pub utc_offset: i32,
    /// Where it is said.
    pub said: Said,
}

/// Part of a line that other traffic takes, per local hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Monday to Friday.
    pub weekday: [f64; 24],
    /// Saturday and Sunday.
    pub weekend: f64,
}

/// A release that endpoints may hold in parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Version {
    /// Part of endpoints.
    pub share: f64,
    /// Part of the new release that they hold.
    pub overlap: f64,
}

/// Endpoints that begin together.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// Name.
    pub name: String,
    /// Part of endpoints.
    pub share: f64,
    /// When, in seconds after the release is out.
    pub at: f64,
}

/// What is rolled out.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Name.
    pub name: String,
    /// Wire bytes.
    pub size: u64,
    /// When it is out, in seconds after the start.
    pub at: f64,
    /// Part of it that the release before it brought.
    pub overlap: f64,
    /// Seconds after it is out.
    pub deadline: Option<f64>,
    /// What endpoints have now.
    pub versions: Vec<Version>,
    /// Who begins when.
    pub rings: Vec<Ring>,
}

impl Release {
    /// When it must be done, in seconds after the start.
    pub fn due(&self) -> Option<f64> {
        self.deadline.map(|deadline| self.at + deadline)
    }
}

/// A way of distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every endpoint fetches from the origin.
    Direct,
    /// A server in each site.
    Cache,
    /// Like BitTorrent.
    Bittorrent,
    /// Like a group of peers without claims.
    Grouped,
    /// The node's own engine.
    Patchmesh,
}

impl Kind {
    /// Whether it is a model of a foreign system.
    pub fn is_model(self) -> bool {
        matches!(self, Self::Bittorrent | Self::Grouped)
    }
}

/// A policy to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Name in reports; unique.
    pub label: String,
    /// What it does.
    pub kind: Kind,
    /// Neighbours in all.
    pub neighbours: u32,
    /// Of them, in the own site.
    pub local: u32,
    /// Copies over the WAN per site and part, where measured.
    pub copies: Option<f64>,
    /// Port of a cache server.
    pub server_nic: f64,
    /// Per site and month.
    pub cost: Option<f64>,
}

/// What is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The origin.
    Origin,
    /// Sites by id, or all of a class.
    Sites(Vec<String>),
}

/// A cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// What.
    pub target: Target,
    /// From.
    pub from: f64,
    /// To.
    pub to: f64,
    /// Where it is said.
    pub said: Said,
}

/// Endpoints that are off for a while, or for good: crashed, or switched on late.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Sites by id, or all of a class.
    pub sites: Vec<String>,
    /// So many of each, the last ones: the first are those on Wi-Fi.
    pub endpoints: u32,
    /// From.
    pub from: f64,
    /// To; infinite for never again.
    pub to: f64,
    /// Where it is said.
    pub said: Said,
}

/// Everything that a plan rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name.
    pub name: String,
    /// Where all chance comes from.
    pub seed: u64,
    /// Local time of the first moment.
    pub start: Start,
    /// Seconds that are looked at.
    pub horizon: f64,
    /// How exactly.
    pub fidelity: Fidelity,
    /// Sites of each class that the sampled fidelity runs with the engine.
    pub per_class: usize,
    /// Of all prices.
    pub currency: String,
    /// Bytes that move as one in the engine; chosen from the size if none.
    pub unit: Option<u64>,
    /// Bytes of headers for each byte of a chunk on a WAN line.
    pub framing: f64,
    /// The source.
    pub origin: Origin,
    /// Kinds of endpoints.
    pub endpoint_classes: Vec<EndpointClass>,
    /// Kinds of sites.
    pub site_classes: Vec<SiteClass>,
    /// Single sites.
    pub sites: Vec<SiteRow>,
    /// Other traffic.
    pub profiles: Vec<Profile>,
    /// What is rolled out, in the order in which it is out; one at least.
    pub releases: Vec<Release>,
    /// What is compared.
    pub policies: Vec<Policy>,
    /// What is cut.
    pub cuts: Vec<Cut>,
    /// Who is off.
    pub outages: Vec<Outage>,
}

impl Scenario {
    /// Bytes of chunks per second that a line of so many bits per second carries.
    pub fn payload(&self, bits: f64) -> f64 {
        bits / 8.0 / (1.0 + self.framing)
    }

    /// Whether a presence profile without a measured source is used.
    pub fn assumes_presence(&self) -> bool {
        let classes = self.endpoint_classes.iter();
        classes
            .filter(|class| class.share > 0.0)
            .any(|class| class.presence != Presence::Always)
    }
}
