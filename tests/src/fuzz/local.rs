//! Targets: what the control socket and the disk give.

use patchmesh_api::line::{decode_answer, decode_request, encode_answer, encode_request};
use patchmesh_core::journal::replay;

/// Lines that a node reads on its control socket.
pub fn request(data: &[u8]) {
    if let Ok(request) = decode_request(data) {
        assert_eq!(decode_request(&encode_request(&request)), Ok(request));
    }
}

/// Lines that the command line reads from a node.
pub fn answer_line(data: &[u8]) {
    if let Ok(answer) = decode_answer(data) {
        assert_eq!(decode_answer(&encode_answer(&answer)), Ok(answer));
    }
}

/// Recordings of a node's inputs.
pub fn journal(data: &[u8]) {
    if let Ok(replayed) = replay(data) {
        let again = replay(data).expect("a recording that was replayed");
        assert_eq!(again.trail, replayed.trail, "a replay is deterministic");
    }
}

/// Texts as paths of a release.
pub fn path(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && patchmesh_content::path::check(text).is_ok()
    {
        assert!(!text.starts_with('/') && !text.contains('\0'));
        assert!(text.split('/').all(|part| !matches!(part, "" | "." | "..")));
    }
}
