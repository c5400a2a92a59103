//! Outside checks: tables and formulas that others have published, with the
//! numbers that they expect.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::similar_names,
    clippy::unwrap_used,
    reason = "tests with small numbers"
)]

mod access_link;
mod bottleneck;
mod distribution;
mod one_lan;
mod sharing;
mod uplinks;
