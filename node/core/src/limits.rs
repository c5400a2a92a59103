//! Every bound of the state of one node, each with its reason.

/// Admitted peers: neighbours of a site, the origin and a reserve.
pub const PEERS_MAX: usize = 256;
/// Contents worked with at one time.
pub const CONTENTS_MAX: usize = 64;
/// Fetches in flight, over all contents.
pub const FETCHES_MAX: usize = 64;
/// Chunks being served at one time by an origin; enough for 20 endpoints with three each.
pub const SERVES_ORIGIN_MAX: usize = 256;
/// Chunks being served at one time by an endpoint.
pub const SERVES_MAX: usize = 64;
/// Live claims remembered per content.
pub const CLAIMS_MAX: usize = 1024;
/// Live leases per site at a source.
pub const LEASES_PER_SITE_MAX: usize = 64;
/// Candidates for dialling that are remembered.
pub const CANDIDATES_MAX: usize = 256;
/// Documents asked for at one time.
pub const ASKS_MAX: usize = 16;
/// Documents being answered at one time.
pub const ASKED_MAX: usize = 64;
/// Recorded events of a peer's misbehaviour before it is refused.
pub const ALARMS_MAX: usize = 64;
