//! Outside checks: tables and formulas that others have published, with the
//! numbers that they expect.
#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::similar_names,
    clippy::unwrap_used,
    reason = "tests with small numbers"
)]

mod bottleneck;
mod distribution;
mod sharing;
mod uplinks;
