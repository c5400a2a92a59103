//! The swarm machine: one copy of each byte per site. Decides who fetches what
//! over the WAN, pulls the rest from the site, and serves what it holds.

pub mod action;
pub mod event;
pub mod machine;

pub use action::Action;
pub use event::Event;
pub use machine::{Counters, Swarm};
