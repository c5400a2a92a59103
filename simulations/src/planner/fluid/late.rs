//! When each endpoint of a sharing site has everything, late ones included.

use crate::planner::fluid::shared::Copy;
use crate::planner::outcome::SiteRun;
use crate::planner::scenario::model::Kind;
use crate::planner::world::site::{Host, Site};
use patchmesh_content::geometry::CHUNK_LEN_MEAN;

/// When holders are on.
#[derive(Debug, Default)]
struct Holders(Vec<(f64, f64)>);

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
pub fn finish(site: &Site, kind: Kind, size: f64, (run, copy): (&mut SiteRun, &Copy)) {
    let mut order: Vec<usize> = (0..site.hosts.len()).collect();
    order.sort_by(|a, b| site.hosts[*a].first().total_cmp(&site.hosts[*b].first()));
    let mut holders = Holders::default();
    if kind == Kind::Cache {
        holders.add(0.0, f64::INFINITY);
    }
    let mut air = 0.0;
    for at in order {
        let host = &site.hosts[at];
        let lacks = host.lacks(size);
        let Some(end) = end(site, host, (lacks, copy), (&mut holders, &mut air), run) else {
            continue;
        };
        run.ends[at] = end;
        for (from, to) in host.spans().filter(|(_, to)| *to > end) {
            holders.add(from.max(end), to);
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
/// over the LAN; where no holder is on, over the line.
fn end(
    site: &Site,
    host: &Host,
    (lacks, copy): (f64, &Copy),
    (holders, air): (&mut Holders, &mut f64),
    run: &mut SiteRun,
) -> Option<f64> {
    let port = site.port(host);
    let pipe = pipeline(site);
    let inside = lacks - copy.lacks;
    let mut has = 0.0;
    for (from, to) in host.spans() {
        let mut begin = from;
        if from >= copy.done && has < lacks {
            if let Some(at) = holders.within(from, to) {
                begin = at;
            } else {
                let end = site.down_free.until(from, lacks - has);
                let end = end.max(from + (lacks - has) / port);
                let got = site.down_free.passed(from, end.min(to)).min(lacks - has);
                run.note(from, end.min(to), got / (end.min(to) - from));
                run.from_origin += got;
                if end <= to {
                    return Some(end);
                }
                has += got;
                continue;
            }
        }
        let mut whole = (copy.done + pipe).max(begin + (lacks - has) / port);
        if host.wireless && begin > copy.done {
            whole = whole.max(air.max(begin) + (lacks - has) / site.wifi);
        }
        if whole <= to {
            if host.wireless && begin > copy.done {
                *air = whole;
            }
            return Some(whole);
        }
        let there = inside + copy.at(to);
        has = there.min(has + port * (to - begin)).max(has).min(lacks);
    }
    None
}
