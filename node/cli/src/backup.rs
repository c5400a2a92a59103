//! A ceremony folder as one file: JSON, so that it can be looked at, printed and
//! read again without this program. It holds no plain key.

pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod scratch;
