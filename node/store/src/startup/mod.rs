//! What happens when a store is opened: format, leftovers, scan, restore.

mod migrate;
pub(crate) mod open;
mod rebuild;
mod restore;
