//! Which role may speak for a path.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::document::{Target, Targets};
use crate::limits::Profile;
use crate::threshold::RoleKeys;

/// One delegation on the way of a look-up.
#[derive(Debug, Clone)]
pub(crate) struct Edge<'a> {
    /// The role that may speak.
    pub(crate) role: Cow<'a, str>,
    /// The keys with which it must.
    pub(crate) keys: &'a RoleKeys,
    terminating: bool,
}

/// How far a look-up goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Roles visited at most.
    pub(crate) visited_max: usize,
    /// Whether roles may delegate further. In a mesh they may not, so that no
    /// cycle can be built.
    pub(crate) deep: bool,
}

impl Reach {
    pub(crate) fn of(profile: Profile) -> Self {
        Self {
            visited_max: profile.limits().visited,
            deep: profile == Profile::Foreign,
        }
    }
}

/// The role that speaks for a path, and what it says.
///
/// Pre-order over the delegations below the top document, whose own targets
/// the caller looks at. A role is visited once, whoever names it. A terminating
/// role ends the look-up whether it lists the path or not, and so does the last
/// role that may be visited (T-21). `document` gives what a role says; where it
/// cannot, the look-up ends with its error: what the role would say is unknown,
/// and a later one must not speak in its place.
pub(crate) fn resolve<'a, E>(
    path: &str,
    top: &'a Targets,
    reach: Reach,
    mut document: impl FnMut(&Edge<'a>) -> Result<&'a Targets, E>,
) -> Result<Option<(Cow<'a, str>, &'a Target)>, E> {
    let mut visited = BTreeSet::new();
    let mut waiting = Vec::new();
    push_edges(path, top, reach.visited_max, &mut waiting);
    while let Some(edge) = waiting.pop() {
        if visited.contains(&edge.role) {
            continue;
        }
        if visited.len() == reach.visited_max {
            return Ok(None);
        }
        let targets = document(&edge)?;
        if let Some(target) = targets.targets.get(path) {
            return Ok(Some((edge.role, target)));
        }
        visited.insert(edge.role);
        if reach.deep {
            push_edges(path, targets, reach.visited_max, &mut waiting);
        }
    }
    Ok(None)
}

/// Puts the roles to which a document delegates the path on top of the waiting
/// ones, the first topmost. Behind a terminating one nothing waits any more.
/// One more than may be visited tells that there were too many.
fn push_edges<'a>(
    path: &str,
    targets: &'a Targets,
    visited_max: usize,
    waiting: &mut Vec<Edge<'a>>,
) {
    let bins = targets.bins.iter().map(|bins| Edge {
        role: Cow::Owned(bins.role_of(path)),
        keys: &bins.keys,
        terminating: true,
    });
    let roles = targets.delegations.iter();
    let roles = roles
        .filter(|role| role.scope.covers(path))
        .map(|role| Edge {
            role: Cow::Borrowed(role.name.as_str()),
            keys: &role.keys,
            terminating: role.terminating,
        });
    let mut edges = Vec::new();
    for edge in bins.chain(roles).take(visited_max + 1) {
        let terminating = edge.terminating;
        edges.push(edge);
        if terminating {
            waiting.clear();
            break;
        }
    }
    edges.reverse();
    waiting.append(&mut edges);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::document::Delegation;
    use crate::document::hashes::Hashes;
    use crate::document::scope::Scope;
    use crate::key::SecretKey;

    const REACH: Reach = Reach {
        visited_max: 4,
        deep: false,
    };

    /// So many roles that all cover every path of three parts.
    fn overlapping(count: usize) -> Targets {
        let key = SecretKey::from_seed([1; 32]).public_key();
        let keys = RoleKeys::new(&[key], 1).unwrap();
        let delegation = |number: usize| Delegation {
            name: number.to_string(),
            keys: keys.clone(),
            terminating: false,
            scope: Scope::Patterns(vec!["*/*/*".to_owned()]),
        };
        Targets {
            targets: BTreeMap::new(),
            delegations: (0..count).map(delegation).collect(),
            bins: None,
        }
    }

    #[test]
    fn a_look_up_visits_few_roles_and_skips_none_it_does_not_know() {
        let target = Target {
            len: 0,
            hashes: Hashes {
                sha256: Some([0; 32]),
                sha512: None,
            },
            custom: None,
        };
        let silent = overlapping(0);
        let speaking = Targets {
            targets: [("a/b/c".to_owned(), target)].into(),
            ..overlapping(0)
        };
        let found = |count: usize, unknown: Option<&str>| {
            let top = overlapping(count);
            let last = (count - 1).to_string();
            let found = resolve("a/b/c", &top, REACH, |edge| match unknown {
                Some(unknown) if unknown == edge.role => Err(()),
                _ if edge.role == last => Ok(&speaking),
                _ => Ok(&silent),
            });
            found.map(|found| found.map(|(role, _)| role.into_owned()))
        };
        assert_eq!(found(4, None), Ok(Some("3".to_owned())));
        assert_eq!(found(5, None), Ok(None));
        assert_eq!(found(4, Some("1")), Err(()));
    }
}
