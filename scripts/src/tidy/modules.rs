//! Façades hold no code, every file is reachable by `mod`, leaves import by
//! the defining leaf, and folders stay small enough to be read as a list.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Visibility};

use crate::tidy::finding::Finding;
use crate::tidy::graph::{crates, imports};
use crate::tidy::tree::{Tree, is_cfg_test, is_generated, is_test, is_test_item, package_of};

/// Most leaf modules of one folder.
const LEAVES_MAX: usize = 16;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, file) in &tree.rust {
        let leaf = path.rsplit('/').next().unwrap_or(path);
        // Test modules may keep their shared helpers beside their declarations.
        let facade_of_tests = leaf == "mod.rs" && is_test(path);
        if ["lib.rs", "mod.rs"].contains(&leaf) && !facade_of_tests {
            facade(path, &file.items, &mut found);
        }
        if !is_test(path) && !is_generated(path) {
            let mut reader = Supers {
                path,
                found: &mut found,
            };
            reader.visit_file(file);
        }
    }
    unreachable(tree, &mut found);
    leaves(tree, &mut found);
    found
}

fn facade(path: &str, items: &[Item], found: &mut Vec<Finding>) {
    for item in items {
        let open = |vis: &Visibility| !matches!(vis, Visibility::Inherited);
        let (ok, line) = match item {
            Item::Mod(item) => {
                let test = item.attrs.iter().any(is_cfg_test);
                (
                    item.content.is_none() || test,
                    item.mod_token.span.start().line,
                )
            }
            Item::Use(item) => (open(&item.vis), item.use_token.span.start().line),
            other => (false, syn::spanned::Spanned::span(other).start().line),
        };
        if !ok {
            found.push(Finding {
                file: path.to_owned(),
                line,
                rule: "facade",
                says: "a façade holds code".to_owned(),
                cure: "lib.rs and mod.rs hold docs, `mod` and `pub use`; move the rest into a leaf",
            });
        }
    }
}

/// Finds `use super::` outside tests.
struct Supers<'a> {
    path: &'a str,
    found: &'a mut Vec<Finding>,
}

impl<'a> Visit<'a> for Supers<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        for import in imports(item) {
            if import.path.first().is_some_and(|part| part == "super") {
                self.found.push(Finding {
                    file: self.path.to_owned(),
                    line: import.line,
                    rule: "super",
                    says: "imports from `super`".to_owned(),
                    cure: "import from the defining leaf: `use crate::leaf::Name`",
                });
            }
        }
    }
}

fn unreachable(tree: &Tree, found: &mut Vec<Finding>) {
    let crates = crates(tree);
    let reached: BTreeSet<&str> = crates
        .iter()
        .flat_map(|krate| krate.modules.values().map(String::as_str))
        .collect();
    let packages: BTreeSet<String> = tree.packages().into_iter().map(|(at, _)| at).collect();
    for (path, _) in tree.ending(".rs") {
        if packages.contains(package_of(path)) && !reached.contains(path) {
            found.push(Finding {
                file: path.to_owned(),
                line: 0,
                rule: "reachable",
                says: "no `mod` leads to this file, so it is never compiled".to_owned(),
                cure: "declare it in its parent or delete it",
            });
        }
    }
    for (path, name) in crates.iter().flat_map(|krate| &krate.missing) {
        found.push(Finding {
            file: path.clone(),
            line: 0,
            rule: "reachable",
            says: format!("`mod {name}` has no file"),
            cure: "add the file or drop the line",
        });
    }
}

fn leaves(tree: &Tree, found: &mut Vec<Finding>) {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in tree.ending(".rs") {
        let Some((folder, leaf)) = path.rsplit_once('/') else {
            continue;
        };
        if !["lib.rs", "main.rs", "mod.rs", "tests.rs"].contains(&leaf) {
            *folders.entry(folder).or_default() += 1;
        }
    }
    for (folder, count) in folders {
        if count > LEAVES_MAX {
            found.push(Finding {
                file: folder.to_owned(),
                line: 0,
                rule: "leaves",
                says: format!("{count} leaf modules in one folder, at most {LEAVES_MAX}"),
                cure: "group modules that change together into a folder with a façade",
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> Vec<&'static str> {
        let package = [("proto/Cargo.toml", "[package]\nname = \"x\"")];
        let all: Vec<_> = files.iter().copied().chain(package).collect();
        check(&Tree::of(&all)).iter().map(|f| f.rule).collect()
    }

    #[test]
    fn a_facade_of_declarations_passes_and_one_with_code_fails() {
        let good = "//! Doc.\n#![deny(x)]\nmod a;\npub use a::A;\n#[cfg(test)]\nmod tests;";
        let leaf = ("proto/src/a.rs", "use crate::a;");
        let tests = ("proto/src/tests.rs", "use super::*;");
        assert_eq!(rules(&[("proto/src/lib.rs", good), leaf, tests]), [""; 0]);
        let helpers = ("proto/src/tests/mod.rs", "use super::*; fn help() {}");
        assert_eq!(rules(&[("proto/src/lib.rs", good), leaf, helpers]), [""; 0]);
        let helpers = ("proto/src/tests/mod.rs", "use super::*; fn help() {}");
        assert_eq!(rules(&[("proto/src/lib.rs", good), leaf, helpers]), [""; 0]);
        for bad in [
            "fn f() {}",
            "use a::A;",
            "m! {}",
            "mod b {}",
            "pub const A: u8 = 1;",
        ] {
            let text = format!("{good}\n{bad}");
            assert_eq!(
                rules(&[("proto/src/lib.rs", &text), leaf, tests]),
                ["facade"]
            );
        }
    }

    #[test]
    fn super_is_for_tests() {
        let root = ("proto/src/lib.rs", "mod a;");
        let good = "#[cfg(test)] mod tests { use super::*; }";
        assert_eq!(rules(&[root, ("proto/src/a.rs", good)]), [""; 0]);
        assert_eq!(
            rules(&[root, ("proto/src/a.rs", "use super::b::C;")]),
            ["super"]
        );
    }

    #[test]
    fn every_file_is_reached_by_mod_and_every_mod_has_a_file() {
        let good = [("proto/src/lib.rs", "mod a;"), ("proto/src/a/mod.rs", "")];
        assert_eq!(rules(&good), [""; 0]);
        assert_eq!(rules(&[good[0]]), ["reachable"]);
        assert_eq!(rules(&[("proto/src/lib.rs", ""), good[1]]), ["reachable"]);
        let path = ("proto/src/lib.rs", "#[path = \"x/b.rs\"] mod a;");
        assert_eq!(rules(&[path, ("proto/src/x/b.rs", "")]), [""; 0]);
    }

    #[test]
    fn a_folder_holds_sixteen_leaves() {
        let names: Vec<String> = (0..17).map(|n| format!("proto/src/m{n}.rs")).collect();
        let lines: Vec<String> = (0..17).map(|n| format!("mod m{n};")).collect();
        let folder = |count: usize| {
            let root = lines[..count].concat();
            let mut files = vec![("proto/src/lib.rs", root.as_str())];
            files.extend(names[..count].iter().map(|name| (name.as_str(), "")));
            rules(&files)
        };
        assert_eq!(folder(16), [""; 0]);
        assert_eq!(folder(17), ["leaves"]);
    }
}
