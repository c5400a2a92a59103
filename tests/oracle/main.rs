//! Other implementations of the same specification beside ours: the same bytes,
//! the same verdict (T-59).

#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod allowed;
mod chance;
mod change;
mod differential;
mod foreign;
mod published;
mod world;
