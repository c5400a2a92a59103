//! T* of a world: the earliest end of each site and of all, term by term
//! (hour by hour where rates change), and the least bytes.

use crate::planner::world::site::{Host, Site, World};

/// How a policy gets bytes; the bound of each is as tight as this allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Every endpoint over the WAN from the origin.
    Each,
    /// A site shares what it fetches from the origin.
    Share,
    /// Sites share, and relay to each other.
    Relay,
}

/// What ends a site's transfer at the earliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The line towards the site, as far as updates may take it.
    Line,
    /// The wireless medium.
    Air,
    /// The port of an endpoint, or when it is switched on.
    Host,
    /// The uplink of the origin.
    Origin,
}

impl Term {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "WAN down",
            Self::Air => "Wi-Fi airtime",
            Self::Host => "endpoint port or switch-on",
            Self::Origin => "origin uplink",
        }
    }
}

/// What a site cannot beat.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteLimits {
    /// Least bytes over the WAN.
    pub bytes: f64,
    /// When its first endpoint begins; infinite where none ever is on.
    pub first: f64,
    /// Earliest end by each term of the site; the latest is its bound.
    pub terms: [(Term, f64); 3],
}

impl SiteLimits {
    /// Earliest end of the site.
    pub fn end(&self) -> f64 {
        self.terms.iter().map(|(_, end)| *end).fold(0.0, f64::max)
    }
}

/// What a world cannot beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Of each site.
    pub sites: Vec<SiteLimits>,
    /// Least bytes over all WAN lines.
    pub bytes: f64,
    /// Earliest last end by the origin's uplink.
    pub origin: f64,
}

impl Limits {
    /// T*: the earliest end of the last endpoint.
    pub fn end(&self) -> f64 {
        let sites = self.sites.iter().filter(|site| site.first.is_finite());
        sites.map(SiteLimits::end).fold(self.origin, f64::max)
    }

    /// Takes those of a later release in: bytes add up, the latest times count.
    pub fn join(&mut self, later: &Self) {
        self.bytes += later.bytes;
        self.origin = self.origin.max(later.origin);
        for (site, later) in self.sites.iter_mut().zip(&later.sites) {
            site.bytes += later.bytes;
            site.first = site.first.min(later.first);
            for (term, later) in site.terms.iter_mut().zip(&later.terms) {
                term.1 = term.1.max(later.1);
            }
        }
    }

    /// Terms of a site with that of the origin, latest first.
    pub fn ranked(&self, site: usize) -> Vec<(Term, f64)> {
        let mut terms = self.sites[site].terms.to_vec();
        terms.push((Term::Origin, self.origin));
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        terms
    }
}

/// The bound of a world for one way.
pub fn limits(world: &World, way: Way) -> Limits {
    let sites: Vec<SiteLimits> = world
        .sites
        .iter()
        .map(|site| site_limits(site, world.size, way))
        .collect();
    let live = || {
        sites
            .iter()
            .zip(&world.sites)
            .filter(|(limits, _)| limits.first.is_finite())
    };
    let bytes: f64 = live().map(|(limits, _)| limits.bytes).sum();
    let first = live()
        .map(|(limits, _)| limits.first)
        .fold(f64::INFINITY, f64::min);
    if first.is_infinite() {
        return Limits {
            sites,
            bytes: 0.0,
            origin: 0.0,
        };
    }
    // Bytes that no site holds leave the origin once at least.
    let nowhere = live()
        .map(|(_, site)| site.lacks(world.size))
        .fold(f64::INFINITY, f64::min);
    let once = world.origin.until(first, nowhere);
    let ups: f64 = match way {
        Way::Relay => live().map(|(_, site)| site.up_free.most()).sum(),
        Way::Each | Way::Share => 0.0,
    };
    let together = if ups > 0.0 {
        first + bytes / (world.origin.most() + ups)
    } else {
        world.origin.until(first, bytes)
    };
    Limits {
        bytes,
        origin: once.max(together),
        sites,
    }
}

fn site_limits(site: &Site, size: f64, way: Way) -> SiteLimits {
    let first = site
        .present()
        .map(Host::first)
        .fold(f64::INFINITY, f64::min);
    let bytes = match way {
        Way::Each => site.present().map(|host| host.lacks(size)).sum(),
        Way::Share | Way::Relay => site.copies() * site.lacks(size),
    };
    let air: f64 = site
        .present()
        .filter(|host| host.wireless)
        .map(|host| host.lacks(size))
        .sum();
    let host = site
        .present()
        .map(|host| host.first() + host.lacks(size) / site.port(host));
    let (line, air) = if first.is_finite() {
        (site.down_free.until(first, bytes), first + air / site.wifi)
    } else {
        (0.0, 0.0)
    };
    SiteLimits {
        bytes,
        first,
        terms: [
            (Term::Line, line),
            (Term::Air, air),
            (Term::Host, host.fold(0.0, f64::max)),
        ],
    }
}
