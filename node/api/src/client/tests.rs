//! The client against a socket whose other end misbehaves.

use std::os::unix::net::UnixListener;
use std::thread;

use super::*;
use crate::answer::Done;
use crate::line::encode_answer;

/// Serves one connection: reads one line, writes `bytes`, closes.
fn serve(bytes: Vec<u8>) -> (tempfile::TempDir, PathBuf, thread::JoinHandle<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).unwrap();
        // The client may hang up first; that is what some tests are about.
        drop(reader.get_mut().write_all(&bytes));
        line
    });
    (folder, path, server)
}

/// What the client makes of these bytes.
fn ask(bytes: Vec<u8>) -> (Option<Answer>, Option<AskError>) {
    let (_folder, path, server) = serve(bytes);
    let answer = Client::connect(&path).unwrap().ask(&Request::Status);
    assert_eq!(server.join().unwrap(), encode_request(&Request::Status));
    match answer {
        Ok(answer) => (Some(answer), None),
        Err(error) => (None, Some(error)),
    }
}

#[test]
fn an_answer_arrives() {
    let done = Answer::Done(Done::default());
    assert_eq!(ask(encode_answer(&done)).0, Some(done));
}

#[test]
fn a_closed_connection_is_an_error() {
    assert!(matches!(ask(Vec::new()), (_, Some(AskError::Closed))));
    let half = br#"{"schema":"patchmesh.done/1","verb":""}"#.to_vec();
    assert!(matches!(ask(half), (_, Some(AskError::Closed))));
}

#[test]
fn a_line_without_end_is_cut_at_the_cap() {
    let endless = vec![b' '; ANSWER_LEN_MAX + 4096];
    let refused = ask(endless);
    assert!(matches!(
        refused,
        (_, Some(AskError::Line(LineRefusal::TooLong)))
    ));
}

#[test]
fn garbage_is_refused() {
    let refused = ask(b"hello\n".to_vec());
    assert!(matches!(
        refused,
        (_, Some(AskError::Line(LineRefusal::Malformed)))
    ));
}

#[test]
fn no_socket_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none");
    let error = Client::connect(&path).unwrap_err();
    assert!(error.to_string().ends_with("none"));
}

#[test]
fn an_answer_is_read_from_a_node_that_hung_up_before_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = Client::connect(&path).unwrap();
    let busy = Answer::refused(crate::codes::BUSY, "no room", "later");
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(&encode_answer(&busy)).unwrap();
    drop(stream);
    assert_eq!(client.ask(&Request::Status).unwrap(), busy);
}

#[test]
fn a_timeout_is_silence_and_nothing_else_is() {
    for kind in [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock] {
        assert!(matches!(AskError::of(kind.into()), AskError::Silent));
    }
    let reset = AskError::of(io::ErrorKind::ConnectionReset.into());
    assert!(matches!(reset, AskError::Io(_)));
}
