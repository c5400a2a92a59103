//! Types of the signed messages that are no documents and no texts of the log.
//! The type is part of what is signed, so that no signature fits in another
//! message's place (M-01).

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A node's certificate.
    Certificate,
    /// An emergency stop.
    Stop,
}

impl Domain {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Certificate, Self::Stop];

    /// As it is signed.
    pub fn text(self) -> &'static str {
        match self {
            Self::Certificate => "patchmesh/cert/v1",
            Self::Stop => "patchmesh/stop/v1",
        }
    }
}
