//! Writing documents: build an unsigned one, collect signatures on copies of
//! it, assemble. Secrets stay with the caller; a draft is the future document
//! with no signatures yet.

mod assemble;
mod build;
mod draft;
mod error;

pub use assemble::{Authority, assemble};
pub use build::{
    LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
pub use draft::{Draft, signing_bytes};
pub use error::{AuthorError, Missing};
