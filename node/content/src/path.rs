//! Rules for paths in a release. One function decides, for publisher and node
//! alike, so what can be signed can be staged (S-09).

use unicode_normalization::UnicodeNormalization as _;

/// Longest path in bytes.
pub const PATH_LEN_MAX: usize = 1024;
/// Most parts of a path.
pub const PATH_PARTS_MAX: usize = 64;
/// Longest part in bytes, the limit of common file systems.
pub const PART_LEN_MAX: usize = 255;

/// Why a path is refused. The text is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// Begins with `/`, or with a drive letter.
    #[error("absolute")]
    Absolute,
    /// A control character, NUL included.
    #[error("control-character")]
    ControlCharacter,
    /// `.`, `..` or an empty part.
    #[error("dot-or-empty-part")]
    DotOrEmptyPart,
    /// Empty.
    #[error("empty")]
    Empty,
    /// A character or name that Windows reserves.
    #[error("reserved-name")]
    ReservedName,
    /// Over one of the length limits.
    #[error("too-long")]
    TooLong,
}

/// Whether a path may stand in a release index: relative, `/` between parts,
/// no way out of its root, and usable on every system the node runs on.
pub fn check(path: &str) -> Result<(), PathRefusal> {
    if path.is_empty() {
        return Err(PathRefusal::Empty);
    }
    if path.len() > PATH_LEN_MAX || path.split('/').count() > PATH_PARTS_MAX {
        return Err(PathRefusal::TooLong);
    }
    if path.chars().any(char::is_control) {
        return Err(PathRefusal::ControlCharacter);
    }
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return Err(PathRefusal::Absolute);
    }
    path.split('/').try_for_each(check_part)
}

fn check_part(part: &str) -> Result<(), PathRefusal> {
    if part.is_empty() || part == "." || part == ".." {
        return Err(PathRefusal::DotOrEmptyPart);
    }
    if part.len() > PART_LEN_MAX {
        return Err(PathRefusal::TooLong);
    }
    if part.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) || part.ends_with(['.', ' ']) {
        return Err(PathRefusal::ReservedName);
    }
    let stem = part
        .split('.')
        .next()
        .unwrap_or(part)
        .trim_end()
        .to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || ["COM", "LPT"].iter().any(|name| {
            stem.strip_prefix(name)
                .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
        });
    if device {
        Err(PathRefusal::ReservedName)
    } else {
        Ok(())
    }
}

/// One form of all paths that some file system takes for the same: without
/// regard to case and to Unicode normalisation (S-09). Names themselves are left
/// as they are, decomposed ones too: a release is staged bit by bit.
pub fn folded(path: &str) -> String {
    let lower = path.nfd().collect::<String>().to_lowercase();
    lower.nfd().collect()
}

/// Whether a symbolic link at `path` with text `target` stays inside the root:
/// relative, and never above it, even after its leading `..` parts.
pub fn check_link(path: &str, target: &str) -> Result<(), PathRefusal> {
    if target.is_empty() {
        return Err(PathRefusal::Empty);
    }
    if target.len() > PATH_LEN_MAX || target.split('/').count() > PATH_PARTS_MAX {
        return Err(PathRefusal::TooLong);
    }
    if target.chars().any(char::is_control) {
        return Err(PathRefusal::ControlCharacter);
    }
    if target.starts_with('/') || target.contains('\\') || target.as_bytes().get(1) == Some(&b':') {
        return Err(PathRefusal::Absolute);
    }
    let mut depth = path.split('/').count() - 1;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or(PathRefusal::DotOrEmptyPart)?,
            _ => depth += 1,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "a",
            "usr/lib/x86_64-linux-gnu/libssl.so.3",
            "Ünïcode/ß.txt",
            "a b/c.d",
            ".hidden",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn hostile_paths_are_refused_with_their_code() {
        for (path, code) in [
            ("", PathRefusal::Empty),
            ("/etc/passwd", PathRefusal::Absolute),
            ("C:/x", PathRefusal::Absolute),
            ("a/../b", PathRefusal::DotOrEmptyPart),
            ("a//b", PathRefusal::DotOrEmptyPart),
            ("./a", PathRefusal::DotOrEmptyPart),
            ("a\0b", PathRefusal::ControlCharacter),
            ("a\\b", PathRefusal::ReservedName),
            ("nul.txt", PathRefusal::ReservedName),
            ("x/COM7", PathRefusal::ReservedName),
            ("x.", PathRefusal::ReservedName),
        ] {
            assert_eq!(check(path), Err(code), "{path:?}");
        }
        assert_eq!(check(&"a/".repeat(64)), Err(PathRefusal::TooLong));
        assert_eq!(check(&"x".repeat(256)), Err(PathRefusal::TooLong));
    }

    #[test]
    fn what_one_file_system_takes_for_the_same_is_the_same() {
        for (one, other) in [
            ("Readme", "README"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAF\u{c9}", "cafe\u{301}"),
            ("\u{212b}", "\u{e5}"),
            ("q\u{307}\u{323}", "Q\u{323}\u{307}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("cafe"), folded("caf\u{e9}"));
    }

    #[test]
    fn links_stay_inside_the_root() {
        assert_eq!(check_link("lib/a.so", "a.so.3"), Ok(()));
        assert_eq!(check_link("lib/a.so", "../share/a"), Ok(()));
        assert_eq!(
            check_link("lib/a.so", "../../etc"),
            Err(PathRefusal::DotOrEmptyPart)
        );
        assert_eq!(check_link("a", "/etc/passwd"), Err(PathRefusal::Absolute));
    }
}
