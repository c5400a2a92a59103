//! Names from a file system, which are bytes, to paths of a release, which are
//! UTF-8.

use patchmesh_content::path::{self, PathRefusal};

/// Why a name from a file system cannot stand in a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is not UTF-8; `shown` is it with the bad bytes replaced.
    #[error("the name {shown:?} is not UTF-8 (first bad byte at {at}); rename it to publish it")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
        /// The name for people.
        shown: String,
    },
    /// The path breaks a rule of the release index.
    #[error("the path {path:?} is not allowed: {refusal}")]
    Path {
        /// The path.
        path: String,
        /// The rule.
        refusal: PathRefusal,
    },
}

/// A relative path with `/` between parts, checked for a release.
pub fn checked_path(name: &[u8]) -> Result<String, NameError> {
    let text = text(name)?;
    match path::check(&text) {
        Ok(()) => Ok(text),
        Err(refusal) => Err(NameError::Path {
            path: text,
            refusal,
        }),
    }
}

/// The target text of the symbolic link at `path`, checked for a release.
pub fn checked_target(path: &str, target: &[u8]) -> Result<String, NameError> {
    let text = text(target)?;
    match path::check_link(path, &text) {
        Ok(()) => Ok(text),
        Err(refusal) => Err(NameError::Path {
            path: format!("{path} -> {text}"),
            refusal,
        }),
    }
}

fn text(name: &[u8]) -> Result<String, NameError> {
    match str::from_utf8(name) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(NameError::NotUtf8 {
            at: error.valid_up_to(),
            shown: String::from_utf8_lossy(name).into_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_utf8_is_refused_with_the_place_of_the_bad_byte() {
        let error = checked_path(b"lib/caf\xe9.txt").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name \"lib/caf\u{fffd}.txt\" is not UTF-8 (first bad byte at 7); \
             rename it to publish it"
        );
    }

    #[test]
    fn the_rules_of_the_index_hold_for_names_and_targets() {
        assert_eq!(checked_path("lib/ß".as_bytes()), Ok("lib/ß".to_owned()));
        assert_eq!(
            checked_path(b"lib/../x").unwrap_err().to_string(),
            "the path \"lib/../x\" is not allowed: dot-or-empty-part"
        );
        assert_eq!(checked_target("a/b", b"../c"), Ok("../c".to_owned()));
        assert_eq!(
            checked_target("a/b", b"/etc/passwd")
                .unwrap_err()
                .to_string(),
            "the path \"a/b -> /etc/passwd\" is not allowed: absolute"
        );
    }
}
