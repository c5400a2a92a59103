//! Cuts bytes where their content says so: FastCDC v2020 with its own gear
//! table and normalisation level 1, sizes from the content geometry (S-06).

use std::io::{self, Read};

use fastcdc::v2020::{Normalization, cut as fastcdc_cut, select_masks};
use patchmesh_content::geometry::{CHUNK_LEN_MAX, CHUNK_LEN_MEAN, CHUNK_LEN_MIN};

use crate::limits::CHUNKER_BUFFER_LEN;

const MIN: usize = CHUNK_LEN_MIN as usize;
const MEAN: usize = CHUNK_LEN_MEAN as usize;
const MAX: usize = CHUNK_LEN_MAX as usize;

/// Cuts a stream of bytes into chunks. The cuts depend on the bytes only, not
/// on the sizes in which they are read. Holds at most
/// [`CHUNKER_BUFFER_LEN`] bytes.
#[derive(Debug)]
pub struct Chunker<R> {
    reader: R,
    cutter: Cutter,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Chunker<R> {
    /// Cuts what `reader` gives until it ends.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            cutter: Cutter::new(),
            buffer: vec![0; CHUNKER_BUFFER_LEN],
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// The next chunk, 1 to [`CHUNK_LEN_MAX`] bytes; none at the end. Only the
    /// last chunk can be shorter than [`CHUNK_LEN_MIN`].
    pub fn next_chunk(&mut self) -> io::Result<Option<&[u8]>> {
        self.fill()?;
        let ahead = &self.buffer[self.start..self.end];
        if ahead.is_empty() {
            return Ok(None);
        }
        let len = self.cutter.cut(ahead);
        let chunk = &self.buffer[self.start..self.start + len];
        self.start += len;
        Ok(Some(chunk))
    }

    /// Reads until a largest chunk lies ahead, or the reader ends.
    fn fill(&mut self) -> io::Result<()> {
        if self.ended || self.end - self.start >= MAX {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The masks that decide a cut.
#[derive(Debug, Clone, Copy)]
struct Cutter {
    small: u64,
    large: u64,
}

impl Cutter {
    fn new() -> Self {
        let (small, large) = select_masks(MEAN, Normalization::Level1);
        Self { small, large }
    }

    /// Length of the first chunk. `ahead` is not empty and holds a largest
    /// chunk or everything that is left.
    fn cut(self, ahead: &[u8]) -> usize {
        let Self { small, large } = self;
        let (_, len) = fastcdc_cut(ahead, MIN, MEAN, MAX, small, large, small << 1, large << 1);
        len
    }
}

#[cfg(test)]
mod tests;
