//! What limits the meaning of the figures of a plan.

use crate::planner::outcome::Grain;
use crate::planner::report::text::digits;
use crate::planner::run::Plan;

/// A correction that is larger deserves a finer run.
const WORTH_KNOWING: f64 = 0.05;

/// Notes that apply to this plan.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        "calibrated against real daemons in a laboratory only, up to 16 endpoints a site: WAN \
         bytes within 1 %, ends within 6 %; no real rollout has been compared"
            .to_owned(),
    ];
    if plan.scenario.framing <= 0.0 {
        notes.push(
            "rates of lines are taken as rates of chunks: headers take about 5 % of a real line \
             (`framing` in [scenario])"
                .to_owned(),
        );
    }
    if plan.scenario.assumes_presence() {
        notes.push("presence of endpoints is assumed, not measured".to_owned());
    }
    let models: Vec<&str> = plan
        .entries
        .iter()
        .filter(|entry| entry.run.kind.is_model())
        .map(|entry| entry.run.label.as_str())
        .collect();
    if !models.is_empty() {
        notes.push(format!(
            "{} are models after public descriptions with assumed parameters, not the programs",
            models.join(", ")
        ));
    }
    if plan.scenario.releases.len() > 1 {
        notes.push(
            "releases are planned one after the other: an earlier one goes first on the lines, \
             and an endpoint begins with the next when it has the one before; T* and what is \
             possible are what earlier releases leave"
                .to_owned(),
        );
    }
    notes.push(
        "flows share links fairly; no packets, no queues: sums mean something, the time \
                of a single connection does not"
            .to_owned(),
    );
    for entry in &plan.entries {
        notes.extend(entry.run.grain.as_ref().map(grain));
    }
    if plan.world.sites.iter().any(|site| site.rtt > 0.1) {
        notes.push(
            "long round trips: the start of connections is counted as three of them".to_owned(),
        );
    }
    if plan
        .world
        .sites
        .iter()
        .any(|site| site.hosts.iter().any(|host| host.wireless))
    {
        notes.push(
            "Wi-Fi is one medium per site at a fixed rate; no roaming, no rate changes".to_owned(),
        );
    }
    notes
}

/// What the unit of the engine means for the figures.
fn grain(grain: &Grain) -> String {
    let percent = |part: f64| digits(part * 100.0);
    let mut note = format!(
        "the engine moved units of {} MiB instead of chunks; what that added was taken out by a \
         run with units twice as large: {} % of the last end, {} % of the bytes of a site at most",
        digits(grain.unit / 1_048_576.0),
        percent(grain.time),
        percent(grain.bytes),
    );
    if grain.time.max(grain.bytes) > WORTH_KNOWING {
        note += "; a smaller `unit` in [scenario] makes it surer";
    }
    note
}
