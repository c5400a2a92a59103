//! Who may say what: TUF roles, thresholds and versions, verified from bytes.
//! Pure: no clock, no file, no socket.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod layout;
pub mod refusal;
pub mod release;
pub mod role;
pub mod state;
pub mod time;
pub mod verified;
