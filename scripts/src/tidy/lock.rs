//! Number and floors of the packages that the lock file pins.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

const FILE: &str = "Cargo.lock";
/// Most packages in the lock file. It also lists optional packages that weak
/// features of others name but no build uses; see `BUILT_MAX`.
const LOCKED_MAX: usize = 560;
/// Most packages that a Linux build of the workspace compiles into programs.
pub(crate) const BUILT_MAX: usize = 370;
/// Versions below these have known holes: CVE-2026-95859 (memory by novel
/// topics), CVE-2026-32314 (one frame ends the process), CVE-2026-35405 and
/// CVE-2026-35457 (rendezvous, if it is ever linked).
const FLOORS: [(&str, [u64; 3]); 3] = [
    ("libp2p-gossipsub", [0, 50, 1]),
    ("libp2p-rendezvous", [0, 17, 1]),
    ("yamux", [0, 13, 10]),
];

/// A package of the lock file.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `name` or, where several versions are locked, `name version`.
    pub(crate) dependencies: Vec<String>,
}

impl Package {
    /// How others name this version where several are locked.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// Packages of a lock file.
pub(crate) fn packages(text: &str) -> Vec<Package> {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let entries = table.get("package").and_then(toml::Value::as_array);
    let text = |value: Option<&toml::Value>| {
        let text = value.and_then(toml::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let list = entry.get("dependencies").and_then(toml::Value::as_array);
            Package {
                name: text(entry.get("name")),
                version: text(entry.get("version")),
                dependencies: list
                    .into_iter()
                    .flatten()
                    .map(|name| text(Some(name)))
                    .collect(),
            }
        })
        .collect()
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree.text(FILE));
    let mut found = Vec::new();
    if packages.len() > LOCKED_MAX {
        found.push(Finding {
            file: FILE.to_owned(),
            line: 0,
            rule: "lock",
            says: format!("{} packages locked, at most {LOCKED_MAX}", packages.len()),
            cure: "find a smaller package or feature (`cargo tree -i NAME`)",
        });
    }
    for package in &packages {
        let floor = FLOORS.iter().find(|(name, _)| *name == package.name);
        if let Some((name, floor)) = floor
            && version(&package.version) < *floor
        {
            let [major, minor, patch] = floor;
            found.push(Finding {
                file: FILE.to_owned(),
                line: 0,
                rule: "floors",
                says: format!(
                    "{name} {} is below {major}.{minor}.{patch}",
                    package.version
                ),
                cure: "update it: versions below the floor have known holes",
            });
        }
    }
    found
}

/// The number of packages that are built is known to Cargo only.
pub(crate) fn check_built(count: usize) -> Option<Finding> {
    (count > BUILT_MAX).then(|| Finding {
        file: FILE.to_owned(),
        line: 0,
        rule: "lock",
        says: format!("{count} packages built, at most {BUILT_MAX}"),
        cure: "find a smaller package or feature (`cargo tree -i NAME`)",
    })
}

fn version(text: &str) -> [u64; 3] {
    let mut parts = text
        .split(['.', '-', '+'])
        .map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(count: usize, name: &str, version: &str) -> Vec<&'static str> {
        let one = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        let found = check(&Tree::of(&[(FILE, &one.repeat(count))]));
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn sizes_and_floors_pass_at_the_limit_and_fail_beyond() {
        assert_eq!(lock(LOCKED_MAX, "yamux", "0.13.10"), [""; 0]);
        assert_eq!(lock(LOCKED_MAX + 1, "yamux", "1.0.0"), ["lock"]);
        assert_eq!(lock(1, "yamux", "0.13.9"), ["floors"]);
        assert_eq!(lock(1, "libp2p-gossipsub", "0.49.4"), ["floors"]);
        assert_eq!(check_built(BUILT_MAX), None);
        assert!(check_built(BUILT_MAX + 1).is_some());
    }
}
