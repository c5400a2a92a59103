//! Renews snapshot and timestamp of the own repository. The work is done by
//! `patchmesh publish`, with its lock and its checks: the node itself reads no
//! key, and one that is broken into gives away no more than it was told to use.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::troubles::Found;

/// A run may take this long: the key may be in a token.
const TIME_MAX: Duration = Duration::from_secs(150);
/// After a failure the next run comes this soon.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// Longest part of what the tool said that is shown, in characters.
const SAID_CHARS_MAX: usize = 400;
/// Exit code of a tool that found another run at work.
const EXIT_BUSY: i32 = 11;
/// Name of the tool, which lies beside this program.
const TOOL: &str = "patchmesh";

/// How to renew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renewal {
    /// The repository folder.
    pub(crate) repository: PathBuf,
    /// The online key, as `publish --key` takes it.
    pub(crate) key: String,
    /// The public half, where a tool signs.
    pub(crate) public: Option<PathBuf>,
    /// File with the passphrase of the key.
    pub(crate) passphrase: Option<PathBuf>,
    /// Time between two renewals.
    pub(crate) every: Duration,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// The repository has a new timestamp.
    Done,
    /// Somebody else publishes at this moment.
    Busy,
    /// It has not, for this reason.
    Failed(String),
}

impl Renewal {
    /// Runs the tool once. It ends with the future: a node that stops leaves
    /// no tool behind.
    pub(crate) async fn run(self, socket: PathBuf) -> Renewed {
        let child = self.command(&socket).output();
        let output = match timeout(TIME_MAX, child).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Renewed::Failed(format!("{TOOL} did not start: {error}")),
            Err(_) => return Renewed::Failed(format!("{TOOL} took too long")),
        };
        match output.status.code() {
            Some(0) => Renewed::Done,
            Some(EXIT_BUSY) => Renewed::Busy,
            Some(_) | None => Renewed::Failed(last_words(&output.stderr)),
        }
    }

    fn command(&self, socket: &Path) -> Command {
        let mut command = Command::new(tool());
        command.args(["--no-input", "--color", "never", "publish"]);
        command.arg("--repository").arg(&self.repository);
        command.arg("--key").arg(&self.key);
        if let Some(public) = &self.public {
            command.arg("--public").arg(public);
        }
        if let Some(passphrase) = &self.passphrase {
            command.arg("--passphrase-file").arg(passphrase);
        }
        // The tool tells this node that its folder changed.
        command.arg("--socket").arg(socket);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// When the next run is due.
    pub(crate) fn next_after(&self, renewed: &Renewed) -> Duration {
        match renewed {
            Renewed::Done => self.every,
            Renewed::Busy | Renewed::Failed(_) => self.every.min(AGAIN_AFTER),
        }
    }
}

impl Renewed {
    /// The trouble that it is, if any.
    pub(crate) fn trouble(&self) -> Option<Found> {
        match self {
            Self::Done | Self::Busy => None,
            Self::Failed(said) => Some(Found {
                code: "RenewalFailed",
                detail: format!("the timestamp of the repository was not renewed: {said}"),
                hint: "mend origin.online_key or what it names; once the timestamp expires, \
                       nothing is staged any more",
            }),
        }
    }
}

fn tool() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.join(TOOL)));
    let there = beside.filter(|path| path.is_file());
    there.unwrap_or_else(|| PathBuf::from(TOOL))
}

fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().rev();
    let error = lines.find(|line| line.starts_with("error: "));
    let words = error
        .or_else(|| text.lines().last())
        .unwrap_or("it said nothing");
    let plain = words.chars().filter(|c| !c.is_control());
    plain.take(SAID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_the_tool_called_an_error() {
        let said = b"note: x\nerror: the key \x1b[2J is gone [E_X]\nhint: find it\n";
        assert_eq!(last_words(said), "error: the key [2J is gone [E_X]");
        assert_eq!(last_words(b"killed"), "killed");
        assert_eq!(last_words(b""), "it said nothing");
        let failed = Renewed::Failed("x".to_owned());
        assert!(
            failed
                .trouble()
                .is_some_and(|found| found.detail.ends_with(": x"))
        );
        assert_eq!(Renewed::Busy.trouble(), None);
    }
}
