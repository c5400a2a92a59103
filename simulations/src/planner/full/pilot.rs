//! What the engine needs more than a flow does, learned from some sites and
//! used for the others of their class.

use crate::planner::outcome::SiteRun;
use crate::planner::world::site::{Host, Site};

/// Factors of one site: on time since its first endpoint, and on WAN bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// On time.
    pub time: f64,
    /// On bytes over the line.
    pub bytes: f64,
}

/// Compares a site in the engine with the same site as a flow; none where
/// either never ended.
pub fn factor(site: &Site, engine: &SiteRun, flow: &SiteRun) -> Option<Factor> {
    let first = site
        .present()
        .map(Host::first)
        .fold(f64::INFINITY, f64::min);
    let last = |run: &SiteRun| {
        let ends = site.hosts.iter().zip(&run.ends);
        let present = ends.filter(|(host, _)| host.first().is_finite());
        present.map(|(_, end)| *end).fold(first, f64::max)
    };
    let (one, other) = (last(engine) - first, last(flow) - first);
    let whole = one.is_finite() && other.is_finite() && other > 0.0 && flow.wan_down > 0.0;
    whole.then(|| Factor {
        time: (one / other).clamp(1.0, 10.0),
        bytes: (engine.wan_down / flow.wan_down).clamp(1.0, 100.0),
    })
}

/// Mean of some factors, and half of the 95 % interval of the mean.
pub fn mean(factors: &[Factor]) -> (Factor, Factor) {
    let one = |part: fn(&Factor) -> f64| {
        let count = factors.len().max(1) as f64;
        let mean = factors.iter().map(part).sum::<f64>() / count;
        let squares: f64 = factors.iter().map(|f| (part(f) - mean).powi(2)).sum();
        let half = if factors.len() > 1 {
            1.96 * (squares / (count - 1.0) / count).sqrt()
        } else {
            f64::INFINITY
        };
        (if factors.is_empty() { 1.0 } else { mean }, half)
    };
    let (time, bytes) = (one(|f| f.time), one(|f| f.bytes));
    let factor = |time, bytes| Factor { time, bytes };
    (factor(time.0, bytes.0), factor(time.1, bytes.1))
}

/// Stretches a site that ran as a flow.
pub fn stretch(site: &Site, run: &mut SiteRun, factor: Factor) {
    let first = site
        .present()
        .map(Host::first)
        .fold(f64::INFINITY, f64::min);
    for (host, end) in site.hosts.iter().zip(&mut run.ends) {
        // A late endpoint is not held up by what the first ones needed.
        let since = host.first().max(first);
        *end = since + (*end - since) * factor.time;
    }
    run.wan_down *= factor.bytes;
    run.from_origin *= factor.bytes;
    run.scale(factor.bytes);
}
