//! Attackers with keys of their own against real nodes; what came of it is
//! read from outside: status, files, counters, memory. Each test prints what it
//! measured in one line (`--nocapture`) and asserts on bytes, counts and order.
//!
//! | the attacker | file |
//! |---|---|
//! | has no key: unknown keys, one key too few, a lie about the root | `metadata`, `eclipse` |
//! | replays what was genuine, here or elsewhere | `rollback`, `forged` |
//! | holds keys of authority | `keys`, `forged`, `indexes` |
//! | floods, or says without measure | `floods`, `giants`, `frames` |
//! | writes one text with two readings, or borrows a signature | `parser` |
//! | stands all around | `eclipse` |
//! | promises chunks | `chunks` |
//! | sets the clock | `clocks` |
//! | is of another network | `hellos` |
//! | was stopped, or makes stops of its own | `halt/stops`, `halt/forged`, `halt/web` |
//! | cosigns what it is no witness of, or shows two sites two logs | `views/witnesses` |
//! | stops midway; replays what operations said | `halt/midway`, `halt/policies` |
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "an attacker picks the events it acts on; a test fails on anything unexpected"
)]

mod chunks;
mod clocks;
mod eclipse;
mod floods;
mod forged;
mod frames;
mod giants;
mod halt;
mod hellos;
mod indexes;
mod keys;
mod metadata;
mod parser;
mod parties;
mod rollback;
mod support;
mod views;
