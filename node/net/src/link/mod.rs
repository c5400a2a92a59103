//! From a socket to an admitted, counted, encrypted connection.

mod metered;
mod muxing;
#[cfg(feature = "quic")]
mod quic;
pub(crate) mod transport;
