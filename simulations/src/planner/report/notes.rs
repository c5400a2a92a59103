//! What limits the meaning of the figures of a plan.

use crate::planner::run::Plan;

/// Notes that apply to this plan.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        "not calibrated: no figure of a real rollout has been compared with this plan".to_owned(),
    ];
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
    notes.push(
        "flows share links fairly; no packets, no queues: sums mean something, the time \
                of a single connection does not"
            .to_owned(),
    );
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
