//! Records: documents, floors, indexes and release states, durable on return.

use patchmesh_content::id::ContentId;
use patchmesh_core::record::Record;

use crate::error::{CommitError, ReadError};
use crate::inner::Store;
use crate::options::StateName;

impl Store {
    /// Makes a record durable; on return it survives kill -9 and a power cut.
    pub fn commit(&self, record: &Record) -> Result<(), CommitError> {
        unimplemented!("{record:?}")
    }

    /// A release index, equal to its name; `None` where there is none.
    pub fn read_index(&self, content: &ContentId) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!("{content:?}")
    }

    /// Makes a small file durable, replacing what it held.
    pub fn put_state(&self, name: StateName, bytes: &[u8]) -> Result<(), CommitError> {
        unimplemented!("{name:?} {bytes:?}")
    }

    /// Reads a small file; `None` where there is none.
    pub fn read_state(&self, name: StateName) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!("{name:?}")
    }
}
