//! The swarm machine: one copy of each byte per site. Decides who fetches what
//! over the WAN, pulls the rest from the site, and serves what it holds.

pub mod action;
pub(crate) mod content;
pub(crate) mod contents;
pub(crate) mod dial;
pub mod event;
pub(crate) mod exchange;
pub(crate) mod fetched;
pub(crate) mod fetches;
pub(crate) mod grant;
pub mod machine;
pub(crate) mod meeting;
mod membership;
pub(crate) mod pick;
pub(crate) mod serve;
pub(crate) mod site;
pub(crate) mod timer;
pub(crate) mod wan;

pub use action::Action;
pub use event::Event;
pub use machine::{Counters, Swarm};

#[cfg(test)]
mod tests;
