//! Who may say what: TUF roles, thresholds and versions, verified from bytes.
//! Pure: no clock, no file, no socket.
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod author;
pub mod canonical;
pub mod key;
pub mod layout;
pub mod limits;
pub mod member;
pub mod refusal;
pub mod release;
pub mod role;
pub mod state;
pub mod threshold;
pub mod time;
pub mod verified;

mod delegate;
mod document;
mod envelope;
