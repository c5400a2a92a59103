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
/// Live claims remembered per holder and content; an honest one has four at most.
pub const CLAIMS_PER_HOLDER_MAX: usize = 8;
/// Live claims of others remembered per content that one member passed on.
pub const CLAIMS_PASSED_ON_MAX: usize = 256;
/// Own claims at one time; those of them that the source has not confirmed.
pub const CLAIMS_OWN_MAX: usize = 4;
/// Own claims that the source has not confirmed, at one time.
pub const CLAIMS_OPEN_MAX: usize = 2;
/// Fetches in flight in a span that the source has not confirmed.
pub const UNCONFIRMED_FETCHES_MAX: u32 = 2;
/// Fetches in flight from members of the site, over all contents; the rest is for the WAN.
pub const NEAR_FETCHES_MAX: usize = 48;
/// Fetches in flight from one member: more gained nothing when it was measured.
pub const NEAR_FETCHES_PER_PEER_MAX: u32 = 8;
/// Bytes in flight from members of the site.
pub const NEAR_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The same before anything is measured.
pub const NEAR_BYTES_START: u64 = 2 * 1024 * 1024;
/// And where little comes: two chunks, so that one is asked for while one comes.
pub const NEAR_BYTES_MIN: u64 = 256 * 1024;
/// Between these, no more than comes in so many seconds at the measured rate: what
/// waits longer in a medium that members share only makes all wait.
pub const NEAR_SECS: u64 = 1;
/// Bytes in flight from one member.
pub const NEAR_BYTES_PER_PEER_MAX: u64 = 4 * 1024 * 1024;
/// WAN fetches in flight of a node without other members.
pub const WAN_ALONE_MAX: u32 = 16;
/// WAN fetches in flight to a plain HTTP origin.
pub const WAN_HTTP_MAX: u32 = 8;
/// And no more than come in so many seconds at the measured rate.
pub const WAN_HTTP_SECS: u64 = 8;
/// Least window of a site, in chunks.
pub const WINDOW_MIN: u32 = 16;
/// Window of a site before anything is measured.
pub const WINDOW_START: u32 = 16;
/// Largest window of a site, in chunks: what one crash can cost.
pub const WINDOW_MAX: u32 = 64;
/// Chunks being served to one peer at one time.
pub const SERVES_PER_PEER_MAX: u32 = 64;
/// Members of the site that are dialled without a need.
pub const NEIGHBOURS_MAX: usize = 12;
/// The same for holders that a source named.
pub const NEIGHBOURS_NAMED_MAX: usize = 16;
/// Members told to a new one by an origin; the wire's bound.
pub const INTRODUCED_MAX: usize = 16;
/// Members told to a new one by another member.
pub const INTRODUCED_NEAR_MAX: usize = 4;
/// Holders of one lease in a site whose parts cannot reach each other.
pub const LEASE_PARTS_MAX: usize = 8;
/// Unsaid changes after which a have delta leaves at once.
pub const HAVE_BATCH_MAX: u32 = 64;
/// Askers of one site and content whose named holder is remembered, per span.
pub const TOLD_MAX: usize = 16 * 1024;
/// Proofs of equivocation kept, one a role.
pub const PROOFS_MAX: usize = 32;
/// Proofs asked for at one time.
pub const PROOF_ASKS_MAX: usize = 4;
/// Proofs that one peer may offer at one time.
pub const ALARMS_PER_PEER_MAX: usize = 32;
/// Stage steps of one release that may find damaged chunks before a person has to look.
pub const STAGE_REPAIRS_MAX: u32 = 3;
