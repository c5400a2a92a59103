//! Every decision a node makes, without input or output.
//!
//! The contract of [`engine::Engine`]:
//!
//! 1. Call `handle(input, now)`, then `poll()` until `Output::Wait`; only then
//!    the next `handle`. Otherwise `handle` panics: a bug of the driver.
//!    `Engine::new` counts as a `handle`: drain it before the first one.
//! 2. `now` holds both clocks, read once per input; `now.mono` never decreases.
//! 3. Outputs run in the order they come. `Persist` is a barrier: nothing after
//!    it becomes visible outside before it is durable.
//! 4. Every id is answered exactly once, in both directions.
//! 5. `Wait(Some((time, reason)))` asks for `Input::Tick` at or after `time`.
//!    Early or repeated ticks change nothing.
//! 6. Everything is bounded by a constant in [`limits`]. What does not fit is
//!    refused with a reason, never queued.
//! 7. Chunk bytes never enter the core. `Fetched::Held` means: written, and the
//!    hash equals the signed id; durable within 8 MiB or 2 s.
//! 8. Same seed and same inputs give the same outputs.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod catalog;
pub mod config;
pub mod engine;
pub mod gate;
pub mod ids;
pub mod input;
pub mod journal;
pub mod limits;
pub mod message;
pub mod output;
pub mod peer;
pub mod reason;
pub mod record;
pub mod rng;
pub mod rollout;
pub mod swarm;
pub mod time;
pub mod view;

#[cfg(test)]
mod fixture;
