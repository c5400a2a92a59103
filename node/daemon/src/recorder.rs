//! The flight recorder: what went into the engine since the start, in one
//! bounded file that `patchmesh-sim replay` can step through. It holds no key
//! and no chunk byte. The file of the run before is kept beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use patchmesh_core::input::Input;
use patchmesh_core::journal;
use patchmesh_core::output::Output;
use patchmesh_core::time::Now;

/// File of this run, in the state folder.
const FILE: &str = "recorder/flight.rec";
/// File of the run before.
const FILE_BEFORE: &str = "recorder/flight.before.rec";

/// Records until the bound or a full disk; a node works on without it.
pub(crate) struct Recorder(Option<Recording>);

struct Recording {
    journal: journal::Recorder,
    file: BufWriter<File>,
    left: u64,
}

impl Recorder {
    /// Records into the state folder, at most `bytes_max`; 0 is off.
    pub(crate) fn start(state: &Path, start: &journal::Start, bytes_max: u64) -> Self {
        if bytes_max == 0 {
            return Self(None);
        }
        let (journal, first) = journal::Recorder::start(start);
        let recording = open(state).map(|file| Recording {
            journal,
            file,
            left: bytes_max,
        });
        match recording {
            Ok(recording) => {
                let mut recorder = Self(Some(recording));
                recorder.write(&first);
                recorder
            }
            Err(error) => {
                tracing::warn!(error = %error, "the flight recorder is off");
                Self(None)
            }
        }
    }

    /// One input, before the engine takes it.
    pub(crate) fn input(&mut self, input: &Input, now: Now) {
        let bytes = self
            .0
            .as_mut()
            .and_then(|recording| recording.journal.input(input, now));
        match bytes {
            Some(bytes) => self.write(&bytes),
            None => self.end(),
        }
    }

    /// One output of the engine.
    pub(crate) fn output(&mut self, output: &Output) {
        if let Some(recording) = &mut self.0 {
            recording.journal.output(output);
        }
    }

    /// Hands what is buffered to the system.
    pub(crate) fn flush(&mut self) {
        let failed = self
            .0
            .as_mut()
            .is_some_and(|recording| recording.file.flush().is_err());
        if failed {
            self.0 = None;
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(recording) = &mut self.0 else { return };
        match recording.left.checked_sub(bytes.len() as u64) {
            Some(left) if recording.file.write_all(bytes).is_ok() => recording.left = left,
            Some(_) | None => self.end(),
        }
    }

    fn end(&mut self) {
        self.flush();
        self.0 = None;
    }
}

fn open(state: &Path) -> io::Result<BufWriter<File>> {
    let path = state.join(FILE);
    let folder = path.parent().expect("the file lies in a folder");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    match fs::rename(&path, state.join(FILE_BEFORE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map(BufWriter::new)
}
