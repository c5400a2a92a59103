//! The stops that a store kept, and what of membership was taken over.

use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::stop::set::{List, Stops};
use patchmesh_trust::stop::signed::SignedStop;

use crate::record::StoredStops;

/// What the repository's file of stops is asked for by.
pub const STOPS_FILE: &str = "stops";

/// The set that a store kept.
pub fn restore(mesh_id: [u8; 32], stored: &StoredStops) -> Stops {
    let kept = stored.outstanding.iter();
    let kept: Vec<_> = kept
        .filter_map(|bytes| SignedStop::decode(bytes).ok())
        .collect();
    let list = stored.list.as_deref();
    let list = list.and_then(|bytes| Revocations::read(bytes).ok());
    let list = list.as_ref().map(List::from);
    Stops::restore(mesh_id, list.unwrap_or_default(), &kept)
}

/// The annexes of membership that were taken over, by their hashes. What they
/// said stays in force until their successors are at hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct TakenOver {
    pub(crate) told: bool,
    pub(crate) keys: Option<[u8; 32]>,
    pub(crate) list: Option<[u8; 32]>,
}
