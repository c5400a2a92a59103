//! Keys in real agents and real tokens: OpenSSH's agent and SoftHSM, made for the
//! test in its own folder. `cargo x signers` runs this, and says what it needs.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod ceremony;
mod refusals;
#[expect(dead_code, reason = "shared with the tests of the command line")]
#[path = "../cli/support.rs"]
mod support;
mod world;
