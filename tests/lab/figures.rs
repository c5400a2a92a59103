//! Figures of one site, from all counters of a run.

use serde_json::{Value, json};

use crate::run::Outcome;
use crate::watch::{ratio, wan_payload};

/// Largest chunk on the wire, in bytes: what one chunk known on one node only
/// may cost.
const CHUNK_LEN: u64 = patchmesh_demo::bound::CHUNK_WIRE_LEN_MAX;
/// Chunks of a site that may be known on one node only, at the rate of the
/// laboratory's links (the least of the window).
const WINDOW: u64 = patchmesh_core::limits::WINDOW_MIN as u64;

/// Figures of one site.
#[derive(Debug)]
pub(crate) struct Site {
    /// Number, from 1.
    pub(crate) number: u32,
    /// Endpoints killed.
    pub(crate) killed: usize,
    /// Payload received over the WAN by its honest nodes, over one copy.
    pub(crate) copies: f64,
    /// Payload that the origin sent to it, over one copy.
    pub(crate) copies_sent: f64,
    /// Frames on its WAN link with all headers, over one copy.
    pub(crate) copies_frames: f64,
    /// First, middle and last endpoint, in seconds.
    pub(crate) first: f64,
    /// See `first`.
    pub(crate) median: f64,
    /// See `first`.
    pub(crate) last: f64,
    /// When the WAN link had carried 1 % and 99 % of its bytes, in seconds.
    pub(crate) link: [f64; 2],
    /// All as JSON.
    pub(crate) json: Value,
}

/// Puts the figures of a site together.
pub(crate) fn figures(outcome: &Outcome, number: u32) -> Site {
    let at = number as usize - 1;
    let lab = &outcome.lab;
    let of_site = || lab.nodes.iter().filter(|node| node.site == number);
    let killed = of_site().filter(|node| !node.lives()).count();
    let mut times: Vec<f64> = of_site().filter_map(|node| node.staged_at).collect();
    times.sort_by(f64::total_cmp);
    let time = |at: usize| times.get(at).copied().unwrap_or_default();
    let liar = lab.liar().filter(|liar| liar.site == number);
    let liar = liar.map_or(0, wan_payload);
    let payload = of_site().map(wan_payload).sum::<u64>() - liar;
    let statuses = || of_site().filter_map(|node| node.status.as_ref());
    let near = statuses().map(|s| s.received.lan.payload + s.received.site.payload);
    let link = outcome.links[at];
    let carried = |share: f64| {
        let mut samples = outcome.samples.iter();
        let reached = samples.find(|sample| ratio(sample.links[at].down, link.down) >= share);
        reached.map_or(0.0, |sample| sample.secs)
    };
    let mut site = Site {
        number,
        killed,
        copies: ratio(payload, lab.whole),
        copies_sent: ratio(outcome.origin_sent[at], lab.whole),
        copies_frames: ratio(link.down, lab.whole),
        first: time(0),
        median: time(times.len() / 2),
        last: time(times.len().saturating_sub(1)),
        link: [carried(0.01), carried(0.99)],
        json: Value::Null,
    };
    site.json = json!({
        "site": number,
        "copies": site.copies,
        "copies_sent": site.copies_sent,
        "copies_frames": site.copies_frames,
        "copies_up_frames": ratio(link.up, lab.whole),
        "wan_payload_bytes": payload,
        "liar_wan_payload_bytes": liar,
        "lan_payload_bytes": near.sum::<u64>(),
        "wasted_bytes": statuses().map(|status| status.wasted_bytes).sum::<u64>(),
        "frames_down_bytes": link.down,
        "frames_up_bytes": link.up,
        "frames_dropped": link.dropped,
        "first_secs": site.first,
        "median_secs": site.median,
        "last_secs": site.last,
        "last_in_t_star": site.last / outcome.t_star.max(0.001),
        "link_1_percent_secs": site.link[0],
        "link_99_percent_secs": site.link[1],
        "crash_allowance": allowance_json(killed, lab.whole),
    });
    site
}

/// Copies that crashes of `killed` endpoints may add: `killed * w * c / F`.
pub(crate) fn allowance(killed: usize, whole: u64) -> f64 {
    ratio(killed as u64 * WINDOW * CHUNK_LEN, whole)
}

/// The terms of the allowance.
fn allowance_json(killed: usize, whole: u64) -> Value {
    json!({
        "killed": killed,
        "window_chunks": WINDOW,
        "chunk_bytes": CHUNK_LEN,
        "wire_bytes": whole,
        "copies": allowance(killed, whole),
    })
}
