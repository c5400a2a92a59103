//! Opening a store.

use std::path::Path;

use patchmesh_core::record::Restored;

use crate::error::OpenError;
use crate::inner::Store;
use crate::options::{OpenReport, Options};

/// An open store.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What survived, for the engine.
    pub restored: Restored,
    /// What opening had to repair, for the log.
    pub report: OpenReport,
}

impl Store {
    /// Opens the store in a folder, creating it where there is none.
    pub fn open(dir: &Path, options: Options) -> Result<Opened, OpenError> {
        unimplemented!("{dir:?} {options:?}")
    }
}
