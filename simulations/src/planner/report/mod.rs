//! What people and programs get: table, JSON, CSV and one HTML page.

pub mod cost;
pub mod csv;
pub mod explain;
pub mod folder;
pub mod html;
pub mod notes;
pub mod quota;
pub mod ran;
pub mod summary;
pub mod table;
pub mod text;
