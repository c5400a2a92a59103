//! Blocking client of the control socket.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::answer::Answer;
use crate::limits::{ANSWER_LEN_MAX, ANSWER_TIMEOUT};
use crate::line::{LineRefusal, decode_answer, encode_request};
use crate::request::Request;

/// Failure to reach a node.
#[derive(Debug, thiserror::Error)]
#[error("failed to reach a node at {}", path.display())]
pub struct ConnectError {
    /// The socket.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Failure of a conversation.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The node closed the connection before its last line.
    #[error("failed to read an answer: the node closed the connection")]
    Closed,
    /// Nothing came for [`ANSWER_TIMEOUT`].
    #[error("failed to read an answer: the node was silent for {} s", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// The connection failed.
    #[error("failed to talk to the node")]
    Io(#[source] io::Error),
    /// The node sent a line that is not an answer.
    #[error("failed to read an answer: {0}")]
    Line(#[from] LineRefusal),
}

impl AskError {
    /// A timeout of a socket is `WouldBlock` on some systems and `TimedOut` on others.
    fn of(error: io::Error) -> Self {
        let silent = [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock];
        if silent.contains(&error.kind()) {
            Self::Silent
        } else {
            Self::Io(error)
        }
    }
}

/// A connection to a node.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Connects.
    pub fn connect(path: &Path) -> Result<Self, ConnectError> {
        let connect = || {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
            Ok(stream)
        };
        match connect() {
            Ok(stream) => Ok(Self {
                reader: BufReader::new(stream),
            }),
            Err(source) => Err(ConnectError {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Asks, and returns the last line of the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, AskError> {
        self.follow(request, |_| ())
    }

    /// Asks, hands every line but the last to `seen`, and returns the last.
    pub fn follow(
        &mut self,
        request: &Request,
        mut seen: impl FnMut(&Answer),
    ) -> Result<Answer, AskError> {
        match self.reader.get_mut().write_all(&encode_request(request)) {
            // A node without room answers and hangs up before it has read anything.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written.map_err(AskError::of)?,
        }
        loop {
            let answer = self.read()?;
            if answer.is_last() {
                return Ok(answer);
            }
            seen(&answer);
        }
    }

    fn read(&mut self) -> Result<Answer, AskError> {
        let mut line = Vec::new();
        let cap = u64::try_from(ANSWER_LEN_MAX).unwrap_or(u64::MAX);
        self.reader
            .by_ref()
            .take(cap.saturating_add(1))
            .read_until(b'\n', &mut line)
            .map_err(AskError::of)?;
        if line.len() > ANSWER_LEN_MAX {
            return Err(LineRefusal::TooLong.into());
        }
        if line.last() != Some(&b'\n') {
            return Err(AskError::Closed);
        }
        Ok(decode_answer(&line)?)
    }
}

#[cfg(test)]
mod tests;
