//! How many copies a site takes over its line, by policy. All but the first are
//! models after public descriptions, assumed until measured.

use crate::planner::scenario::model::{Kind, Policy};

/// Requests that an endpoint of a group has on their way (assumed).
const IN_FLIGHT: f64 = 4.0;
/// Length of what it asks for (assumed).
const PART: f64 = 1_048_576.0;

/// Copies over the line of a site for `on` endpoints in each of `parts` parts
/// that cannot reach each other. All parts take one, also those in which nobody is on
/// yet: what they need is fetched with the first.
pub fn copies(policy: &Policy, size: f64, on: f64, parts: f64) -> f64 {
    let each = (on / parts).max(1.0);
    let one = match policy.kind {
        Kind::Patchmesh | Kind::Cache => 1.0,
        Kind::Grouped => policy.copies.unwrap_or_else(|| grouped(size, each)),
        // A neighbour is as likely to deliver as any other, wherever it is.
        Kind::Bittorrent => policy.copies.unwrap_or_else(|| {
            let local = (each - 1.0).min(f64::from(policy.local));
            let far = f64::from(policy.neighbours - policy.local);
            1.0 + (each - 1.0) * far / (far + local).max(1.0)
        }),
        Kind::Direct => each,
    };
    one.clamp(1.0, each) * parts
}

/// Endpoints know what the others have, but not what they have asked for: a
/// request is in vain with the chance that another has the same on its way.
fn grouped(size: f64, each: f64) -> f64 {
    let all = (size / PART).max(1.0);
    let flying = (each - 1.0) * IN_FLIGHT;
    if flying < 1.0 {
        1.0
    } else if flying >= all {
        each
    } else {
        1.0 + flying / all * (1.0 + (all / flying).ln())
    }
}
