//! The wire frame of one chunk: made once by the publisher, relayed as it is.
//!
//! First byte 0: the plain bytes follow as they are. First byte 1: exactly one
//! zstd frame follows, with its content size, no dictionary id, no checksum
//! (BLAKE3 covers it) and a window of at most 512 KiB. A chunk is stored if
//! zstd does not save one byte in fifty, so a wire frame is never longer than
//! its chunk and one byte (S-04).

use std::io;

use patchmesh_content::geometry::CHUNK_LEN_MAX;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, find_frame_compressed_size};

use crate::limits::{
    ZSTD_GAIN_ONE_IN, ZSTD_LEVEL_MAX, ZSTD_LEVEL_MIN, ZSTD_TRIAL_LEVEL, ZSTD_WINDOW_LEN_MAX,
    ZSTD_WINDOW_LOG_MAX,
};

/// First byte of a wire frame whose chunk is stored as it is.
pub const ENCODING_STORED: u8 = 0;
/// First byte of a wire frame that holds one zstd frame.
pub const ENCODING_ZSTD: u8 = 1;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why a chunk was not compressed.
#[derive(Debug, thiserror::Error)]
#[error("failed to compress a chunk of {len} bytes")]
pub struct CompressError {
    /// Length of the chunk in bytes.
    pub len: usize,
    /// What zstd said.
    #[source]
    pub source: io::Error,
}

/// Why a wire frame is refused. The text is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireRefusal {
    /// The zstd frame carries a checksum, which no publisher writes.
    #[error("checksum")]
    Checksum,
    /// The zstd frame states another length than signed, or none.
    #[error("content-size")]
    ContentSize,
    /// The zstd frame does not decode to its stated length.
    #[error("corrupt")]
    Corrupt,
    /// The zstd frame asks for a dictionary.
    #[error("dictionary")]
    Dictionary,
    /// The signed length is 0 or above the largest chunk.
    #[error("length")]
    Length,
    /// Not a zstd frame, or a skippable one.
    #[error("not-zstd")]
    NotZstd,
    /// Longer than the chunk stored as it is.
    #[error("too-long")]
    TooLong,
    /// Bytes after the zstd frame.
    #[error("trailing-bytes")]
    TrailingBytes,
    /// Shorter than its own header says.
    #[error("truncated")]
    Truncated,
    /// A first byte this build does not know.
    #[error("unknown-encoding")]
    UnknownEncoding,
    /// The zstd frame asks for a window above the limit.
    #[error("window")]
    Window,
    /// A stored chunk of another length than signed.
    #[error("wrong-length")]
    WrongLength,
}

/// The wire frame of a chunk. `level` is brought between
/// [`ZSTD_LEVEL_MIN`] and [`ZSTD_LEVEL_MAX`]. Bytes that a quick trial does not
/// compress are stored without trying harder.
///
/// The same bytes, level and zstd version give the same frame on every platform.
pub fn compress(plain: &[u8], level: i32) -> Result<Vec<u8>, CompressError> {
    let level = level.clamp(ZSTD_LEVEL_MIN, ZSTD_LEVEL_MAX);
    let failed = |source| CompressError {
        len: plain.len(),
        source,
    };
    let trial = zstd_frame(plain, ZSTD_TRIAL_LEVEL).map_err(failed)?;
    if !pays(&trial, plain) {
        return Ok(framed(ENCODING_STORED, plain));
    }
    let best = if level == ZSTD_TRIAL_LEVEL {
        trial
    } else {
        let tried = zstd_frame(plain, level).map_err(failed)?;
        if tried.len() < trial.len() {
            tried
        } else {
            trial
        }
    };
    Ok(framed(ENCODING_ZSTD, &best))
}

/// The plain bytes of a wire frame; `len` is the signed length of the chunk.
///
/// The output is allocated from `len`, never from what the frame says, and
/// nothing is decompressed before the frame's header agrees with it. The
/// caller checks the hash of the result.
pub fn decode(frame: &[u8], len: u32) -> Result<Vec<u8>, WireRefusal> {
    if !(1..=CHUNK_LEN_MAX).contains(&len) {
        return Err(WireRefusal::Length);
    }
    let len = len as usize;
    if frame.len() > len + 1 {
        return Err(WireRefusal::TooLong);
    }
    match frame.split_first() {
        None => Err(WireRefusal::Truncated),
        Some((&ENCODING_STORED, plain)) if plain.len() == len => Ok(plain.to_vec()),
        Some((&ENCODING_STORED, _)) => Err(WireRefusal::WrongLength),
        Some((&ENCODING_ZSTD, zstd)) => decode_zstd(zstd, len),
        Some(_) => Err(WireRefusal::UnknownEncoding),
    }
}

fn framed(encoding: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(body.len() + 1);
    frame.push(encoding);
    frame.extend_from_slice(body);
    frame
}

fn pays(zstd: &[u8], plain: &[u8]) -> bool {
    zstd.len() + plain.len().div_ceil(ZSTD_GAIN_ONE_IN) <= plain.len()
}

fn zstd_frame(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(level)?;
    for parameter in [
        CParameter::ContentSizeFlag(true),
        CParameter::ChecksumFlag(false),
        CParameter::DictIdFlag(false),
        CParameter::WindowLog(ZSTD_WINDOW_LOG_MAX),
    ] {
        compressor.set_parameter(parameter)?;
    }
    compressor.compress(plain)
}

fn decode_zstd(zstd: &[u8], len: usize) -> Result<Vec<u8>, WireRefusal> {
    check_header(zstd, len as u64)?;
    let end = find_frame_compressed_size(zstd).map_err(|_| WireRefusal::Corrupt)?;
    if end != zstd.len() {
        return Err(WireRefusal::TrailingBytes);
    }
    let mut plain = Vec::with_capacity(len);
    let written = Decompressor::new()
        .and_then(|mut decompressor| decompressor.decompress_to_buffer(zstd, &mut plain))
        .map_err(|_| WireRefusal::Corrupt)?;
    if written == len && plain.len() == len {
        Ok(plain)
    } else {
        Err(WireRefusal::Corrupt)
    }
}

/// Reads the header of a zstd frame (RFC 8878, section 3.1.1.1).
fn check_header(zstd: &[u8], len: u64) -> Result<(), WireRefusal> {
    let rest = zstd.strip_prefix(&ZSTD_MAGIC).ok_or(WireRefusal::NotZstd)?;
    let (&descriptor, rest) = rest.split_first().ok_or(WireRefusal::Truncated)?;
    if descriptor & 0b1000 != 0 {
        return Err(WireRefusal::Corrupt);
    }
    if descriptor & 0b100 != 0 {
        return Err(WireRefusal::Checksum);
    }
    if descriptor & 0b11 != 0 {
        return Err(WireRefusal::Dictionary);
    }
    let single_segment = descriptor & 0b10_0000 != 0;
    let rest = if single_segment {
        rest
    } else {
        let (&window, rest) = rest.split_first().ok_or(WireRefusal::Truncated)?;
        let base = 1u64 << (10 + (window >> 3));
        if base + base / 8 * u64::from(window & 7) > ZSTD_WINDOW_LEN_MAX {
            return Err(WireRefusal::Window);
        }
        rest
    };
    let (width, add) = match (descriptor >> 6, single_segment) {
        (0, false) => return Err(WireRefusal::ContentSize),
        (0, true) => (1, 0),
        (1, _) => (2, 256),
        (2, _) => (4, 0),
        _ => (8, 0),
    };
    let field = rest.get(..width).ok_or(WireRefusal::Truncated)?;
    let mut size = [0u8; 8];
    size[..width].copy_from_slice(field);
    if u64::from_le_bytes(size).checked_add(add) == Some(len) {
        Ok(())
    } else {
        Err(WireRefusal::ContentSize)
    }
}

#[cfg(test)]
mod tests;
