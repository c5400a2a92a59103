//! The origin's uplink, shared: sites ask, get a rate for a while, and run
//! alone with it.

use crate::planner::fluid::each::Each;
use crate::planner::fluid::shared::Shared;
use crate::planner::parallel::for_each;
use crate::planner::world::steps::Steps;

/// Grants in the time that the bound needs.
const GRANTS: f64 = 512.0;

/// A site in either model.
#[derive(Debug)]
pub enum Flow<'a> {
    /// Its endpoints fetch for themselves.
    Each(Each<'a>),
    /// It shares a copy.
    Shared(Shared<'a>),
}

impl Flow<'_> {
    fn ask(&self) -> (f64, f64) {
        match self {
            Self::Each(site) => site.ask(),
            Self::Shared(site) => site.ask(),
        }
    }

    fn asks_at(&self) -> f64 {
        match self {
            Self::Each(site) => site.asks_at(),
            Self::Shared(site) => site.asks_at(),
        }
    }

    fn run(&mut self, to: f64, grant: f64) {
        match self {
            Self::Each(site) => site.run(to, grant),
            Self::Shared(site) => site.run(to, grant),
        }
    }
}

/// What the supply was shared into.
#[derive(Debug, Default)]
pub struct Granted {
    /// Rate of each site from each moment on; empty where nothing was short.
    pub sites: Vec<Vec<(f64, f64)>>,
}

/// Runs all sites to the horizon under one supply. `end` is about when it is
/// over; `keep` remembers the grants.
pub fn run(
    flows: &mut [Flow<'_>],
    (supply, most): (&Steps, f64),
    (end, horizon): (f64, f64),
    (threads, keep): (usize, bool),
) -> Granted {
    let mut granted = Granted::default();
    if supply.least() >= most {
        for_each(flows, threads, |flow| flow.run(horizon, f64::INFINITY));
        return granted;
    }
    if keep {
        granted.sites = vec![Vec::new(); flows.len()];
    }
    let long = (end / GRANTS).clamp(1e-3, 600.0);
    let mut now = 0.0;
    while now < horizon {
        for_each(flows, 1, |flow| flow.run(now, 0.0));
        let asks: Vec<(f64, f64)> = flows.iter().map(Flow::ask).collect();
        let mut to = (now + long).min(supply.change(now)).min(horizon);
        let level = level(&asks, supply.rate(now));
        if asks.iter().all(|(_, cap)| *cap <= 0.0) {
            let next = flows
                .iter()
                .map(Flow::asks_at)
                .fold(f64::INFINITY, f64::min);
            to = next.max(now + 1e-6).min(horizon);
        }
        let grants: Vec<f64> = asks
            .iter()
            .map(|(flows, cap)| cap.min(flows * level))
            .collect();
        if keep {
            for (kept, grant) in granted.sites.iter_mut().zip(&grants) {
                if kept
                    .last()
                    .is_none_or(|(_, last)| last.to_bits() != grant.to_bits())
                {
                    kept.push((now, *grant));
                }
            }
        }
        let mut pairs: Vec<(&mut Flow<'_>, f64)> = flows.iter_mut().zip(grants).collect();
        for_each(&mut pairs, threads, |(flow, grant)| flow.run(to, *grant));
        now = to;
    }
    granted
}

/// Max-min: the rate of a flow that no cap of its own holds back.
fn level(asks: &[(f64, f64)], supply: f64) -> f64 {
    let mut order: Vec<(f64, f64)> = asks
        .iter()
        .filter(|(flows, cap)| *flows > 0.0 && *cap > 0.0)
        .map(|(flows, cap)| (cap / flows, *flows))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut flows: f64 = order.iter().map(|(_, flows)| flows).sum();
    let mut left = supply;
    for (cap, count) in order {
        let level = left / flows;
        if cap >= level {
            return level;
        }
        left -= cap * count;
        flows -= count;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    /// O6 (b): a link of 100, one flow held to 10, three that take the rest.
    #[test]
    fn what_one_cannot_take_goes_to_the_others() {
        let asks = [(1.0, 10.0), (3.0, 300.0), (0.0, 0.0)];
        assert_eq!(level(&asks, 100.0), 30.0);
        assert_eq!(level(&asks, 1000.0), f64::INFINITY);
        assert_eq!(level(&asks, 0.0), 0.0);
    }
}
