//! When each endpoint of a sharing site has everything, late ones included.

use crate::planner::fluid::shared::Copy;
use crate::planner::outcome::SiteRun;
use crate::planner::scenario::model::Kind;
use crate::planner::world::site::{Host, Site};
use crate::planner::world::steps::Steps;
use patchmesh_content::geometry::CHUNK_LEN_MEAN;

/// When holders are on.
#[derive(Debug, Default)]
struct Holders(Vec<(f64, f64)>);

/// What late endpoints find in their site.
#[derive(Debug)]
struct Found<'a> {
    holders: Holders,
    /// When one of them fetched over the line, and at what rate: who is on gets the same.
    fetched: Vec<(f64, f64, f64)>,
    /// When the air is free.
    air: f64,
    /// When there is an origin to fetch from.
    origin: &'a Steps,
}

impl Found<'_> {
    /// Until when somebody fetches who does so now, and the rate.
    fn fetching(&self, now: f64) -> Option<(f64, f64)> {
        let mut all = self.fetched.iter();
        let one = all.find(|(from, to, _)| *from <= now && now < *to);
        one.map(|(_, to, rate)| (*to, *rate))
    }
}

impl Holders {
    fn add(&mut self, from: f64, to: f64) {
        let at = self.0.partition_point(|(_, end)| *end < from);
        let mut span = (from, to);
        let mut until = at;
        while until < self.0.len() && self.0[until].0 <= span.1 {
            span = (span.0.min(self.0[until].0), span.1.max(self.0[until].1));
            until += 1;
        }
        self.0.splice(at..until, [span]);
    }

    /// When one is on, in a span, at the earliest.
    fn within(&self, from: f64, to: f64) -> Option<f64> {
        let at = self.0.partition_point(|(_, end)| *end <= from);
        let first = self.0.get(at)?;
        (first.0 < to).then(|| first.0.max(from))
    }
}

/// Time that a chunk needs through a site once it has left the line, doubling
/// its holders at each hop, and the round trips of a start.
pub fn pipeline(site: &Site) -> f64 {
    let chunk = f64::from(CHUNK_LEN_MEAN);
    let hops = (site.hosts.len().max(1) as f64).log2().ceil();
    chunk / site.down + hops * chunk / site.nic + 3.0 * site.rtt
}

/// Fills in the ends of all endpoints.
pub fn finish(
    (site, origin): (&Site, &Steps),
    kind: Kind,
    size: f64,
    (run, copy): (&mut SiteRun, &Copy),
) {
    let mut order: Vec<usize> = (0..site.hosts.len()).collect();
    order.sort_by(|a, b| site.hosts[*a].first().total_cmp(&site.hosts[*b].first()));
    let mut found = Found {
        holders: Holders::default(),
        fetched: Vec::new(),
        air: 0.0,
        origin,
    };
    if kind == Kind::Cache {
        found.holders.add(0.0, f64::INFINITY);
    }
    for at in order {
        let host = &site.hosts[at];
        let lacks = host.lacks(size);
        let Some(end) = end(site, host, (lacks, copy), &mut found, run) else {
            continue;
        };
        run.ends[at] = end;
        for (from, to) in host.spans().filter(|(_, to)| *to > end) {
            found.holders.add(from.max(end), to);
        }
    }
    let ended = site
        .hosts
        .iter()
        .zip(&run.ends)
        .filter(|(_, end)| end.is_finite());
    let installed: f64 = ended.map(|(host, _)| host.lacks(size)).sum();
    run.lan = if kind == Kind::Cache {
        installed
    } else {
        (installed - run.wan_down).max(0.0)
    };
}

/// The end of one endpoint: it follows the copy while it is on, and catches up
/// over the LAN; where no holder is on yet, over the line.
fn end(
    site: &Site,
    host: &Host,
    (lacks, copy): (f64, &Copy),
    found: &mut Found<'_>,
    run: &mut SiteRun,
) -> Option<f64> {
    let port = site.port(host);
    let inside = lacks - copy.lacks;
    let mut has = 0.0;
    for (from, to) in host.spans() {
        let mut begin = from;
        if from >= copy.done {
            match alone(site, (from, to), (lacks, port), &mut has, (found, run)) {
                Alone::Done(end) => return Some(end),
                Alone::Joined(at) => begin = at,
                Alone::Left => continue,
            }
        }
        let mut whole = (copy.done + pipeline(site)).max(begin + (lacks - has) / port);
        // What passed before it came crosses the air once more.
        let missed = (copy.at(begin) + inside - has).max(0.0);
        let again = host.wireless && missed > 0.0;
        if again {
            let free = found.air.max(begin).max(copy.done);
            whole = whole.max(free + missed / site.wifi);
        }
        if whole <= to {
            if again {
                found.air = whole;
            }
            return Some(whole);
        }
        let there = inside + copy.at(to);
        has = there.min(has + port * (to - begin)).max(has).min(lacks);
    }
    None
}

/// What becomes of an endpoint that was switched on after the copy was whole.
enum Alone {
    /// It has everything.
    Done(f64),
    /// It meets a holder.
    Joined(f64),
    /// It is switched off before.
    Left,
}

/// Until a holder is on: it follows whoever is fetching, or fetches.
fn alone(
    site: &Site,
    (from, to): (f64, f64),
    (lacks, port): (f64, f64),
    has: &mut f64,
    (found, run): (&mut Found<'_>, &mut SiteRun),
) -> Alone {
    let mut now = from;
    while now < to {
        let holder = found.holders.within(now, to).unwrap_or(to);
        if holder <= now {
            return Alone::Joined(now);
        }
        // Less than a byte would take less time than the clock can tell.
        if *has > lacks - 1.0 {
            return Alone::Done(now);
        }
        if let Some((until, rate)) = found.fetching(now) {
            let until = until.min(to);
            *has = (*has + rate.min(port) * (until - now)).min(lacks);
            now = until;
            continue;
        }
        let cut = found.origin.change(now);
        if found.origin.rate(now) <= 0.0 {
            now = cut.min(holder);
            continue;
        }
        let end = site.down_free.until(now, lacks - *has);
        let end = end.max(now + (lacks - *has) / port);
        let until = end.min(holder).min(cut);
        if until <= now {
            return Alone::Done(now);
        }
        let most = (port * (until - now)).min(lacks - *has);
        let got = site.down_free.passed(now, until).min(most);
        let rate = got / (until - now);
        run.note(now, until, rate);
        run.from_origin += got;
        found.fetched.push((now, until, rate));
        if end <= holder.min(cut) {
            return Alone::Done(end);
        }
        *has += got;
        now = until;
    }
    Alone::Left
}
