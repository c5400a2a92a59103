//! The wall clock, read once per run of a verb.

use std::time::{SystemTime, UNIX_EPOCH};

use patchmesh_trust::time::UtcTime;

/// Now.
pub(crate) fn now() -> UtcTime {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    };
    UtcTime(seconds)
}

/// A time for people.
pub(crate) fn shown(time: UtcTime) -> String {
    time.format().unwrap_or_else(|| format!("{} s", time.0))
}
