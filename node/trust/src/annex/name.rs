//! Names of annexes.

use std::fmt;
use std::str::FromStr;

use patchmesh_proto::limits::{MEMBERSHIP_LEN_MAX, POLICY_LEN_MAX};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::role::RoleName;

/// Which annex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum AnnexName {
    /// `rollout/policy`: what is applied when and where.
    Policy,
    /// `membership/keys`: keys that may stop, enrol or witness.
    Keys,
    /// `membership/revocations`: the stops that the threshold has taken over.
    Revocations,
}

impl AnnexName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Policy, Self::Keys, Self::Revocations];

    /// Its target path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Policy => "rollout/policy",
            Self::Keys => "membership/keys",
            Self::Revocations => "membership/revocations",
        }
    }

    /// The role that speaks for it.
    pub fn role(self) -> RoleName {
        match self {
            Self::Policy => RoleName::Rollout,
            Self::Keys | Self::Revocations => RoleName::Membership,
        }
    }

    /// Those for which a role speaks.
    pub fn of(role: &RoleName) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |name| name.role() == *role)
    }

    /// Longest acceptable annex in bytes.
    pub fn len_max(self) -> usize {
        match self {
            Self::Policy => POLICY_LEN_MAX,
            Self::Keys | Self::Revocations => MEMBERSHIP_LEN_MAX,
        }
    }
}

impl fmt::Display for AnnexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

impl FromStr for AnnexName {
    type Err = Refusal;

    fn from_str(path: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|name| name.path() == path);
        found.ok_or(Refusal::Malformed)
    }
}

impl From<AnnexName> for String {
    fn from(name: AnnexName) -> Self {
        name.path().to_owned()
    }
}

impl TryFrom<String> for AnnexName {
    type Error = Refusal;

    fn try_from(path: String) -> Result<Self, Refusal> {
        path.parse()
    }
}
