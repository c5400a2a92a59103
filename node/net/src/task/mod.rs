//! The swarm task: commands in, events out, and no decision between.

pub(crate) mod commands;
pub(crate) mod exchanges;
pub(crate) mod reports;
pub(crate) mod state;
