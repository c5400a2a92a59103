//! Names of roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// A TUF role of this repository layout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RoleName {
    /// Keys of the four top roles.
    Root,
    /// Newest snapshot.
    Timestamp,
    /// Versions of all targets files.
    Snapshot,
    /// Top-level targets: delegations only.
    Targets,
    /// A delegated release line: `release/<line>`.
    Line(String),
    /// What is applied when and where: `rollout`.
    Rollout,
    /// Who may stop, enrol or witness: `membership`.
    Membership,
    /// A delegated role of a foreign repository, which may have any name; never
    /// a role of a mesh, and never read from text.
    Delegated(String),
}

impl RoleName {
    /// Whether the top targets say whose keys speak for it.
    pub fn is_delegated(&self) -> bool {
        match self {
            Self::Line(_) | Self::Rollout | Self::Membership | Self::Delegated(_) => true,
            Self::Root | Self::Timestamp | Self::Snapshot | Self::Targets => false,
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Snapshot => f.write_str("snapshot"),
            Self::Targets => f.write_str("targets"),
            Self::Line(line) => write!(f, "release/{line}"),
            Self::Rollout => f.write_str("rollout"),
            Self::Membership => f.write_str("membership"),
            Self::Delegated(name) => f.write_str(name),
        }
    }
}

impl FromStr for RoleName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text {
            "root" => Ok(Self::Root),
            "timestamp" => Ok(Self::Timestamp),
            "snapshot" => Ok(Self::Snapshot),
            "targets" => Ok(Self::Targets),
            "rollout" => Ok(Self::Rollout),
            "membership" => Ok(Self::Membership),
            other => match other.strip_prefix("release/") {
                Some(line) if is_line(line) => Ok(Self::Line(line.to_owned())),
                _ => Err(Refusal::Malformed),
            },
        }
    }
}

impl From<RoleName> for String {
    fn from(role: RoleName) -> Self {
        role.to_string()
    }
}

impl TryFrom<String> for RoleName {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

/// Whether a text may name a release line: `[a-z0-9][a-z0-9._-]{0,47}`.
pub fn is_line(text: &str) -> bool {
    let ok = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=48).contains(&bytes.len())
        && ok(bytes[0])
        && bytes
            .iter()
            .all(|&c| ok(c) || matches!(c, b'.' | b'_' | b'-'))
}

/// Whether a text may name a release within its line: `[A-Za-z0-9][A-Za-z0-9._-]{0,47}`.
pub fn is_release_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=48).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|&c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
}
