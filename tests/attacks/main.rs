//! Attackers with keys of their own against real nodes; what came of it is
//! read from outside: status, files, counters, memory.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod chunks;
mod frames;
mod hellos;
mod indexes;
mod metadata;
mod rollback;
mod support;
