//! `ssh-agent:`: keys that an agent holds (draft-ietf-sshm-ssh-agent). The agent
//! may be anything that listens on a socket: its answers are bounded in bytes
//! and time, and its signatures are checked before they are used.

use std::env;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use patchmesh_trust::key::PublicKey;

use crate::failure::Failure;
use crate::keys::ssh::{self, Reader, push_string};
use crate::text::safe;

/// Where the agent listens.
const SOCKET: &str = "SSH_AUTH_SOCK";
/// Longest time for a connection: nobody is asked anything yet.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Longest time for an answer: the agent may ask a person to agree.
const TIME_MAX: Duration = Duration::from_mins(2);
/// Longest message either way; OpenSSH's agent takes no longer one.
const MESSAGE_LEN_MAX: usize = 256 * 1024;
/// Most keys that are looked at.
const KEYS_MAX: u32 = 1024;

const FAILURE: u8 = 5;
const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;

/// A key that the agent holds.
#[derive(Debug, Clone)]
pub(crate) struct AgentKey {
    /// Its comment, or its fingerprint where it has none.
    pub(crate) name: String,
    /// The public half.
    pub(crate) public: PublicKey,
    blob: Vec<u8>,
}

struct Listed<'a> {
    blob: &'a [u8],
    comment: String,
}

/// The key with this fingerprint, or else with this comment, if it is the only one.
pub(crate) fn find(wanted: &str) -> anyhow::Result<AgentKey> {
    let answer = ask(&[LIST])?;
    let keys = listed(&answer).ok_or_else(broken)?;
    let chosen = choose(&keys, wanted)?;
    let fingerprint = ssh::fingerprint(chosen.blob);
    let public = ssh::key(chosen.blob).map_err(|why| {
        let message = format!("{fingerprint} in the agent cannot sign: {why}");
        let hint = "Ed25519 and P-256 do: ssh-keygen -t ed25519, or -t ecdsa -b 256";
        Failure::failed("E_KEY_KIND", message).hint(hint)
    })?;
    let name = if chosen.comment.is_empty() {
        fingerprint
    } else {
        chosen.comment.clone()
    };
    let blob = chosen.blob.to_vec();
    Ok(AgentKey { name, public, blob })
}

fn choose<'a, 'b>(keys: &'a [Listed<'b>], wanted: &str) -> anyhow::Result<&'a Listed<'b>> {
    let by_print = keys.iter().find(|key| ssh::fingerprint(key.blob) == wanted);
    if let Some(key) = by_print {
        return Ok(key);
    }
    let named: Vec<_> = keys.iter().filter(|key| key.comment == wanted).collect();
    match named[..] {
        [key] => Ok(key),
        [] => {
            let message = format!("the agent holds no key {}", safe(wanted));
            let failure = Failure::failed("E_NO_KEY", message);
            Err(failure.hint("ssh-add -l lists what it holds").into())
        }
        _ => {
            let message = format!("the agent holds {} keys {}", named.len(), safe(wanted));
            let failure = Failure::failed("E_NO_KEY", message);
            Err(failure
                .hint("name the fingerprint that ssh-add -l prints")
                .into())
        }
    }
}

fn listed(answer: &[u8]) -> Option<Vec<Listed<'_>>> {
    let (kind, rest) = answer.split_first()?;
    let mut reader = Reader(rest);
    let count = reader.number()?;
    if *kind != LISTED || count > KEYS_MAX {
        return None;
    }
    let keys = (0..count).map(|_| {
        let blob = reader.string()?;
        let comment = String::from_utf8_lossy(reader.string()?).into_owned();
        Some(Listed { blob, comment })
    });
    keys.collect()
}

impl AgentKey {
    /// Has the agent sign; the caller checks the signature.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut request = vec![SIGN];
        let pushed = push_string(&mut request, &self.blob)
            .and_then(|()| push_string(&mut request, message))
            .and_then(|()| u32::try_from(request.len()).ok());
        request.extend_from_slice(&0u32.to_be_bytes());
        if pushed.is_none() || request.len() > MESSAGE_LEN_MAX {
            let message = format!(
                "{} bytes are more than an agent signs; it takes {MESSAGE_LEN_MAX}",
                message.len()
            );
            let failure = Failure::failed("E_KEY_AGENT", message);
            return Err(failure.hint("sign with a key file").into());
        }
        let answer = ask(&request)?;
        if answer == [FAILURE] {
            let message = format!("the agent did not sign with {}", safe(&self.name));
            let failure = Failure::failed("E_KEY_AGENT", message);
            let hint = "it may be locked, or somebody refused; ssh-add -l lists its keys";
            return Err(failure.hint(hint).into());
        }
        signature(&answer).ok_or_else(broken)
    }
}

fn signature(answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, rest) = answer.split_first()?;
    let blob = Reader(rest).string()?;
    ssh::signature(blob).filter(|_| *kind == SIGNED)
}

/// Sends one request and reads its answer, both with their length before them.
fn ask(request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let path = env::var_os(SOCKET).filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| {
        let failure = Failure::failed("E_KEY_AGENT", format!("{SOCKET} is not set"));
        failure.hint("start one: eval $(ssh-agent); ssh-add FILE")
    })?;
    let shown = safe(&path.to_string_lossy());
    let deadline = Instant::now() + TIME_MAX;
    let connected = in_time(CONNECT_MAX, move || UnixStream::connect(path)).ok_or_else(|| {
        let secs = CONNECT_MAX.as_secs();
        let message = format!("the agent at {shown} took no connection within {secs} s");
        let failure = Failure::failed("E_KEY_AGENT", message);
        failure.hint("it may hang: start another one, and set SSH_AUTH_SOCK to it")
    })?;
    let mut stream = connected.with_context(|| format!("failed to reach the agent at {shown}"))?;
    stream.set_write_timeout(Some(TIME_MAX))?;
    let mut framed = Vec::with_capacity(request.len() + 4);
    push_string(&mut framed, request).ok_or_else(broken)?;
    stream
        .write_all(&framed)
        .context("failed to ask the agent")?;
    let mut head = [0u8; 4];
    fill(&mut stream, &mut head, deadline)?;
    let len = usize::try_from(u32::from_be_bytes(head))?;
    if len == 0 || len > MESSAGE_LEN_MAX {
        return Err(broken());
    }
    let mut answer = vec![0u8; len];
    fill(&mut stream, &mut answer, deadline)?;
    Ok(answer)
}

/// What some work gives, if it is done in time. Connecting to a socket whose
/// owner takes no connections blocks without end, and knows no limit of its own;
/// what is left behind ends with the process.
fn in_time<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || drop(done.send(work())));
    result.recv_timeout(limit).ok()
}

/// Reads so many bytes before a time, however slowly they come.
fn fill(stream: &mut UnixStream, bytes: &mut [u8], deadline: Instant) -> anyhow::Result<()> {
    let mut at = 0;
    while at < bytes.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes[at..]) {
            Ok(0) => return Err(broken()),
            Ok(len) => at += len,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_late(&error) => return Err(late()),
            Err(error) => return Err(error).context("failed to hear the agent"),
        }
    }
    Ok(())
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn late() -> anyhow::Error {
    let message = format!("the agent took longer than {} s", TIME_MAX.as_secs());
    Failure::failed("E_KEY_AGENT", message).into()
}

fn broken() -> anyhow::Error {
    let message = "what the agent answered is not of the agent protocol";
    let failure = Failure::failed("E_KEY_AGENT", message);
    failure.hint(format!("check {SOCKET}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[(&[u8], &str)]) -> Vec<u8> {
        let mut bytes = vec![LISTED];
        let count = u32::try_from(keys.len()).unwrap();
        bytes.extend_from_slice(&count.to_be_bytes());
        for (blob, comment) in keys {
            push_string(&mut bytes, blob).unwrap();
            push_string(&mut bytes, comment.as_bytes()).unwrap();
        }
        bytes
    }

    #[test]
    fn a_comment_that_two_keys_have_names_neither() {
        let answer = list(&[(b"one", "a"), (b"two", "b"), (b"three", "b")]);
        let keys = listed(&answer).unwrap();
        assert_eq!(choose(&keys, "a").unwrap().blob, b"one");
        let print = ssh::fingerprint(b"three");
        assert_eq!(choose(&keys, &print).unwrap().blob, b"three");
        assert!(choose(&keys, "b").is_err());
        assert!(choose(&keys, "c").is_err());
    }

    #[test]
    fn a_fingerprint_wins_over_a_comment_that_imitates_it() {
        let print = ssh::fingerprint(b"genuine");
        let answer = list(&[(b"other", &print), (b"genuine", "a")]);
        let keys = listed(&answer).unwrap();
        assert_eq!(choose(&keys, &print).unwrap().blob, b"genuine");
    }

    #[test]
    fn what_never_comes_is_waited_for_no_longer_than_the_limit() {
        let (_kept, never) = mpsc::channel::<()>();
        let limit = Duration::from_millis(20);
        assert_eq!(in_time(limit, move || never.recv()), None);
        assert_eq!(in_time(TIME_MAX, || 7), Some(7));
    }

    #[test]
    fn cut_and_overlong_answers_are_refused() {
        let answer = list(&[(b"one", "a"), (b"two", "b")]);
        for len in 0..answer.len() {
            assert!(listed(&answer[..len]).is_none(), "{len}");
            assert!(signature(&answer[..len]).is_none(), "{len}");
        }
        let many = [&[LISTED][..], &u32::MAX.to_be_bytes(), &[0; 64]].concat();
        assert!(listed(&many).is_none());
    }
}
