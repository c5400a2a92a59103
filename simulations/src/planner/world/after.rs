//! The world that a release finds after earlier ones: an endpoint takes one release
//! after the other, and an earlier one goes first on the lines.

use crate::planner::outcome::{PolicyRun, SiteRun};
use crate::planner::world::site::{Site, World};
use crate::planner::world::steps::Steps;

/// Steps into which the time of earlier releases is cut, for what they take of the
/// origin's uplink.
const STEPS: f64 = 512.0;

/// The world of a release after `earlier` ones of the same policy, the latest last, each
/// with its world as if it were the only one; `overlap` is the part of this release that
/// the latest brought.
pub fn after(alone: &World, earlier: &[(&World, &PolicyRun)], overlap: f64) -> World {
    let mut world = alone.clone();
    for (at, site) in world.sites.iter_mut().enumerate() {
        let runs: Vec<&SiteRun> = earlier.iter().map(|(_, run)| &run.sites[at]).collect();
        let taken = Steps::sum(&tracks(&runs).collect::<Vec<_>>());
        site.down_free = site.down_free.without(&taken).into();
        site.earlier = Some(taken);
        if let Some((before, run)) = earlier.last() {
            follow(site, (&before.sites[at], &run.sites[at]), overlap);
        }
    }
    if world.origin.most().is_finite() {
        world.taken = Some(taken(earlier));
    }
    world
}

/// Endpoints begin when they have the release before, and what it brought.
fn follow(site: &mut Site, (before, run): (&Site, &SiteRun), overlap: f64) {
    let each = site.hosts.iter_mut().zip(&before.hosts).zip(&run.ends);
    for ((host, before), end) in each {
        // Who never gets the release before takes this one instead of it, and whose ring
        // of this one is earlier has it first.
        if end.is_finite() && before.start <= host.start {
            host.start = host.start.max(*end);
            host.overlap = host.overlap.max(overlap);
        }
    }
}

fn tracks<'a>(runs: &'a [&'a SiteRun]) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
    let tracks = runs.iter().filter_map(|run| run.track.as_ref());
    tracks.flat_map(|track| track.0.iter().copied())
}

/// What all sites took together; in each step of time the most, so that later
/// releases never get what was already used.
fn taken(earlier: &[(&World, &PolicyRun)]) -> Steps {
    let runs = earlier.iter().flat_map(|(_, run)| &run.sites);
    let runs: Vec<&SiteRun> = runs.collect();
    let spans: Vec<(f64, f64, f64)> = tracks(&runs).collect();
    let all = Steps::sum(&spans);
    let end = spans.iter().map(|(_, to, _)| *to).fold(0.0, f64::max);
    let long = (end / STEPS).max(1e-3);
    let mut steps = Vec::new();
    let mut from = 0.0;
    while from < end {
        let mut most = all.rate(from);
        let mut now = all.change(from);
        while now < from + long {
            most = most.max(all.rate(now));
            now = all.change(now);
        }
        steps.push((from, most));
        from += long;
    }
    steps.push((from, 0.0));
    Steps::new(&steps)
}
