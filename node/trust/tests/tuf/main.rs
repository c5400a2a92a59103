//! The client workflow of the TUF specification on repositories of other tools:
//! delegations of any depth, forms that a mesh does not use, recovery, bounds.

#![allow(
    clippy::unwrap_used,
    reason = "the lint spares test functions only, not their helpers"
)]

mod bounds;
mod kit;
#[cfg(feature = "rsa")]
mod rsa;
mod walk;
mod workflow;
