//! The rollout machine: which listed release is fetched, staged or forgotten on
//! this host. `plan` is pure; `machine` carries its steps out and makes each
//! state durable before anything follows from it.

pub mod action;
pub mod event;
pub mod machine;
pub mod plan;

pub use action::Action;
pub use event::Event;
pub use machine::Rollout;
