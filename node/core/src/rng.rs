//! Chance as an argument: a tree of ChaCha generators, so that a new draw in
//! one place shuffles nothing elsewhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use serde::{Deserialize, Serialize};

use patchmesh_content::id::blake3;

/// Seed of a node; the driver draws it from the system, a simulation from its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

/// A deterministic generator.
#[derive(Debug, Clone)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The root of a tree.
    pub fn new(seed: Seed) -> Self {
        Self(ChaCha8Rng::from_seed(seed.0))
    }

    /// A generator for one purpose; the parent advances by one draw.
    #[must_use]
    pub fn fork(&mut self, purpose: &'static str) -> Self {
        let mut material = self.0.next_u64().to_le_bytes().to_vec();
        material.extend_from_slice(purpose.as_bytes());
        Self(ChaCha8Rng::from_seed(blake3(&material)))
    }

    /// Uniform in `0..bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.0.next_u64() % bound
        }
    }
}
