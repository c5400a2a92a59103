//! Writes a recording.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use patchmesh_content::id::{Hasher, blake3};

use crate::config::Config;
use crate::input::Input;
use crate::journal::codec::{Form, Reader, Writer};
use crate::output::Output;
use crate::record::Restored;
use crate::rng::Seed;
use crate::time::Now;

/// Longest recording in bytes; what comes later is not recorded.
pub const RECORDING_LEN_MAX: usize = 64 * 1024 * 1024;

/// First bytes of a recording; the number is that of the format.
pub const MAGIC: &[u8; 8] = b"pmjrnl\0\x06";

/// Bytes before the body of a record: its length, and the same inverted, so that
/// an altered length is not taken for the end of a cut file.
pub const RECORD_HEAD_LEN: usize = 8;
/// Bytes after the body: the first ones of its BLAKE3.
pub const RECORD_TAIL_LEN: usize = 8;

/// One record of a recording.
pub fn record(body: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(body.len()).ok()?;
    let (head, not) = (len.to_le_bytes(), (!len).to_le_bytes());
    let digest = blake3(body);
    Some([&head[..], &not, body, &digest[..RECORD_TAIL_LEN]].concat())
}

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

impl Form for Start {
    fn put(&self, to: &mut Writer) {
        self.config.put(to);
        self.anchor.put(to);
        self.restored.put(to);
        self.seed.put(to);
        self.now.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            config: Form::take(from)?,
            anchor: Form::take(from)?,
            restored: Form::take(from)?,
            seed: Form::take(from)?,
            now: Form::take(from)?,
        })
    }
}

/// A running hash of outputs.
#[derive(Debug, Clone, Default)]
pub struct Trail(Hasher);

impl Trail {
    /// Takes an output in.
    pub fn output(&mut self, output: &Output) {
        write!(self, "{output:?};").expect("hashing cannot fail");
    }

    /// The hash so far.
    pub fn finish(&self) -> [u8; 32] {
        self.0.finish()
    }
}

impl fmt::Write for Trail {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// Turns a node's life into bytes. The caller writes them, in order.
#[derive(Debug)]
pub struct Recorder {
    writer: Writer,
    len: usize,
    trail: Trail,
}

impl Recorder {
    /// Begins a recording; returns its first bytes.
    pub fn start(start: &Start) -> (Self, Vec<u8>) {
        let mut recorder = Self {
            writer: Writer::default(),
            len: 0,
            trail: Trail::default(),
        };
        start.put(&mut recorder.writer);
        let record = recorder.record().unwrap_or_default();
        let first = [&MAGIC[..], &record].concat();
        (recorder, first)
    }

    /// The bytes of one input, to be called before `handle`; `None` once the
    /// recording is full, and from then on.
    pub fn input(&mut self, input: &Input, now: Now) -> Option<Vec<u8>> {
        if self.len > RECORDING_LEN_MAX {
            return None;
        }
        now.put(&mut self.writer);
        self.trail.finish().put(&mut self.writer);
        input.put(&mut self.writer);
        self.record()
    }

    /// Takes an output into the running hash; every one but `Wait` that `poll`
    /// gives, and the `Wait` that ends a drain once.
    pub fn output(&mut self, output: &Output) {
        if self.len <= RECORDING_LEN_MAX {
            self.trail.output(output);
        }
    }

    /// The written bytes as a record; `None` if they no longer fit, which ends
    /// the recording.
    fn record(&mut self) -> Option<Vec<u8>> {
        let record = record(&std::mem::take(&mut self.writer.bytes))?;
        self.len = self.len.saturating_add(record.len());
        (self.len <= RECORDING_LEN_MAX).then_some(record)
    }
}
