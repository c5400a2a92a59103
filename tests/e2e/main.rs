//! Real nodes from outside: files, counters, exit codes and the command line.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod authority;
mod command_line;
mod configuration;
mod disk;
mod http;
mod lifecycle;
mod online_key;
mod published;
mod quota;
mod recording;
mod repair;
mod rollout;
mod troubles;
