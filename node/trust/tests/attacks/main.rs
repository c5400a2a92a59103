//! Attacks on the verifier, seen from outside: hostile documents in, verdicts
//! and state out. Numbered ones keep the number of the attack they make.

#![allow(
    clippy::unwrap_used,
    reason = "the lint spares test functions only, not their helpers"
)]

mod annexes;
mod author;
mod authority;
mod chain;
mod equivocation;
mod fast_forward;
mod foreign;
mod honest;
mod index;
mod kit;
mod log;
mod orders;
mod parser;
mod rollback;
mod rotation;
mod signatures;
