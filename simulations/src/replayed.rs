//! `patchmesh-sim replay`: a flight recording, stepped through the engine.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use patchmesh_core::journal::{Moment, RECORDING_LEN_MAX, Replayed, replay, replay_watched};

use crate::capped;

/// Longest line of an input or output that is shown.
const LINE_MAX: usize = 2000;
/// The same in a list.
const LISTED_MAX: usize = 100;

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    file: PathBuf,
    /// Show this input (from 0), what the engine put out for it, and its state after it
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// A line for each input
    #[arg(long, conflicts_with = "step")]
    list: bool,
}

/// Runs the command; `tell` hears of what is wrong.
///
/// # Errors
/// Where `out` cannot be written.
pub fn run(args: &ReplayArgs, out: &mut dyn Write, tell: &dyn Fn(&str)) -> io::Result<ExitCode> {
    let recording = match capped::read(&args.file, RECORDING_LEN_MAX) {
        Ok(recording) => recording,
        Err(error) => {
            tell(&format!("error: {error}"));
            return Ok(ExitCode::from(2));
        }
    };
    let replayed = if args.list {
        list(&recording, out)?
    } else {
        replay(&recording)
    };
    let replayed = match replayed {
        Ok(replayed) => replayed,
        Err(error) => {
            tell(&format!("error: {}: {error}", args.file.display()));
            return Ok(ExitCode::from(2));
        }
    };
    if let Some(step) = args.step {
        if step >= replayed.inputs {
            tell(&asked_too_far(step, &replayed, &args.file));
            return Ok(ExitCode::from(2));
        }
        show(&recording, step, out)?;
    }
    writeln!(out, "{} inputs replayed", replayed.inputs)?;
    if replayed.cut {
        writeln!(out, "the last record is incomplete and was left out")?;
    }
    let Some(at) = replayed.differs_at else {
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(out, "the outputs differ before input {at}")?;
    if let Some(before) = at.checked_sub(1)
        && args.step.is_none()
    {
        writeln!(
            out,
            "this engine, where the recorded one did something else:"
        )?;
        show(&recording, before, out)?;
    }
    Ok(ExitCode::FAILURE)
}

fn asked_too_far(step: u64, replayed: &Replayed, file: &Path) -> String {
    let inputs = replayed.inputs;
    format!(
        "error: {}: no input {step}: there are {inputs}",
        file.display()
    )
}

type Watched = Result<Replayed, patchmesh_core::journal::ReplayError>;

/// A line for each input: number, seconds since the first, what it is, and how much the
/// engine put out.
fn list(recording: &[u8], out: &mut dyn Write) -> io::Result<Watched> {
    let mut written = Ok(());
    let (mut first, mut line) = (None, String::new());
    let replayed = replay_watched(recording, &mut |moment| match moment {
        Moment::Input { number, now, input } => {
            let since = now.mono.since(*first.get_or_insert(now.mono));
            let micros = since.0;
            let secs = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            line = format!(
                "{number:>8} {secs:>14} {}",
                cut(&format!("{input:?}"), LISTED_MAX)
            );
        }
        Moment::Handled { outputs, .. } => {
            if written.is_ok() {
                // The last of them is the wait.
                written = writeln!(out, "{line} -> {}", outputs.len() - 1);
            }
        }
    });
    written.map(|()| replayed)
}

/// One input, its outputs, and the state after it.
fn show(recording: &[u8], step: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    let watched = replay_watched(recording, &mut |moment| match moment {
        Moment::Input { number, now, input } if number == step => {
            let (micros, utc) = (now.mono.0, &now.utc);
            lines.push(format!("input {number} at {micros} us, {utc:?}"));
            lines.push(format!("  {}", cut(&format!("{input:?}"), LINE_MAX)));
        }
        Moment::Handled {
            number,
            now,
            outputs,
            engine,
        } if number == step => {
            for output in outputs {
                lines.push(format!("output {}", cut(&format!("{output:?}"), LINE_MAX)));
            }
            lines.push(format!("state {:#?}", engine.view(now)));
            lines.push(format!("counters {:#?}", engine.counters()));
        }
        Moment::Input { .. } | Moment::Handled { .. } => {}
    });
    // It was replayed before.
    drop(watched);
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
