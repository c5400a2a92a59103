//! The world of a scenario: sites with their lines, endpoints and their times.

pub mod after;
pub mod build;
pub mod chance;
pub mod presence;
pub mod site;
pub mod steps;
