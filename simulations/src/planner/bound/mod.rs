//! What no policy can beat, and the check that none did.

pub mod formulas;
pub mod limits;
pub mod monitor;
