//! Chunk files, trust files and the rebuildable index on disk.
//!
//! | path in the store folder | what | written |
//! |---|---|---|
//! | `lock` | held by the one process that works here | at open |
//! | `format` | format version; a newer one is refused | once |
//! | `chunks/ab/<64 hex>.chunk` | durable chunks: sealed wire frames | by the batch |
//! | `incoming/<64 hex>.chunk` | chunks written but not yet durable | at once |
//! | `trust/*.json` | documents byte for byte: `root.json`, `N.root.json`, ... | by commit |
//! | `trust/state/*` | floors and other small sealed files | by commit |
//! | `indexes/<64 hex>.index` | release indexes, named by their hash | by commit |
//! | `releases/<64 hex>.state` | state of each release on this host | by commit |
//! | `index/` | sled: lengths of chunk files, rebuilt when it does not open | lazily |
//! | `quarantine/` | damaged files and indexes, kept for a person to look at | when found |
//!
//! The names of the files say which chunks are held; sled only saves asking the
//! file system for 100,000 lengths at the start. Nothing exists only in sled.

mod chunks;
mod disk;
mod durable;
mod error;
mod index;
mod inner;
mod layout;
mod options;
mod parallel;
mod scrub;
mod sealed;
mod startup;
mod state;
mod sweep;

pub use error::{CommitError, FullCause, OpenError, PutError, ReadError, ScrubError};
pub use error::{SweepError, SyncError};
pub use inner::Store;
pub use options::{OpenReport, Options, Put, Scrubbed, StateName, Swept, Synced, Usage};
pub use startup::open::Opened;
