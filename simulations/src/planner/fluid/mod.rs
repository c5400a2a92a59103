//! Flows hour by hour: sites run alone between grants of the origin.

pub mod copies;
pub mod each;
pub mod grants;
pub mod late;
pub mod policy;
pub mod shared;
