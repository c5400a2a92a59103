//! Coarse units: the engine sees a release of fewer chunks, on a slower clock.
//!
//! A unit of c bytes is shown to the engine as one chunk of mean length, on a
//! clock that runs c / 128 KiB times slower than the world. So a unit takes as
//! long on that clock as a chunk would on the same line, and all of the core's
//! timers and windows keep their proportion to it. What is overstated, by that
//! factor, are delays that do not grow with the unit: batches of announcements,
//! retries, the search for neighbours at the start. `grain.rs` takes them out.

use std::sync::Arc;

use patchmesh_content::geometry::CHUNK_LEN_MEAN;

/// Most and least units of a release whose unit is not given, about.
const UNITS: (f64, f64) = (1024.0, 256.0);
/// Units over all endpoints that are to be moved then: about two minutes of work
/// of two processors.
const MOVED: f64 = 25e6;
/// Smallest and largest unit that is chosen.
const CHOSEN: (f64, f64) = (131_072.0, 8_388_608.0);
/// Most units: what the engine's bitfields are meant for.
const UNITS_MAX: f64 = 65_536.0;

/// How a release is cut.
#[derive(Debug, Clone)]
pub struct Units {
    /// Bytes of a unit.
    pub bytes: f64,
    /// How much slower the engine's clock runs.
    pub slow: f64,
    /// Lengths as the engine sees them.
    pub lens: Arc<[u32]>,
}

impl Units {
    /// Cuts a release of `size` bytes for so many endpoints.
    pub fn new(size: f64, unit: Option<u64>, endpoints: usize) -> Self {
        let chosen = || {
            let count = (MOVED / endpoints.max(1) as f64).clamp(UNITS.1, UNITS.0);
            (size / count)
                .log2()
                .floor()
                .exp2()
                .clamp(CHOSEN.0, CHOSEN.1)
        };
        let bytes = unit.map_or_else(chosen, |unit| unit as f64);
        let bytes = bytes.max(CHOSEN.0).max((size / UNITS_MAX).ceil());
        let slow = bytes / f64::from(CHUNK_LEN_MEAN);
        let count = (size / bytes).ceil().max(1.0) as u32;
        let last = ((size - f64::from(count - 1) * bytes) / slow)
            .ceil()
            .max(1.0) as u32;
        let len = |at| {
            if at + 1 == count {
                last
            } else {
                CHUNK_LEN_MEAN
            }
        };
        Self {
            bytes,
            slow,
            lens: (0..count).map(len).collect(),
        }
    }

    /// The same release in units so many times as large.
    #[must_use]
    pub fn coarser(&self, size: f64, times: f64) -> Self {
        Self::new(size, Some((self.bytes * times) as u64), 1)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.lens.len()).unwrap_or(u32::MAX)
    }

    /// Units that an endpoint holds with a part of the release; rounded down,
    /// so that nothing is got for free.
    pub fn held(&self, overlap: f64) -> u32 {
        (f64::from(self.count()) * overlap).floor() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gibibytes_are_256_units_of_eight_mebibytes() {
        assert_eq!(Units::new(2_147_483_648.0, None, 100).count(), 1024);
        assert_eq!(Units::new(2_147_483_648.0, None, 100_000).count(), 256);
        let units = Units::new(2_147_483_648.0, Some(8 << 20), 100);
        assert_eq!(units.coarser(2_147_483_648.0, 2.0).count(), 128);
        assert_eq!(
            (units.count(), units.bytes, units.slow),
            (256, 8_388_608.0, 64.0)
        );
        let odd = Units::new(300_000.0, None, 1);
        assert_eq!((odd.count(), odd.slow), (3, 1.0));
        assert_eq!(odd.lens.iter().sum::<u32>(), 300_000);
        assert_eq!(units.held(0.45), 115);
    }
}
