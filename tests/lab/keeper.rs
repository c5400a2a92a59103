//! Leaves nothing behind: a second copy of this program holds a pipe to the
//! first. Once that closes, whether the first ended, was interrupted or was
//! killed, it ends the processes, the namespaces and the folder it was told of.

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::namespace;
use crate::result::Result;

/// Argument that makes this program the keeper.
pub(crate) const ARGUMENT: &str = "--keeper";

/// The first copy's hold on its keeper.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Keeper {
    /// Starts the second copy.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        // An interrupt from the terminal reaches a whole process group.
        command.arg(ARGUMENT).process_group(0);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// A process to end.
    pub(crate) fn process(&mut self, id: u32) -> Result<()> {
        self.tell("process", &id.to_string())
    }

    /// A namespace to delete, after the processes.
    pub(crate) fn namespace(&mut self, name: &str) -> Result<()> {
        self.tell("namespace", name)
    }

    /// A folder to remove, last.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<()> {
        self.tell("folder", &path.to_string_lossy())
    }

    fn tell(&mut self, kind: &str, what: &str) -> Result<()> {
        let pipe = self.pipe.as_mut().ok_or("the keeper is gone")?;
        Ok(writeln!(pipe, "{kind} {what}")?)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        drop(self.child.wait());
    }
}

/// The keeper's life.
pub(crate) fn serve() {
    let lines = std::io::stdin()
        .lock()
        .lines()
        .map_while(std::result::Result::ok);
    let told: Vec<(String, String)> = lines
        .filter_map(|line| {
            let (kind, what) = line.split_once(' ')?;
            Some((kind.to_owned(), what.to_owned()))
        })
        .collect();
    let of = |wanted: &'static str| told.iter().filter(move |(kind, _)| kind == wanted);
    let namespaces: Vec<&String> = of("namespace").map(|(_, name)| name).collect();
    // An id may be another's by now: only what lives in our namespaces ends.
    let ours = namespace::processes(&namespaces);
    for (_, id) in of("process").filter(|(_, id)| ours.contains(id)) {
        drop(Command::new("kill").args(["-KILL", id]).status());
    }
    for name in namespaces {
        drop(namespace::delete(name));
    }
    for (_, path) in of("folder") {
        drop(fs::remove_dir_all(path));
    }
}
