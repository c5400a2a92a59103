//! The driver: hands events to the engine and carries out its orders. It moves
//! things between adapters and decides nothing.

mod carry;
mod clock;
mod finished;
mod handover;
pub(crate) mod node;
mod origin;
pub(crate) mod query;
mod results;
pub(crate) mod room;
mod turn;

pub(crate) use carry::Halt;
pub(crate) use turn::{Ears, close, run};
