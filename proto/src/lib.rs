//! Wire schema of Patchmesh: generated types, the limits of everything that
//! travels, and the checks that run before a byte is decoded.
//!
//! The normative text is `proto/README.md`.

pub mod convert;
pub mod frame;
pub mod limits;
#[path = "generated/v1.rs"]
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated from the schema, which carries the documentation"
)]
pub mod v1;

pub use prost::Message;
