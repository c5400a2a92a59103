//! Attackers with keys of their own against real nodes; what came of it is
//! read from outside: status, files, counters, memory.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "an attacker picks the events it acts on; a test fails on anything unexpected"
)]

mod chunks;
mod eclipse;
mod floods;
mod forged;
mod frames;
mod giants;
mod hellos;
mod indexes;
mod keys;
mod metadata;
mod parser;
mod rollback;
mod support;
