//! Power and processes go away in the middle of work.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod kill;
