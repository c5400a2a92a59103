//! Leaves no process behind: a second copy of this program holds a pipe to the
//! first and ends every process on its list once that pipe closes, whether the
//! first ended, was interrupted or was killed.

use std::io::{BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Argument that makes a program the warden.
pub const ARGUMENT: &str = "--warden";

/// The first copy's hold on its warden.
#[derive(Debug)]
pub struct Warden {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Warden {
    /// Starts a warden from this program, which must call [`serve`] when its
    /// first argument is [`ARGUMENT`]; in tests another program can be named.
    pub fn start(program: &std::path::Path) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        // An interrupt from the terminal reaches a whole process group.
        let mut child = command
            .process_group(0)
            .spawn()
            .context("failed to start the warden")?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// Puts a process on the list.
    pub fn watch(&mut self, pid: u32) -> Result<()> {
        let pipe = self.pipe.as_mut().context("the warden is gone")?;
        writeln!(pipe, "{pid}").context("the warden is gone")
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // Closing the pipe ends the warden, and with it what is on its list.
        drop(self.pipe.take());
        drop(self.child.wait());
    }
}

/// The warden's life: reads process ids until the pipe closes, then ends them.
pub fn serve() {
    let lines = std::io::stdin().lock().lines();
    let ids: Vec<i32> = lines
        .map_while(Result::ok)
        .filter_map(|line| line.parse().ok())
        .collect();
    for pid in ids.into_iter().filter_map(Pid::from_raw) {
        // One that has ended already is what is wanted.
        kill_process(pid, Signal::KILL).unwrap_or_default();
    }
}
