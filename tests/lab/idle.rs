//! The network at rest: memory, processor time and bytes of connected nodes
//! that have nothing to do.

use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::links::{self, Link};
use crate::node::Node;
use crate::plan::Plan;
use crate::proc::Usage;
use crate::result::Result;

/// Rest before the watch begins.
const SETTLE: Duration = Duration::from_secs(15);

/// What rest cost.
#[derive(Debug)]
pub(crate) struct Idle {
    /// Seconds watched.
    pub(crate) secs: f64,
    /// Endpoint, its connected peers, and its cost.
    pub(crate) nodes: Vec<(String, u32, Cost)>,
    /// The origin's cost.
    pub(crate) origin: Cost,
    /// WAN bytes of each site in both directions.
    pub(crate) wan: Vec<u64>,
}

/// Cost of one node.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Resident memory at the end, in bytes.
    pub(crate) rss: u64,
    /// Part of it that is not pages of the program file, in bytes.
    pub(crate) own: u64,
    /// Processor time in percent of one core.
    pub(crate) cpu_percent: f64,
}

/// Watches for the seconds of the plan, asking nothing of the nodes.
pub(crate) fn watch(lab: &mut Lab, plan: &Plan) -> Result<Option<Idle>> {
    if plan.idle == 0 {
        return Ok(None);
    }
    println!("  at rest: {} s after {} s", plan.idle, SETTLE.as_secs());
    if plan.size == 0 {
        lab.nodes
            .iter_mut()
            .try_for_each(|node| node.wait_until_up().map(drop))?;
    }
    std::thread::sleep(SETTLE);
    let usage = |node: &Node| node.usage_now().unwrap_or_default();
    let before: Vec<Usage> = lab.nodes.iter().map(usage).collect();
    let origin = usage(&lab.origin);
    let links = links::read(&lab.space.core(), plan.sites)?;
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(plan.idle));
    let secs = began.elapsed().as_secs_f64();
    let cost = |before: &Usage, after: Usage| Cost {
        rss: after.rss,
        own: after.own,
        cpu_percent: (after.cpu_secs - before.cpu_secs) / secs * 100.0,
    };
    let after: Vec<Usage> = lab.nodes.iter().map(usage).collect();
    let origin = cost(&origin, usage(&lab.origin));
    let wan = links::read(&lab.space.core(), plan.sites)?;
    let both = |link: &Link| link.down + link.up;
    let wan = wan
        .iter()
        .zip(&links)
        .map(|(after, before)| both(after) - both(before));
    let mut nodes = Vec::new();
    let all = lab.nodes.iter_mut().zip(before.iter().zip(after));
    for (node, (before, after)) in all.filter(|(node, _)| node.lives()) {
        node.look();
        let peers = node
            .status
            .as_ref()
            .map_or(0, |status| status.peers.connected);
        nodes.push((node.name.clone(), peers, cost(before, after)));
    }
    Ok(Some(Idle {
        secs,
        nodes,
        origin,
        wan: wan.collect(),
    }))
}
