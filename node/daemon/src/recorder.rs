//! The flight recorder: what went into the engine since the start, in one
//! bounded file that `patchmesh-sim replay` can step through. It holds no key
//! and no chunk byte. The file of the run before is kept beside it. A recording
//! can begin only where an engine begins, so a full one ends and says so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use patchmesh_api::status::{RecorderState, RecorderUse};
use patchmesh_core::input::Input;
use patchmesh_core::journal;
use patchmesh_core::output::Output;
use patchmesh_core::time::Now;

/// File of this run, in the state folder.
const FILE: &str = "recorder/flight.rec";
/// File of the run before.
const FILE_BEFORE: &str = "recorder/flight.before.rec";

/// So many inputs are handed to the system at once; the driver hands over fewer
/// every second. SIGKILL loses no more than that.
const BUFFERED_MAX: u32 = 64;

/// Records until the bound or a full disk; a node works on without it.
pub(crate) struct Recorder {
    recording: Option<Recording>,
    seen: RecorderUse,
}

struct Recording {
    journal: journal::Recorder,
    file: BufWriter<File>,
    /// Inputs that the system has not got yet.
    buffered: u32,
}

impl Recorder {
    /// Records into the state folder, at most `bytes_max`; 0 is off.
    pub(crate) fn start(state: &Path, start: &journal::Start, bytes_max: u64) -> Self {
        let mut recorder = Self {
            recording: None,
            seen: RecorderUse {
                state: RecorderState::Off,
                bytes: 0,
                bytes_max: bytes_max.min(journal::RECORDING_LEN_MAX as u64),
            },
        };
        if bytes_max == 0 {
            return recorder;
        }
        let (journal, first) = journal::Recorder::start(start);
        match open(state) {
            Ok(file) => {
                recorder.recording = Some(Recording {
                    journal,
                    file,
                    buffered: 0,
                });
                recorder.seen.state = RecorderState::Recording;
                recorder.write(&first);
            }
            Err(error) => recorder.fail(&error),
        }
        recorder
    }

    /// How full the recording is.
    pub(crate) fn usage(&self) -> RecorderUse {
        self.seen
    }

    /// One input, before the engine takes it.
    pub(crate) fn input(&mut self, input: &Input, now: Now) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        match recording.journal.input(input, now) {
            Some(bytes) => {
                recording.buffered += 1;
                let full = recording.buffered >= BUFFERED_MAX;
                self.write(&bytes);
                if full {
                    self.flush();
                }
            }
            None => self.fill(),
        }
    }

    /// One output of the engine.
    pub(crate) fn output(&mut self, output: &Output) {
        if let Some(recording) = &mut self.recording {
            recording.journal.output(output);
        }
    }

    /// Hands what is buffered to the system.
    pub(crate) fn flush(&mut self) {
        let flushed = self.recording.as_mut().map(|one| {
            one.buffered = 0;
            one.file.flush()
        });
        if let Some(Err(error)) = flushed {
            self.fail(&error);
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        let after = self.seen.bytes.saturating_add(bytes.len() as u64);
        if after > self.seen.bytes_max {
            return self.fill();
        }
        match recording.file.write_all(bytes) {
            Ok(()) => self.seen.bytes = after,
            Err(error) => self.fail(&error),
        }
    }

    fn fill(&mut self) {
        self.flush();
        if self.recording.take().is_some() {
            self.seen.state = RecorderState::Full;
            tracing::info!(
                bytes = self.seen.bytes,
                "the flight recording is full and ends here: a restart begins a new one, \
                 `recorder.size` makes it longer"
            );
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.recording = None;
        self.seen.state = RecorderState::Failed;
        tracing::warn!(error = %error, "the flight recorder has stopped");
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
