//! Crates that must never reach libp2p, tokio or sled, even through a third
//! package.
//!
//! Own crates are followed by their normal dependencies, other packages by
//! `Cargo.lock`, which also lists optional dependencies that are not built: the
//! check is stricter than the build, and needs neither network nor Cargo.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tidy::finding::Finding;
use crate::tidy::layers::{Kind, dependencies};
use crate::tidy::lock::packages;
use crate::tidy::tree::Tree;

/// Packages of the network, the runtime and the database.
const FAR: [&str; 3] = ["libp2p", "sled", "tokio"];
/// Folders that stay away from all of them.
const BLIND: [&str; 8] = [
    "proto",
    "node/content",
    "node/trust",
    "node/pack",
    "node/core",
    "node/api",
    "node/cli",
    "simulations",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages(tree.text("Cargo.lock")) {
        next.insert(package.key(), package.dependencies.clone());
        next.entry(package.name)
            .or_default()
            .extend(package.dependencies);
    }
    let mut own = BTreeMap::new();
    for (folder, table) in tree.packages() {
        let normal = dependencies(tree, &table)
            .into_iter()
            .filter(|dependency| dependency.kind != Kind::Dev)
            .map(|dependency| dependency.name)
            .collect::<Vec<_>>();
        let name = table["package"].get("name").and_then(toml::Value::as_str);
        next.insert(name.unwrap_or_default().to_owned(), normal);
        own.insert(folder, name.unwrap_or_default().to_owned());
    }
    let mut found = Vec::new();
    for folder in BLIND {
        let Some(start) = own.get(folder) else {
            continue;
        };
        for way in ways(start, &next) {
            found.push(Finding {
                file: format!("{folder}/Cargo.toml"),
                line: 0,
                rule: "reach",
                says: format!("reaches {}", way.join(" -> ")),
                cure: "drop the dependency on this way or its feature; only adapters may have it",
            });
        }
    }
    found
}

/// Shortest way to each far package that can be reached.
fn ways(start: &str, next: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen = BTreeSet::from([start]);
    let mut queue = VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(at) = queue.pop_front() {
        if FAR.contains(&at.split(' ').next().unwrap_or(at)) {
            let mut way = vec![at.to_owned()];
            let mut step = at;
            while let Some(from) = before.get(step) {
                way.push((*from).to_owned());
                step = from;
            }
            way.reverse();
            found.push(way);
        }
        for to in next.get(at).into_iter().flatten() {
            if seen.insert(to) {
                before.insert(to, at);
                queue.push_back(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
        dependencies = [\"b 2.0.0\"]\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\
        [[package]]\nname = \"b\"\nversion = \"2.0.0\"\ndependencies = [\"tokio\"]\n\
        [[package]]\nname = \"tokio\"\nversion = \"1.0.0\"\n";

    fn says(cargo: &str) -> Vec<String> {
        let tree = Tree::of(&[("Cargo.lock", LOCK), ("node/core/Cargo.toml", cargo)]);
        check(&tree).iter().map(|f| f.says.clone()).collect()
    }

    #[test]
    fn a_third_package_is_seen_through_but_dev_dependencies_are_not_shipped() {
        let found = says("[package]\nname = \"core\"\n[dependencies]\na = \"1\"");
        assert_eq!(found, ["reaches core -> a -> b 2.0.0 -> tokio"]);
        let found = says("[package]\nname = \"core\"\n[dev-dependencies]\na = \"1\"");
        assert_eq!(found, [""; 0]);
    }
}
