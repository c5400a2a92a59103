//! `tuf` against a repository that the program itself published, and against
//! servers that mean no good.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::support::{Bench, Ran, all_files};

/// What a server says to a path; `None` for 404.
type Answer = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// A web server of one test; its thread ends with the process.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves whole answers, heads included.
    fn raw(answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &answer, &log);
            }
        });
        Self { base, asked }
    }

    /// Serves a folder.
    fn folder(folder: PathBuf) -> Self {
        Self::raw(Arc::new(move |path| {
            let body = fs::read(folder.join(path.trim_start_matches('/'))).ok()?;
            Some(plain(&body))
        }))
    }

    /// The paths that were asked for since the last call.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, answer: &Arc<Answer>, log: &Arc<Mutex<Vec<String>>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    let mut line = String::new();
    reader.read_line(&mut first).unwrap();
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let nothing = || b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    let bytes = answer(&path).unwrap_or_else(nothing);
    log.lock().unwrap().push(path);
    // The client may have had enough.
    drop(stream.write_all(&bytes));
}

fn plain(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn refresh(bench: &Bench, base: &str) -> Ran {
    let url = format!("{base}/metadata");
    bench.run(&[
        "tuf",
        "--metadata-url",
        &url,
        "--metadata-dir",
        "D",
        "refresh",
    ])
}

fn download(bench: &Bench, base: &str, names: &[&str]) -> Ran {
    let (metadata, targets) = (format!("{base}/metadata/"), format!("{base}/targets/"));
    let mut arguments = vec!["tuf", "--metadata-url", &metadata, "--metadata-dir", "D"];
    for name in names {
        arguments.extend(["--target-name", name]);
    }
    let rest = [
        "--target-dir",
        "X",
        "--target-base-url",
        &targets,
        "download",
    ];
    bench.run(&[&arguments[..], &rest].concat())
}

/// A published release, a server of it, and a client that trusts its root.
fn ready() -> (Bench, Server) {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    let init = ["tuf", "--metadata-dir", "D", "init", "ceremony/root.json"];
    bench.run(&init).ok();
    let server = Server::folder(bench.path("repo"));
    (bench, server)
}

/// Names of the files right in a folder.
fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(bench.path(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// T-54, T-55.
#[test]
fn requests_are_exact_and_files_are_what_was_served() {
    let (bench, server) = ready();
    assert_eq!(
        names(&bench, "D"),
        ["root.json", "state"],
        "init asks nobody"
    );
    refresh(&bench, &server.base).ok();
    let meta = |name: &str| format!("/metadata/{name}.json");
    let first = ["2.root", "timestamp", "2.snapshot", "1.targets"].map(meta);
    assert_eq!(server.asked(), first);
    refresh(&bench, &server.base).ok();
    assert_eq!(server.asked(), ["2.root", "timestamp"].map(meta));

    let target = "release/desktop/KB-1";
    let done = download(&bench, &server.base, &[target]).ok();
    let asked = server.asked();
    assert_eq!(asked[..2], ["2.root", "timestamp"].map(meta));
    assert_eq!(asked[2], meta("1.release%2Fdesktop"));
    assert!(
        asked[3].starts_with("/targets/release/desktop/"),
        "{asked:?}"
    );
    assert!(asked[3].ends_with(".KB-1"), "{asked:?}");
    assert_eq!(asked.len(), 4);
    assert!(done.stdout.contains("downloaded"), "{}", done.stdout);
    let index = fs::read(bench.path("repo").join(asked[3].trim_start_matches('/'))).unwrap();
    let saved = fs::read(bench.path("X").join("release%2Fdesktop%2FKB-1")).unwrap();
    assert_eq!(saved, index);
    // Present: neither metadata nor artifact is fetched again.
    let again = download(&bench, &server.base, &[target]).ok();
    assert!(again.stdout.contains("present"), "{}", again.stdout);
    assert_eq!(server.asked(), ["2.root", "timestamp"].map(meta));

    let stored = [
        ("root", "1.root"),
        ("timestamp", "timestamp"),
        ("snapshot", "2.snapshot"),
        ("targets", "1.targets"),
        ("release%2Fdesktop", "1.release%2Fdesktop"),
    ];
    for (own, served) in stored {
        let own = fs::read(bench.path(&format!("D/{own}.json"))).unwrap();
        let path = bench.path("repo/metadata").join(format!("{served}.json"));
        assert_eq!(own, fs::read(path).unwrap(), "T-09: {served}");
    }
    let mut expected: Vec<_> = stored
        .iter()
        .map(|(own, _)| format!("{own}.json"))
        .collect();
    expected.push("state".to_owned());
    expected.sort();
    assert_eq!(
        names(&bench, "D"),
        expected,
        "T-55: metadata and private state only"
    );
    let state: Vec<_> = all_files(&bench.path("D/state"));
    assert!(
        state.iter().all(|(path, _)| path.extension().is_none()),
        "{state:?}"
    );
}

#[test]
fn every_failure_ends_with_one() {
    let (bench, server) = ready();
    for arguments in [
        &["tuf"][..],
        &["tuf", "refresh"],
        &["tuf", "--metadata-dir", "D", "reload"],
        &["tuf", "--metadata-dir", "D", "refresh"],
        &[
            "tuf",
            "--metadata-dir",
            "D",
            "--metadata-url",
            "ftp://x",
            "refresh",
        ],
        &["tuf", "--metadata-dir", "D", "init", "ceremony/root.json"],
        &["tuf", "--metadata-dir", "E", "init", "none"],
        &[
            "tuf",
            "--metadata-dir",
            "E",
            "init",
            "ceremony/targets.json",
        ],
        &[
            "tuf",
            "--metadata-dir",
            "E",
            "--metadata-url",
            &server.base,
            "refresh",
        ],
    ] {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?} {}", ran.stderr);
    }
    assert_eq!(
        server.asked(),
        [""; 0],
        "T-54: nothing is asked without a root"
    );
    let gone = download(&bench, &server.base, &["release/desktop/KB-2", "x"]);
    gone.fails(1, "E_NO_TARGET");
    assert!(!server.asked().iter().any(|path| path.contains("/targets/")));
    // A usage error says the same code in JSON.
    let json = bench.run(&["tuf", "--json", "refresh"]);
    assert_eq!(json.code, 1);
    assert!(json.stderr.contains("\"code\":1"), "{}", json.stderr);
}

/// T-31: the private state outlives the documents.
#[test]
fn older_metadata_does_not_come_back_when_the_files_are_gone() {
    let (bench, server) = ready();
    let old = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    bench.publish(&[]).ok();
    refresh(&bench, &server.base).ok();
    for role in ["timestamp", "snapshot", "targets"] {
        fs::remove_file(bench.path(&format!("D/{role}.json"))).unwrap();
    }
    bench.write("repo/metadata/timestamp.json", old);
    refresh(&bench, &server.base).fails(1, "E_TRUST_ROLLBACK");
    fs::remove_file(bench.path("D/root.json")).unwrap();
    let init = ["tuf", "--metadata-dir", "D", "init", "ceremony/root.json"];
    bench.run(&init).fails(1, "E_EXISTS");
    fs::copy(bench.path("ceremony/root.json"), bench.path("D/root.json")).unwrap();
    bench.write("D/state/floors", "damaged");
    refresh(&bench, &server.base).fails(1, "E_FLOORS");
}

/// T-23: what is longer, shorter or other than signed never gets its name.
#[test]
fn a_substituted_target_is_refused_and_leaves_nothing() {
    let (bench, honest) = ready();
    for (trick, id) in [
        (0, "E_TRUST_HASH"),
        (1, "E_TRUST_TOO_LARGE"),
        (2, "E_FAILED"),
        (3, "E_TRUST_TOO_LARGE"),
    ] {
        let folder = bench.path("repo");
        let server = Server::raw(Arc::new(move |path| {
            let mut body = fs::read(folder.join(path.trim_start_matches('/'))).ok()?;
            if !path.starts_with("/targets/") {
                return Some(plain(&body));
            }
            match trick {
                0 => body[9] ^= 1,
                1 => body.push(0),
                2 => {
                    let whole = plain(&body);
                    return Some(whole[..whole.len() - 9].to_vec());
                }
                _ => {
                    body.extend(vec![0; 1_000_000]);
                    return Some([&b"HTTP/1.1 200 OK\r\n\r\n"[..], &body].concat());
                }
            }
            Some(plain(&body))
        }));
        download(&bench, &server.base, &["release/desktop/KB-1"]).fails(1, id);
        assert_eq!(names(&bench, "X"), [""; 0], "{trick}");
    }
    download(&bench, &honest.base, &["release/desktop/KB-1"]).ok();
    assert_eq!(names(&bench, "X"), ["release%2Fdesktop%2FKB-1"]);
}

#[test]
fn answers_in_chunks_are_read_and_broken_ones_refused() {
    let (bench, _) = ready();
    let folder = bench.path("repo");
    let chunked = Server::raw(Arc::new(move |path| {
        let body = fs::read(folder.join(path.trim_start_matches('/'))).ok()?;
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in body.chunks(100) {
            answer.extend(format!("{:x};a=b\r\n", part.len()).bytes());
            answer.extend([part, b"\r\n"].concat());
        }
        Some([&answer[..], b"0\r\n\r\n"].concat())
    }));
    refresh(&bench, &chunked.base).ok();
    let endless = vec![b'x'; 20_000];
    for head in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.1 500 No\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
        b"",
        &[&b"HTTP/1.1 200 OK\r\n"[..], &endless].concat(),
    ] {
        let head = head.to_vec();
        let server = Server::raw(Arc::new(move |_| Some(head.clone())));
        let ran = refresh(&bench, &server.base);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("failed to get http://"),
            "{}",
            ran.stderr
        );
    }
}
