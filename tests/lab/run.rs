//! One run: build the network, publish, start all endpoints at once, follow
//! them to the end and read every counter.

use std::time::Instant;

use patchmesh_demo::binaries::Binaries;

use crate::idle::{self, Idle};
use crate::lab::Lab;
use crate::links::{self, Link};
use crate::plan::Plan;
use crate::proc;
use crate::result::Result;
use crate::watch::{self, Sample};

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The network after the run.
    pub(crate) lab: Lab,
    /// Link counters on the way.
    pub(crate) samples: Vec<Sample>,
    /// Link counters at the end of the rollout.
    pub(crate) links: Vec<Link>,
    /// Least time of any distribution, in seconds.
    pub(crate) t_star: f64,
    /// Load average before and after.
    pub(crate) load: [f64; 2],
    /// Endpoints with other files than were published.
    pub(crate) different: Vec<String>,
    /// Chunk bytes that the origin sent to each site.
    pub(crate) origin_sent: Vec<u64>,
    /// Altered chunks, and nodes that name the liar.
    pub(crate) lies: Option<(u32, usize)>,
    /// The network at rest.
    pub(crate) idle: Option<Idle>,
}

/// Runs once.
pub(crate) fn once(plan: &Plan, binaries: &Binaries) -> Result<Outcome> {
    let before = proc::load();
    let mut lab = Lab::build(plan, binaries)?;
    let t_star = t_star(plan, lab.whole);
    let began = Instant::now();
    lab.start_endpoints(plan, binaries, 1..=plan.nodes - plan.late.0)?;
    let mut samples = Vec::new();
    if plan.size > 0 {
        samples = watch::until_staged(&mut lab, (plan, binaries), began, t_star)?;
    }
    let links = links::read(&lab.space.core(), plan.sites)?;
    let lies = lab.lies()?;
    lab.origin.look();
    let idle = idle::watch(&mut lab, plan)?;
    Ok(Outcome {
        samples,
        links,
        t_star,
        load: [before, proc::load()],
        different: lab.different(plan)?,
        origin_sent: lab.origin_sent(plan)?,
        lies,
        idle,
        lab,
    })
}

/// The longest of the terms that bound every distribution in which sites
/// fetch from the origin only, in seconds.
fn t_star(plan: &Plan, whole: u64) -> f64 {
    let over = |bytes, rate: u64| watch::ratio(bytes, rate.max(1)) * 8.0;
    let sites = u64::from(plan.sites);
    over(whole, plan.wan_down.min(plan.slow_down)).max(over(whole * sites, plan.origin))
}
