//! One direction of a link: its rate, and what passed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How far the link may fall behind its rate before it forgives the difference.
const CATCH_UP: Duration = Duration::from_millis(20);

/// One direction: a clock that says when the link is free again.
#[derive(Debug)]
pub(super) struct Direction {
    bits_per_sec: u64,
    free: Mutex<Instant>,
    bytes: AtomicU64,
}

impl Direction {
    pub(super) fn new(bits_per_sec: u64) -> Self {
        Self {
            bits_per_sec,
            free: Mutex::new(Instant::now()),
            bytes: AtomicU64::new(0),
        }
    }

    /// Waits until the link has carried `bytes` more, and counts them; first
    /// come, first served.
    pub(super) async fn wait_for(&self, bytes: usize) {
        let until = {
            let mut free = self.free.lock().await;
            let now = Instant::now();
            let start = (*free).max(now - CATCH_UP);
            let bits = bytes as u64 * 8;
            *free = start + Duration::from_nanos(bits * 1_000_000_000 / self.bits_per_sec.max(1));
            *free
        };
        sleep_until(until).await;
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes carried so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
