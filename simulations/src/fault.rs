//! Runs a world to its end and says how it went.

use patchmesh_core::time::{Duration, Time};

use crate::bound::bound;
use crate::broken::Broken;
use crate::check;
use crate::plan::{Fault, Plan};
use crate::world::World;

/// How a world went.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Seed of the world.
    pub seed: u64,
    /// Nodes, the origin included.
    pub nodes: usize,
    /// When the last node had everything.
    pub end: Time,
    /// End over T*, in thousandths.
    pub end_per_mille: u64,
    /// Chunk bytes over the WAN into the worst site, in thousandths of one copy.
    pub copies_per_mille: u64,
    /// Bytes of metadata and indexes over the WAN into the worst site.
    pub document_bytes: u64,
    /// Events.
    pub steps: u64,
    /// Hash of all events and outputs.
    pub trail: [u8; 32],
}

/// A check did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Seed of the world.
    pub seed: u64,
    /// When.
    pub at: Time,
    /// What.
    pub broken: Broken,
    /// The last events before it.
    pub events: Vec<String>,
}

/// Runs a plan to its end: everything staged everywhere after the last fault,
/// within ten times T* and five minutes, which no cure of a fault needs.
pub fn run(plan: Plan) -> Result<Report, Box<Failure>> {
    let limits = bound(&plan);
    let healed = healed(&plan);
    let late = healed
        .plus(Duration(limits.earliest.0 * 10))
        .plus(Duration::secs(300));
    let (seed, nodes) = (plan.seed, plan.nodes());
    let mut world = World::new(plan);
    let failure = |world: &World, broken| {
        Box::new(Failure {
            seed,
            at: world.now(),
            broken,
            events: world.last_events().map(str::to_owned).collect(),
        })
    };
    let mut looked = Time(0);
    loop {
        match world.step() {
            Some(Ok(touched)) => {
                let checked = touched.map_or(Ok(()), |node| check::node(&mut world, node));
                checked.map_err(|broken| failure(&world, broken))?;
            }
            Some(Err(broken)) => return Err(failure(&world, broken)),
            None => {
                let broken = Broken::new("L1", 0, "nothing happens any more");
                return Err(failure(&world, broken));
            }
        }
        if world.now() > late {
            let broken = Broken::new("L1", 0, &check::missing(&world));
            return Err(failure(&world, broken));
        }
        // The end is looked for every 20 ms only: it costs a view of each node.
        if world.now() > healed && world.now().since(looked) >= Duration::millis(20) {
            looked = world.now();
            if check::is_done(&world) {
                break;
            }
        }
    }
    check::end(&world).map_err(|broken| failure(&world, broken))?;
    let worst = world.wan_bytes.iter().max().copied().unwrap_or(0);
    Ok(Report {
        seed,
        nodes,
        end: world.now(),
        end_per_mille: world.now().0.saturating_mul(1000) / limits.earliest.0.max(1),
        copies_per_mille: worst.saturating_mul(1000) / limits.bytes.max(1),
        document_bytes: world.wan_documents.iter().max().copied().unwrap_or(0),
        steps: world.steps(),
        trail: world.trail(),
    })
}

/// When the last fault is over.
fn healed(plan: &Plan) -> Time {
    let over = plan.faults.iter().map(|(time, fault)| match fault {
        Fault::Apart(_, long)
        | Fault::Crash(_, long)
        | Fault::Cut(_, long)
        | Fault::Full(_, long)
        | Fault::Mute(_, _, long)
        | Fault::Slow(_, _, long) => time.plus(*long),
        Fault::Rotate | Fault::Say(_) | Fault::Second => *time,
    });
    over.max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
