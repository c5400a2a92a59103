//! Which role may speak for a path.

use crate::document::{Target, Targets};
use crate::limits::VISITED_MAX;

/// The role that speaks for a path, and what it says.
///
/// Pre-order over the delegations of the top document, one level deep: a role's
/// statement was checked against the key list of the top document only, so a
/// delegation inside a statement is never followed, and no cycle can be built.
/// A terminating role ends the look-up whether it lists the path or not (T-21).
/// A matching role whose statement is not held ends it too: what it would say
/// is unknown, and a later role must not speak in its place.
pub(crate) fn resolve<'a>(
    path: &str,
    top: &'a Targets,
    statement: impl Fn(&str) -> Option<&'a Targets>,
) -> Option<(&'a str, &'a Target)> {
    let mut visited = 0;
    for role in &top.delegations {
        if !role.paths.iter().any(|pattern| matches(pattern, path)) {
            continue;
        }
        visited += 1;
        if visited > VISITED_MAX {
            return None;
        }
        let held = statement(&role.name)?;
        if let Some(target) = held.targets.get(path) {
            return Some((&role.name, target));
        }
        if role.terminating {
            return None;
        }
    }
    None
}

/// Whether a pattern covers a path: part by part, so neither `*` nor `?`
/// crosses a `/`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if part_matches(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// Wildcards by the last star only: linear in pattern times part, no recursion.
fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    let (mut at, mut in_part) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_part < part.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_part));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == part[in_part] => {
                at += 1;
                in_part += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    in_part = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::document::Delegation;
    use crate::key::SecretKey;
    use crate::threshold::RoleKeys;

    /// So many roles that all cover every path of three parts.
    fn overlapping(count: usize) -> Targets {
        let key = SecretKey::from_seed([1; 32]).public_key();
        let keys = RoleKeys::new(&[key], 1).unwrap();
        let delegation = |number: usize| Delegation {
            name: number.to_string(),
            keys: keys.clone(),
            terminating: false,
            paths: vec!["*/*/*".to_owned()],
        };
        Targets {
            targets: BTreeMap::new(),
            delegations: (0..count).map(delegation).collect(),
        }
    }

    #[test]
    fn a_look_up_visits_few_roles_and_skips_none_it_does_not_know() {
        let target = Target {
            len: 0,
            sha256: [0; 32],
            custom: None,
        };
        let silent = overlapping(0);
        let speaking = Targets {
            targets: [("a/b/c".to_owned(), target)].into(),
            delegations: Vec::new(),
        };
        let last = |name: &str, count: usize| name == (count - 1).to_string();
        let found = |count: usize, unknown: Option<&str>| {
            let top = overlapping(count);
            let statement = |name: &str| match unknown {
                Some(unknown) if unknown == name => None,
                _ if last(name, count) => Some(&speaking),
                _ => Some(&silent),
            };
            resolve("a/b/c", &top, statement).map(|(role, _)| role.to_owned())
        };
        assert_eq!(found(VISITED_MAX, None).as_deref(), Some("3"));
        assert_eq!(found(VISITED_MAX + 1, None), None);
        assert_eq!(found(VISITED_MAX, Some("1")), None);
    }

    #[test]
    fn stars_do_not_cross_a_slash() {
        for (pattern, path, expected) in [
            ("release/desktop/*", "release/desktop/KB-1", true),
            ("release/desktop/*", "release/desktop/a/b", false),
            ("release/desktop/*", "release/desktop", false),
            ("release/*", "release/desktop/KB-1", false),
            ("release/desktop/*", "release/server/KB-1", false),
            ("*", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "ac", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**", "abc", true),
            ("", "", true),
            ("[ab]", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
