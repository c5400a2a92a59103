//! The planner: what a rollout does to the lines of a network, when it is done
//! and what it costs, for several ways of distribution, beside what is possible
//! at best.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::similar_names,
    reason = "rates and times are reals; counts stay far below 2^52; site and size are words of \
              the trade"
)]
#![cfg_attr(
    test,
    allow(clippy::float_cmp, reason = "closed forms are met exactly")
)]

pub mod ask;
pub mod bound;
pub mod command;
pub mod compare;
pub mod estimate;
pub mod find;
pub mod fluid;
pub mod full;
pub mod outcome;
pub mod parallel;
pub mod problem;
pub mod progress;
pub mod quantity;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sweep;
pub mod windows;
pub mod world;
