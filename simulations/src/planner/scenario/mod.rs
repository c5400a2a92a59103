//! The scenario file: what it may say, and what it means.

pub mod example;
pub mod model;
pub mod parse;
pub mod parse_faults;
pub mod parse_sites;
pub mod quick;
pub mod reader;
pub mod site_table;

#[cfg(test)]
mod tests;
