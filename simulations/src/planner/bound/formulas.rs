//! Closed forms for flat networks, from the literature.

/// Least time to give a file of `file` bits to `peers` of download rate `down`
/// and upload rate `up` from a source of rate `source`, if they relay to each
/// other (Kumar and Ross, HotWeb 2006).
pub fn minimum_distribution(file: f64, source: f64, peers: f64, down: f64, up: f64) -> f64 {
    let together = peers * file / (source + peers * up);
    (file / source).max(file / down).max(together)
}

/// The same if every peer fetches from the source.
pub fn client_server(file: f64, source: f64, peers: f64, down: f64) -> f64 {
    (peers * file / source).max(file / down)
}

/// Least slots to give `parts` equal parts to `peers`, if each node uploads one
/// part in a slot (Mundinger, Weber, Weiss, J. Scheduling 11, 2008).
pub fn uplink_slots(peers: u64, parts: u64) -> u64 {
    parts + u64::from(peers.max(1).ilog2())
}

/// Crossings of the air for one copy that comes in over the WAN: wireless
/// endpoints get it from the air, and pass it on over the air where no wired
/// one holds it.
pub fn air_crossings(wired: f64, wireless: f64) -> f64 {
    if wireless < 1.0 {
        0.0
    } else if wired >= 1.0 {
        wireless
    } else {
        1.0 + 2.0 * (wireless - 1.0)
    }
}
