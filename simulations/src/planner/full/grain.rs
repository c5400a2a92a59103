//! What a coarse unit adds, taken out again.
//!
//! On the slower clock of a coarse unit every delay that does not grow with the
//! unit (the search for neighbours, batches, retries) is that much too long, and
//! every chunk fetched twice that much too large. With a unit twice as coarse
//! they double, while what truly grows with the release stays. So some sites of
//! each class run once more in the coarser unit, and the part of the excess over
//! a flow that doubled is divided by the slowness of the clock (Richardson's
//! extrapolation, 1911).

use crate::planner::outcome::SiteRun;
use crate::planner::world::site::{Host, Site};

/// How much coarser the second run is.
pub const COARSER: f64 = 2.0;

/// What is left of the excess over a flow: of time, and of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// Of the time after the end of the flow.
    pub time: f64,
    /// Of the bytes beyond those of the flow.
    pub bytes: f64,
}

impl Kept {
    /// All of it: the unit is a chunk.
    pub const ALL: Self = Self {
        time: 1.0,
        bytes: 1.0,
    };
}

/// One site in two units, and as a flow.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The site.
    pub site: &'a Site,
    /// In the unit of the run.
    pub fine: &'a SiteRun,
    /// In a unit [`COARSER`] times as large.
    pub coarse: &'a SiteRun,
    /// As a flow.
    pub flow: &'a SiteRun,
}

/// Learns from some sites; `slow` is the slowness of the clock in the fine unit.
pub fn learn(trials: &[Trial<'_>], slow: f64) -> Kept {
    let part = |excess: &dyn Fn(&Trial<'_>) -> Option<(f64, f64)>| {
        let each = trials.iter().filter_map(excess);
        let (fine, coarse) = each.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let doubled = if fine > 0.0 {
            ((coarse - fine) / ((COARSER - 1.0) * fine)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        1.0 - doubled * (1.0 - 1.0 / slow)
    };
    Kept {
        time: part(&|trial| {
            let end = |run| last(trial.site, run);
            let flow = end(trial.flow)?;
            Some((end(trial.fine)? - flow, end(trial.coarse)? - flow))
        }),
        bytes: part(&|trial| {
            let flow = trial.flow.wan_down;
            Some((trial.fine.wan_down - flow, trial.coarse.wan_down - flow))
        }),
    }
}

/// When the last endpoint of a site was done, if all were.
fn last(site: &Site, run: &SiteRun) -> Option<f64> {
    let ends = site.hosts.iter().zip(&run.ends);
    let present = ends.filter(|(host, _)| host.first().is_finite());
    let last = present.map(|(_, end)| *end).fold(0.0, f64::max);
    last.is_finite().then_some(last)
}

/// Takes out of a site what its unit added; returns by how much its last end and
/// its bytes fell, as parts of what they are now.
pub fn refine(site: &Site, run: &mut SiteRun, flow: &SiteRun, kept: Kept) -> [f64; 2] {
    let before = (last(site, run), run.wan_down);
    for ((host, end), flow) in site.hosts.iter().zip(&mut run.ends).zip(&flow.ends) {
        // Who left in between waited for something else than the engine.
        if *end > *flow && is_on(host, *flow, *end) {
            *end = *flow + (*end - *flow) * kept.time;
        }
    }
    let more = run.wan_down - flow.wan_down;
    if more > 0.0 {
        let now = flow.wan_down + more * kept.bytes;
        let part = now / run.wan_down;
        run.wan_down = now;
        run.from_origin *= part;
        run.scale(part);
    }
    let fell = |before: f64, now: f64| {
        if now > 0.0 { (before - now) / now } else { 0.0 }
    };
    let ends = before.0.zip(last(site, run));
    [
        ends.map_or(0.0, |(before, now)| fell(before, now)),
        fell(before.1, run.wan_down),
    ]
}

/// Whether an endpoint is on all the time between two moments.
fn is_on(host: &Host, from: f64, to: f64) -> bool {
    to.is_finite() && host.spans().any(|(on, off)| on <= from && to <= off)
}

#[cfg(test)]
mod tests;
