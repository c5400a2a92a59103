//! A plain web server over a published folder: GET, Range, nothing else.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The server. Its threads end with the process.
#[derive(Debug)]
pub struct Web {
    /// Its base address.
    pub base: String,
    packs: Arc<AtomicU64>,
}

impl Web {
    /// Serves a folder.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound port");
        let packs = Arc::new(AtomicU64::new(0));
        let (folder, count) = (folder.to_owned(), packs.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, count) = (folder.clone(), count.clone());
                // A client that goes away ends its own connection only.
                std::thread::spawn(move || drop(answer_all(&stream, &folder, &count)));
            }
        });
        Self {
            base: format!("http://{address}"),
            packs,
        }
    }

    /// Bytes of packs sent so far.
    pub fn pack_bytes(&self) -> u64 {
        self.packs.load(Ordering::Relaxed)
    }
}

fn answer_all(stream: &TcpStream, folder: &Path, packs: &AtomicU64) -> std::io::Result<()> {
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
        answer(stream, &local(folder, path), range, packs)?;
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
