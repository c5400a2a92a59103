//! Sizes and bounds of publishing and decoding, each with its reason.

use patchmesh_content::geometry::{CHUNK_LEN_MAX, CHUNK_LEN_MEAN, CHUNK_LEN_MIN};

/// Files shorter than this share chunks with other small files, in bytes: the
/// chunker would not cut them anyway.
pub const SMALL_FILE_LEN: usize = CHUNK_LEN_MIN as usize;
/// A shared chunk ends no earlier than this, in bytes.
pub const SHARED_CHUNK_LEN_MIN: usize = CHUNK_LEN_MEAN as usize;
/// A shared chunk is never longer than this, in bytes.
pub const SHARED_CHUNK_LEN_MAX: usize = CHUNK_LEN_MAX as usize;
/// Beyond its minimum a shared chunk ends after a file with probability one in
/// this number, decided by the file's hash: an edit moves few later borders.
pub const SHARED_CUT_ONE_IN: u8 = 16;

/// Bytes the chunker holds at most: it must see one largest chunk ahead, and
/// moves its buffer once for each largest chunk.
pub const CHUNKER_BUFFER_LEN: usize = 2 * CHUNK_LEN_MAX as usize;

/// Level of a published release.
pub const ZSTD_LEVEL: i32 = 19;
/// Lowest level accepted.
pub const ZSTD_LEVEL_MIN: i32 = 1;
/// Highest level accepted.
pub const ZSTD_LEVEL_MAX: i32 = 22;
/// Level of the quick trial that finds bytes that do not compress.
pub const ZSTD_TRIAL_LEVEL: i32 = 1;
/// Largest window a frame may ask for, in bytes: the largest chunk.
pub const ZSTD_WINDOW_LEN_MAX: u64 = CHUNK_LEN_MAX as u64;
/// Binary logarithm of [`ZSTD_WINDOW_LEN_MAX`].
pub const ZSTD_WINDOW_LOG_MAX: u32 = CHUNK_LEN_MAX.trailing_zeros();
/// A zstd frame must save at least one byte in this number, or the chunk is stored.
pub const ZSTD_GAIN_ONE_IN: usize = 50;

const _: () = assert!(1 << ZSTD_WINDOW_LOG_MAX == ZSTD_WINDOW_LEN_MAX);
const _: () = assert!(SHARED_CHUNK_LEN_MIN + SMALL_FILE_LEN <= SHARED_CHUNK_LEN_MAX);
