//! Targets: what the control socket and the disk give.

use patchmesh_api::line::{decode_answer, decode_request, encode_answer, encode_request};
use patchmesh_core::journal::{MAGIC, record, replay};

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

/// Recordings of a node's inputs, as they are and with checksums that fit, so
/// that what lies behind the checksums is reached too.
pub fn journal(data: &[u8]) {
    for recording in [data, &mended(data)] {
        if let Ok(replayed) = replay(recording) {
            let again = replay(recording).expect("a recording that was replayed");
            assert_eq!(again.trail, replayed.trail, "a replay is deterministic");
        }
    }
}

fn mended(data: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let mut rest = data.strip_prefix(MAGIC).unwrap_or_default();
    while let Some(([a, b, c, d, ..], after)) = rest.split_first_chunk::<8>() {
        let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let (body, after) = after.split_at(len.min(after.len()));
        out.extend(record(body).unwrap_or_default());
        rest = after.get(8..).unwrap_or_default();
    }
    out
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
