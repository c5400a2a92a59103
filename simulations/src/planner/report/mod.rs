//! What people and programs get: table, JSON, CSV and one HTML page.

pub mod cost;
pub mod notes;
pub mod summary;
pub mod table;
pub mod text;
