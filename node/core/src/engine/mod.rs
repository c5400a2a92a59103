//! The one door of the core: inputs in, outputs out. Joins the machines, which
//! do not know each other.

pub mod admission;
pub mod drive;
pub mod inventory;
pub mod report;
pub mod roster;

pub use drive::{Engine, StartError};
