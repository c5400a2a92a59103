//! The top level is exactly the agreed list.

use std::collections::BTreeSet;

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Everything at the top that is not a dotfile.
const TOP: [&str; 11] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "node",
    "proto",
    "scripts",
    "simulations",
    "tests",
];
/// Everything that `node/` may hold.
const NODE: [&str; 12] = [
    "README.md",
    "api",
    "apply",
    "cli",
    "content",
    "core",
    "daemon",
    "demo",
    "net",
    "pack",
    "store",
    "trust",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut push = |file: &str, says: &str| {
        found.push(Finding {
            file: file.to_owned(),
            line: 0,
            rule: "root",
            says: says.to_owned(),
            cure: "put it into the folder it belongs to; the list is in scripts/src/tidy/root.rs",
        });
    };
    let top: BTreeSet<&str> = tree
        .paths
        .iter()
        .filter_map(|path| path.split('/').next())
        .collect();
    for name in &top {
        if !name.starts_with('.') && !TOP.contains(name) {
            push(name, "not on the list of the top level");
        }
    }
    for name in TOP {
        if !top.contains(name) {
            push(name, "missing at the top level");
        }
    }
    let node = tree.paths.iter().filter_map(|path| {
        let inside = path.strip_prefix("node/")?;
        (!inside.contains('/')).then_some((path, inside))
    });
    for (path, name) in node {
        if !NODE.contains(&name) {
            push(path, "not on the list of node/");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agreed_list_passes_with_dotfiles_and_nothing_else_does() {
        let mut files: Vec<(String, &str)> = TOP
            .iter()
            .map(|name| {
                let folder = !name.contains('.') && *name != "LICENSE";
                let leaf = if folder { "/Cargo.toml" } else { "" };
                (format!("{name}{leaf}").replace("node/", "node/core/"), "")
            })
            .collect();
        files.push((".github/ci.yml".to_owned(), ""));
        let says = |files: &[(String, &str)]| {
            let files: Vec<_> = files.iter().map(|(a, b)| (a.as_str(), *b)).collect();
            let found = check(&Tree::of(&files));
            found
                .iter()
                .map(|finding| finding.file.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(says(&files), [""; 0]);
        for extra in ["docs/a.md", "NOTES.md", "node/util/Cargo.toml"] {
            let mut more = files.clone();
            more.push((extra.to_owned(), ""));
            assert_eq!(says(&more).len(), 1, "{extra}");
        }
        assert_eq!(says(&files[1..]), ["ARCHITECTURE.md"]);
    }
}
