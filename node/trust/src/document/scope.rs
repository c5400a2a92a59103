//! The paths that a delegation covers.

use patchmesh_content::id::hex;

use crate::key::sha256;

/// The paths of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that a pattern covers.
    Patterns(Vec<String>),
    /// Those whose SHA-256 begins with one of these hexadecimal digits.
    HashPrefixes(Vec<String>),
}

impl Scope {
    pub(crate) fn covers(&self, path: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|pattern| matches(pattern, path)),
            Self::HashPrefixes(prefixes) => {
                let hash = hex(&sha256(path.as_bytes()));
                prefixes.iter().any(|prefix| hash.starts_with(prefix))
            }
        }
    }
}

/// Whether a pattern covers a path: part by part, so neither `*` nor `?`
/// crosses a `/`.
fn matches(pattern: &str, path: &str) -> bool {
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
    use super::*;

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
