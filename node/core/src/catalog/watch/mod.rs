//! What keeps installations back though nothing has expired: documents that do
//! not come, and floors that were lost; and what the clocks say.

pub mod recovering;
pub mod stopped;
pub mod time;
pub mod withheld;
