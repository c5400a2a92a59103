//! The outcome of a step of the laboratory.

/// What every fallible step gives back.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
