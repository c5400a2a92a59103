//! HTTP/1.1 GET, blocking and plain: all that a TUF client needs, since what
//! comes is verified by signatures and hashes and not by where it came from.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::failure::Failure;

/// Time for a connection, and how far an answer may lag behind [`RATE_MIN`].
const PATIENCE: Duration = Duration::from_secs(30);
/// Slowest rate that is waited for, in bytes per second.
const RATE_MIN: u32 = 16 * 1024;
/// Longest line of a head, and of a chunk's size.
const LINE_LEN_MAX: u64 = 8 * 1024;
/// Lines of a head.
const LINES_MAX: usize = 128;
/// Bytes handed on at a time.
const PART: usize = 64 * 1024;

/// Whether there was something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The body was handed on, whole.
    Body,
    /// The server says 404, or 403 as file servers do that hide what is missing.
    Nothing,
}

/// A folder on a server.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Host and perhaps port, as the URL has them.
    host: String,
    path: String,
}

impl Base {
    /// Reads `http://HOST[:PORT]/PATH`.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let bad = |why: &str| {
            let failure = Failure::failed("E_URL", format!("{url:?} {why}"));
            failure.hint("give it as http://HOST:PORT/PATH")
        };
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['?', '#', '@']) {
            return Err(bad("has characters that no plain URL has").into());
        }
        let rest = url.strip_prefix("http://");
        let rest = rest.ok_or_else(|| bad("is no http:// URL; signatures protect what comes"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(bad("names no host").into());
        }
        Ok(Self {
            host: host.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Gets what is at `name` below this folder, at most `len_max` bytes, and
    /// hands it on in parts. The name is encoded already.
    pub(crate) fn get(
        &self,
        name: &str,
        len_max: u64,
        take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Found> {
        let slash = if self.path.is_empty() { "" } else { "/" };
        let path = format!("/{}{slash}{name}", self.path);
        self.exchange(&path, len_max, take)
            .with_context(|| format!("failed to get http://{}{path}", self.host))
    }

    fn exchange(
        &self,
        path: &str,
        len_max: u64,
        take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Found> {
        let stream = self.connect()?;
        let until = Instant::now() + PATIENCE;
        let mut stream = Timed {
            stream,
            until,
            end: until + Duration::from_secs(len_max) / RATE_MIN,
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: patchmesh/{}\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
            self.host,
            env!("CARGO_PKG_VERSION"),
        );
        stream.stream.set_write_timeout(Some(PATIENCE))?;
        stream.stream.write_all(request.as_bytes())?;
        let mut stream = BufReader::new(stream);
        let head = Head::read(&mut stream)?;
        match head.status {
            200 => {}
            403 | 404 => return Ok(Found::Nothing),
            301 | 302 | 303 | 307 | 308 => bail!("the server redirects; give its new URL"),
            status => bail!("the server says {status}"),
        }
        let mut left = len_max;
        let mut take = |bytes: &[u8]| {
            let rest = left.checked_sub(bytes.len() as u64);
            left = rest.ok_or_else(|| {
                let message = format!("it is longer than {len_max} bytes");
                Failure::trust("E_TRUST_TOO_LARGE", message)
            })?;
            take(bytes)
        };
        match head.len {
            Len::Chunked => chunks(&mut stream, &mut take)?,
            Len::Known(len) if len > len_max => {
                let message = format!("it has {len} bytes, more than {len_max}");
                return Err(Failure::trust("E_TRUST_TOO_LARGE", message).into());
            }
            Len::Known(len) => pass(&mut stream, len, &mut take)?,
            Len::UntilEnd => {
                // One more byte than allowed, so that more is noticed.
                copy(&mut stream.take(len_max.saturating_add(1)), &mut take)?;
            }
        }
        Ok(Found::Body)
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        let with_port = |host: &str| {
            let after_bracket = host.rsplit(']').next().unwrap_or(host);
            if after_bracket.contains(':') {
                host.to_owned()
            } else {
                format!("{host}:80")
            }
        };
        let mut last = None;
        for address in with_port(&self.host).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || io::Error::from(io::ErrorKind::NotFound).into(),
            Into::into,
        ))
    }
}

/// A connection that ends at a time. Each byte earns the time that it may take,
/// so that one which stalls or trickles ends soon, however long the body is; and
/// what is no body earns nothing beyond the end.
struct Timed {
    stream: TcpStream,
    until: Instant,
    end: Instant,
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let len = self.stream.read(bytes)?;
        let earned = Duration::from_secs(len as u64) / RATE_MIN;
        self.until = self.end.min(self.until + earned);
        Ok(len)
    }
}

/// How the end of a body is known.
enum Len {
    Chunked,
    Known(u64),
    UntilEnd,
}

struct Head {
    status: u16,
    len: Len,
}

impl Head {
    fn read(stream: &mut BufReader<Timed>) -> anyhow::Result<Self> {
        let first = line(stream)?;
        let mut words = first.split(' ');
        let version = words.next().unwrap_or_default();
        ensure!(version.starts_with("HTTP/1."), "the answer is no HTTP/1.1");
        let status = words.next().unwrap_or_default().parse();
        let mut len = Len::UntilEnd;
        for _ in 0..LINES_MAX {
            let line = line(stream)?;
            if line.is_empty() {
                let status = status.context("the answer has no status")?;
                return Ok(Self { status, len });
            }
            let (name, value) = line.split_once(':').context("a header has no colon")?;
            let value = value.trim();
            match (name.to_ascii_lowercase().as_str(), &len) {
                ("transfer-encoding", Len::UntilEnd) if value.eq_ignore_ascii_case("chunked") => {
                    len = Len::Chunked;
                }
                ("content-length", Len::UntilEnd) => {
                    len = Len::Known(value.parse().context("a length is no number")?);
                }
                ("transfer-encoding" | "content-length", _) => {
                    bail!("the answer states its length twice, or in an unknown way")
                }
                _ => {}
            }
        }
        bail!("the head of the answer has more than {LINES_MAX} lines")
    }
}

fn line(stream: &mut BufReader<Timed>) -> anyhow::Result<String> {
    let mut line = String::new();
    stream.by_ref().take(LINE_LEN_MAX).read_line(&mut line)?;
    let end = line.strip_suffix('\n').context("a line has no end")?;
    Ok(end.strip_suffix('\r').unwrap_or(end).to_owned())
}

/// Hands on exactly so many bytes.
fn pass(
    stream: &mut BufReader<Timed>,
    len: u64,
    take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let came = copy(&mut stream.take(len), take)?;
    ensure!(came == len, "the answer ends after {came} of {len} bytes");
    Ok(())
}

fn chunks(
    stream: &mut BufReader<Timed>,
    take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    loop {
        let size = line(stream)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let len = u64::from_str_radix(size, 16).context("a chunk has no size")?;
        if len == 0 {
            return Ok(());
        }
        pass(stream, len, take)?;
        ensure!(line(stream)?.is_empty(), "a chunk is longer than it says");
    }
}

fn copy(
    from: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut part = vec![0; PART];
    let mut came = 0;
    loop {
        let len = match from.read(&mut part) {
            Ok(0) => return Ok(came),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        came += len as u64;
        take(&part[..len])?;
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// 19 `slow-retrieval`: a signed length of any size buys a server no time.
    #[test]
    fn a_server_that_stalls_is_left_behind() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let until = Instant::now() + PATIENCE;
        let longest = Duration::from_secs(i64::MAX as u64) / RATE_MIN;
        let mut stream = Timed {
            stream,
            until,
            end: until + longest,
        };
        server.write_all(&[0; 1024]).unwrap();
        let mut bytes = [0; 1024];
        stream.read_exact(&mut bytes).unwrap();
        let earned = Duration::from_secs(1024) / RATE_MIN;
        assert_eq!(stream.until, until + earned);
        stream.until = Instant::now() + Duration::from_millis(50);
        assert!(stream.read(&mut bytes).is_err());
        stream.until = until;
        stream.end = until;
        server.write_all(b"x").unwrap();
        assert_eq!(stream.read(&mut bytes).unwrap(), 1);
        assert_eq!(stream.until, until, "nothing is earned beyond the end");
    }
}
