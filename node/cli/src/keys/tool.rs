//! `exec:`: a tool that signs, for keys in tokens and modules. No shell; the
//! bytes go to its standard input, the signature comes from its standard output.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::failure::Failure;
use crate::text::safe;

/// Longest time a tool may take: a person may have to touch a token.
const TIME_MAX: Duration = Duration::from_mins(2);
/// How often the tool is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longest signature in bytes; DER of P-256 has at most 72.
const SIGNATURE_LEN_MAX: u64 = 1024;

/// Runs a tool.
pub(crate) fn run(argv: &[String], message: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (program, arguments) = argv.split_first().context("exec: names no program")?;
    let name = safe(program);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("failed to start {name}"))?;
    let mut stdin = child
        .stdin
        .take()
        .context("the tool has no standard input")?;
    let stdout = child
        .stdout
        .take()
        .context("the tool has no standard output")?;
    thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(message));
        let reader = scope.spawn(move || {
            let mut signature = Vec::new();
            let mut capped = stdout.take(SIGNATURE_LEN_MAX);
            capped.read_to_end(&mut signature).map(|_| signature)
        });
        let ended = wait(&mut child, &name);
        // A tool may sign without reading to the end, or die before; its exit
        // and the check of the signature decide, not the pipe.
        drop(writer.join());
        let signature = reader
            .join()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        ended?;
        signature.with_context(|| format!("failed to read from {name}"))
    })
}

fn wait(child: &mut Child, name: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match child.try_wait().context("failed to wait for the tool")? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                let message = format!("{name} ended with {status}");
                return Err(Failure::failed("E_KEY_TOOL", message).into());
            }
            None if began.elapsed() >= TIME_MAX => {
                // It may have ended by itself in this moment.
                drop(child.kill());
                drop(child.wait());
                let message = format!("{name} took longer than {} s", TIME_MAX.as_secs());
                return Err(Failure::failed("E_KEY_TOOL", message).into());
            }
            None => thread::sleep(LOOK_EVERY),
        }
    }
}
