//! Names and shapes of content: ids, chunk geometry, bitfields and the release
//! index. Pure: no clock, no file, no socket.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod bitfield;
pub mod geometry;
pub mod id;
pub mod index;
pub mod path;
pub mod text;
pub mod tree;
