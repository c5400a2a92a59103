//! What keeps installations back though nothing has expired: documents that do
//! not come, and floors that were lost.

pub mod recovering;
pub mod stopped;
pub mod withheld;
