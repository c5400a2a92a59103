//! Files to chunks and back, as pure functions over bytes: no file system, no
//! clock, no thread. The caller walks the tree, owns the threads and writes.
//!
//! Publishing takes three steps, so that the middle one can run on all cores:
//!
//! 1. [`plan::Planner`] takes the entries of a tree in path order, cuts files
//!    into chunks and hands each new chunk to the caller, in index order.
//! 2. [`compress::compress`] makes the wire frame of one chunk.
//! 3. [`pack::PackWriter`] takes the frames in index order and writes the pack;
//!    [`plan::Planned::index`] joins plan and pack to a release index.
//!
//! A node goes the other way: [`compress::decode`] for each frame,
//! [`steps::steps`] for the order of work in a staging folder and
//! [`assemble::FileAssembler`] for the bytes of each file; [`verify::FileCheck`]
//! compares a file that was written before.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod assemble;
pub mod chunker;
pub mod compress;
pub mod limits;
pub mod name;
pub mod pack;
pub mod plan;
#[cfg(test)]
mod sample;
mod shared;
pub mod steps;
pub mod verify;
