//! Waiting for a condition, with a bound.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until something is there.
///
/// # Panics
/// If it is not there within this time.
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < within,
            "after {} s still waiting until {what}",
            within.as_secs()
        );
        std::thread::sleep(LOOK_EVERY);
    }
}
