//! Every parser of foreign bytes as a function of bytes. A target panics if
//! the parser does, or if what it accepted does not encode to what it accepts
//! as the same again.

pub mod corpus;
pub mod local;
pub mod metadata;
pub mod mutate;
pub mod wire;
