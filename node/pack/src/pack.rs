//! The pack: all wire frames of a release in index order, and nothing else.

use std::io::{self, Write};

use patchmesh_content::id::Hasher;

/// Writes a pack while hashing it.
#[derive(Debug)]
pub struct PackWriter<W> {
    writer: W,
    hasher: Hasher,
    wire_lengths: Vec<u32>,
}

/// What a finished pack adds to the release index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// BLAKE3 of the whole pack.
    pub hash: [u8; 32],
    /// Length of each wire frame in bytes, in index order.
    pub wire_lengths: Vec<u32>,
}

impl<W: Write> PackWriter<W> {
    /// A pack that goes to `writer`.
    pub fn new(writer: W) -> Self {
        Self {
            writer,
            hasher: Hasher::new(),
            wire_lengths: Vec::new(),
        }
    }

    /// Adds the wire frame of the next chunk. Frames must come in index order.
    pub fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let len = u32::try_from(frame.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a frame above 4 GiB"))?;
        self.writer.write_all(frame)?;
        self.hasher.update(frame);
        self.wire_lengths.push(len);
        Ok(())
    }

    /// Flushes the writer and gives it back with what the index needs.
    pub fn finish(mut self) -> io::Result<(W, Pack)> {
        self.writer.flush()?;
        let pack = Pack {
            hash: self.hasher.finish(),
            wire_lengths: self.wire_lengths,
        };
        Ok((self.writer, pack))
    }
}
