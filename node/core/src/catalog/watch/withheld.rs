//! Documents that verified metadata names and that do not come (T-48). Whoever
//! holds back one of them would otherwise keep the statement before it in force
//! until that expires.

use std::collections::BTreeMap;

use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Want;

use crate::reason::Withheld;
use crate::time::{Duration, Time};

/// How long a named document may be missing before this node says that it is
/// behind, and installs nothing of what the document replaces.
pub const WITHHELD_AFTER: Duration = Duration::secs(10 * 60);

/// What is missing, and since when.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    since: BTreeMap<RoleName, (u64, Time)>,
    /// Roles that were said to be withheld.
    told: Vec<RoleName>,
}

impl Missing {
    /// Takes up what is wanted now. A newer version that is named meanwhile
    /// does not begin the time anew, and what stands below a missing document
    /// is not known to have come: neither helps to hold something back.
    pub fn look(&mut self, wants: &[Want], now: Time) {
        let above = wants.first().map(|want| &want.role);
        let above = above.filter(|role| matches!(role, RoleName::Snapshot | RoleName::Targets));
        let wanted = |role: &RoleName| wants.iter().any(|want| want.role == *role);
        self.since
            .retain(|role, _| wanted(role) || above.is_some_and(|above| role > above));
        for want in wants {
            let version = want.version.unwrap_or_default();
            let entry = self.since.entry(want.role.clone());
            entry.or_insert((version, now)).0 = version;
        }
    }

    /// What is missing for too long.
    pub fn overdue(&self, now: Time) -> Vec<Withheld> {
        let missing = self.since.iter();
        let overdue = missing.filter(|(_, (_, since))| now.since(*since) > WITHHELD_AFTER);
        overdue
            .map(|(role, &(version, since))| Withheld {
                role: role.clone(),
                version,
                since,
            })
            .collect()
    }

    /// What is missing for too long, if that is another list than was given
    /// before.
    pub fn news(&mut self, now: Time) -> Option<Vec<Withheld>> {
        let overdue = self.overdue(now);
        let roles: Vec<RoleName> = overdue.iter().map(|one| one.role.clone()).collect();
        if roles == self.told {
            return None;
        }
        self.told = roles;
        Some(overdue)
    }

    /// When the next document is missing for too long.
    pub fn next(&self, now: Time) -> Option<Time> {
        let at = self.since.values();
        let at = at.map(|(_, since)| since.plus(WITHHELD_AFTER).plus(Duration(1)));
        at.filter(|at| *at > now).min()
    }
}

/// Whether a missing document could change what is said for a line.
pub fn covers(withheld: &[Withheld], line: &str) -> bool {
    withheld.iter().any(|one| match &one.role {
        RoleName::Timestamp | RoleName::Snapshot | RoleName::Targets => true,
        RoleName::Line(missing) => missing == line,
        RoleName::Root | RoleName::Rollout | RoleName::Membership | RoleName::Delegated(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(role: RoleName, version: u64) -> Want {
        Want {
            role,
            version: Some(version),
            sha256: None,
            len_max: 1,
        }
    }

    fn line(name: &str) -> RoleName {
        RoleName::Line(name.to_owned())
    }

    /// T-48.
    #[test]
    fn neither_a_newer_version_nor_a_missing_snapshot_begins_the_time_anew() {
        let at = |secs: u64| Time(secs * 1_000_000);
        let mut missing = Missing::default();
        missing.look(&[want(line("a"), 4), want(line("b"), 2)], at(0));
        missing.look(&[want(line("a"), 5)], at(300));
        missing.look(&[want(RoleName::Snapshot, 9)], at(400));
        missing.look(&[want(line("a"), 6)], at(500));
        assert_eq!(missing.overdue(at(600)), []);
        assert_eq!(missing.next(at(600)), Some(Time(600_000_001)));
        let overdue = missing.news(Time(600_000_001)).unwrap();
        assert_eq!(overdue.len(), 1, "what came is not missing");
        assert_eq!((&overdue[0].role, overdue[0].version), (&line("a"), 6));
        assert_eq!(missing.news(at(700)), None);
        assert!(covers(&overdue, "a") && !covers(&overdue, "b"));
        missing.look(&[], at(800));
        assert_eq!(missing.news(at(800)), Some(vec![]));
        assert_eq!(missing.next(at(800)), None);
    }
}
