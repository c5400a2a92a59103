//! A plain web server over a published folder: GET, Range, nothing else; on
//! demand it breaks off or never ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of an answer that never ends.
const ENDLESS_MAX: u64 = 1 << 30;

/// How it answers for paths that contain a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// Half of the file, then the connection closes.
    BreakOff,
    /// Zeros without a stated length, until the client has had enough.
    NeverEnd,
    /// The whole file, whatever part is asked for.
    NoRange,
}

type Tricks = Arc<Mutex<Option<(String, Trick)>>>;

/// The server. Its threads end with the process.
#[derive(Debug)]
pub struct Web {
    /// Its base address.
    pub base: String,
    packs: Arc<AtomicU64>,
    endless: Arc<AtomicU64>,
    tricked: Arc<AtomicU64>,
    tricks: Tricks,
}

/// What all connections share.
#[derive(Debug, Clone)]
struct Shared {
    folder: PathBuf,
    packs: Arc<AtomicU64>,
    endless: Arc<AtomicU64>,
    tricked: Arc<AtomicU64>,
    tricks: Tricks,
}

impl Web {
    /// Serves a folder.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound port");
        let shared = Shared {
            folder: folder.to_owned(),
            packs: Arc::default(),
            endless: Arc::default(),
            tricked: Arc::default(),
            tricks: Tricks::default(),
        };
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = own.clone();
                // A client that goes away ends its own connection only.
                std::thread::spawn(move || drop(answer_all(&stream, &shared)));
            }
        });
        Self {
            base: format!("http://{address}"),
            packs: shared.packs,
            endless: shared.endless,
            tricked: shared.tricked,
            tricks: shared.tricks,
        }
    }

    /// From now on, answers like this for paths that contain a text.
    pub fn trick(&self, path: &str, trick: Trick) {
        let mut tricks = self.tricks.lock().unwrap_or_else(PoisonError::into_inner);
        *tricks = Some((path.to_owned(), trick));
    }

    /// From now on, answers properly.
    pub fn relent(&self) {
        let mut tricks = self.tricks.lock().unwrap_or_else(PoisonError::into_inner);
        *tricks = None;
    }

    /// Answers of tricks that have ended, by whatever side.
    pub fn tricked(&self) -> u64 {
        self.tricked.load(Ordering::Relaxed)
    }

    /// Bytes of answers without an end that were taken so far.
    pub fn endless_bytes(&self) -> u64 {
        self.endless.load(Ordering::Relaxed)
    }

    /// Bytes of packs sent so far.
    pub fn pack_bytes(&self) -> u64 {
        self.packs.load(Ordering::Relaxed)
    }
}

fn answer_all(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next() {
        let first = first?;
        let mut range = None;
        for line in lines.by_ref() {
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("range: bytes=") {
                range = parse_range(text);
            }
        }
        let path = first.split(' ').nth(1).unwrap_or("/");
        let trick = {
            let tricks = shared.tricks.lock().unwrap_or_else(PoisonError::into_inner);
            let chosen = tricks.as_ref().filter(|(text, _)| path.contains(text));
            chosen.map(|(_, trick)| *trick)
        };
        let file = local(&shared.folder, path);
        match trick {
            None => answer(stream, &file, range, &shared.packs)?,
            Some(Trick::NoRange) => {
                answer(stream, &file, None, &AtomicU64::new(0))?;
                shared.tricked.fetch_add(1, Ordering::Relaxed);
            }
            Some(trick) => {
                let ended = match trick {
                    Trick::BreakOff => break_off(stream, &file),
                    Trick::NeverEnd => never_end(stream, &shared.endless),
                    Trick::NoRange => unreachable!("answered above"),
                };
                shared.tricked.fetch_add(1, Ordering::Relaxed);
                return ended;
            }
        }
    }
    Ok(())
}

fn break_off(mut stream: &TcpStream, path: &Path) -> std::io::Result<()> {
    let bytes = fs::read(path)?;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", bytes.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&bytes[..bytes.len() / 2])
}

fn never_end(mut stream: &TcpStream, sent: &AtomicU64) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
    let zeros = vec![b'0'; 64 * 1024];
    while sent.load(Ordering::Relaxed) < ENDLESS_MAX {
        stream.write_all(&zeros)?;
        sent.fetch_add(zeros.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}

fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn local(folder: &Path, path: &str) -> PathBuf {
    let path = path.replace("%25", "%").replace("..", "");
    folder.join(path.trim_start_matches('/'))
}

fn answer(
    mut stream: &TcpStream,
    path: &Path,
    range: Option<(usize, usize)>,
    packs: &AtomicU64,
) -> std::io::Result<()> {
    let Ok(bytes) = fs::read(path) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    };
    let (head, body) = match range {
        Some((first, last)) if first <= last && last < bytes.len() => {
            let stated = format!("content-range: bytes {first}-{last}/{}\r\n", bytes.len());
            (
                format!("HTTP/1.1 206 Partial Content\r\n{stated}"),
                &bytes[first..=last],
            )
        }
        Some(_) => {
            return stream
                .write_all(b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\n\r\n");
        }
        None => ("HTTP/1.1 200 OK\r\n".to_owned(), &bytes[..]),
    };
    if path.extension().is_some_and(|found| found == "pack") {
        packs.fetch_add(body.len() as u64, Ordering::Relaxed);
    }
    stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())?;
    stream.write_all(body)
}
