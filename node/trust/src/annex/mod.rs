//! Annexes: small documents that the statements of `rollout` and `membership`
//! name by their hashes. Their bytes travel by hash, are checked against the
//! statement before they are parsed, and have one form only (T-61).

pub mod body;
pub(crate) mod form;
pub mod keys;
pub mod name;
pub mod policy;
pub mod revocations;

#[cfg(test)]
mod tests;
