//! Reads a recording and lives it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_content::id::blake3;

use crate::engine::{Engine, StartError};
use crate::input::Input;
use crate::journal::codec::{Form, Reader};
use crate::journal::recorder::{MAGIC, RECORD_HEAD_LEN, RECORD_TAIL_LEN, Start, Trail};
use crate::output::Output;
use crate::time::Now;

/// Why a recording was not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Not a recording of this format, or a record that was altered.
    #[error("failed to read the recording: of another format, or altered")]
    Malformed,
    /// The recorded start is not accepted.
    #[error("failed to start the recorded engine")]
    Start(#[from] StartError),
}

/// How a replay went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Inputs that were replayed.
    pub inputs: u64,
    /// Hash of all outputs.
    pub trail: [u8; 32],
    /// The first input before which the outputs differ from the recorded ones;
    /// the replay stopped there.
    pub differs_at: Option<u64>,
    /// The last record is incomplete, as after a crash; it was left out.
    pub cut: bool,
}

/// What a replay comes to, in this order for each input.
#[derive(Debug)]
pub enum Moment<'a> {
    /// An input is about to be handled.
    Input {
        /// Its number, from 0.
        number: u64,
        /// When it was handled.
        now: Now,
        /// The input.
        input: &'a Input,
    },
    /// It was handled.
    Handled {
        /// Its number.
        number: u64,
        /// When it was handled.
        now: Now,
        /// What the engine put out, the last of it a wait.
        outputs: &'a [Output],
        /// The engine after it.
        engine: &'a Engine,
    },
}

/// Replays a recording with a fresh engine.
pub fn replay(recording: &[u8]) -> Result<Replayed, ReplayError> {
    replay_watched(recording, &mut |_| {})
}

/// Replays a recording before the eyes of somebody.
pub fn replay_watched(
    recording: &[u8],
    watch: &mut dyn FnMut(Moment<'_>),
) -> Result<Replayed, ReplayError> {
    let rest = recording.strip_prefix(MAGIC);
    let mut rest = rest.ok_or(ReplayError::Malformed)?;
    let mut blobs = BTreeMap::new();
    let first = next_record(&mut rest)?.ok_or(ReplayError::Malformed)?;
    let start: Start = read(first, &mut blobs)?;
    let Start {
        config,
        anchor,
        restored,
        seed,
        now,
    } = start;
    let mut engine = Engine::new(config, &anchor, restored, seed, now)?;
    let mut trail = Trail::default();
    drain(&mut engine, &mut trail);
    let mut inputs = 0;
    let mut last = now;
    while let Some(record) = next_record(&mut rest)? {
        let (now, (before, input)): (Now, ([u8; 32], Input)) = read(record, &mut blobs)?;
        if now.mono < last.mono {
            return Err(ReplayError::Malformed);
        }
        last = now;
        if before != trail.finish() {
            return Ok(Replayed {
                inputs,
                trail: trail.finish(),
                differs_at: Some(inputs),
                cut: false,
            });
        }
        let number = inputs;
        watch(Moment::Input {
            number,
            now,
            input: &input,
        });
        engine.handle(input, now);
        let outputs = drain(&mut engine, &mut trail);
        watch(Moment::Handled {
            number,
            now,
            outputs: &outputs,
            engine: &engine,
        });
        inputs += 1;
    }
    Ok(Replayed {
        inputs,
        trail: trail.finish(),
        differs_at: None,
        cut: !rest.is_empty(),
    })
}

fn drain(engine: &mut Engine, trail: &mut Trail) -> Vec<Output> {
    let mut outputs = Vec::new();
    loop {
        let output = engine.poll();
        trail.output(&output);
        let last = matches!(output, Output::Wait(_));
        outputs.push(output);
        if last {
            return outputs;
        }
    }
}

/// The body of the next record; `None` at the end, or where the file was cut.
fn next_record<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, ReplayError> {
    let Some((head, after)) = rest.split_first_chunk::<RECORD_HEAD_LEN>() else {
        return Ok(None);
    };
    let [a, b, c, d, not @ ..] = *head;
    let len = u32::from_le_bytes([a, b, c, d]);
    if len != !u32::from_le_bytes(not) {
        return Err(ReplayError::Malformed);
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let Some((body, after)) = after.split_at_checked(len) else {
        return Ok(None);
    };
    let Some((tail, after)) = after.split_first_chunk::<RECORD_TAIL_LEN>() else {
        return Ok(None);
    };
    if blake3(body)[..RECORD_TAIL_LEN] != *tail {
        return Err(ReplayError::Malformed);
    }
    *rest = after;
    Ok(Some(body))
}

fn read<T: Form>(
    record: &[u8],
    blobs: &mut BTreeMap<[u8; 32], Arc<[u8]>>,
) -> Result<T, ReplayError> {
    let mut reader = Reader::new(record, blobs);
    let value = T::take(&mut reader).filter(|_| reader.is_empty());
    value.ok_or(ReplayError::Malformed)
}

#[cfg(test)]
mod tests;
