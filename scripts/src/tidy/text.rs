//! What a reader meets in a file: its purpose first, no notes to self, no
//! dead code, and nothing impure in the pure layers.

use syn::visit::{self, Visit};
use syn::{Item, ItemUse};

use crate::tidy::finding::Finding;
use crate::tidy::graph::imports;
use crate::tidy::tree::{Tree, is_generated, is_test, is_test_item, package_of};

/// Written apart so that this file passes its own check.
const NOTES: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];
/// Kinds of files a note to self may hide in.
const NOTED: [&str; 5] = [".rs", ".toml", ".proto", ".yml", ".sh"];
/// Folders that decide without touching the world.
const PURE: [&str; 5] = [
    "proto",
    "node/content",
    "node/trust",
    "node/pack",
    "node/core",
];
/// Paths of the standard library that touch the world.
const IMPURE: [&[&str]; 6] = [
    &["std", "env"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.ending(".rs") {
        if !text.starts_with("//! ") {
            found.push(Finding {
                file: path.to_owned(),
                line: 1,
                rule: "doc-first",
                says: "the file does not start with `//!`".to_owned(),
                cure: "say in the first line what the file is for",
            });
        }
        dead_code(path, text, &mut found);
        cited(tree, path, text, &mut found);
    }
    for (path, text) in &tree.texts {
        if NOTED.iter().any(|end| path.ends_with(end)) {
            notes(path, text, &mut found);
        }
    }
    for (path, file) in &tree.rust {
        let pure = PURE.contains(&package_of(path));
        if pure && !is_test(path) && !is_generated(path) {
            let mut reader = Impure {
                path,
                found: &mut found,
            };
            reader.visit_file(file);
        }
    }
    found
}

fn notes(path: &str, text: &str, found: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(word) = words.find(|word| NOTES.contains(word)) {
            found.push(Finding {
                file: path.to_owned(),
                line: at + 1,
                rule: "notes",
                says: format!("holds `{word}`"),
                cure: "do it now, or say in the documents what is missing",
            });
        }
    }
}

/// A comment may point to a document of this repository only: nobody else can
/// follow it.
fn cited(tree: &Tree, path: &str, text: &str, found: &mut Vec<Finding>) {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    for (at, line) in text.lines().enumerate() {
        let Some((_, comment)) = line.split_once("//") else {
            continue;
        };
        let names = comment.split(|c| !is_name(c));
        let names = names.map(|name| name.trim_matches(['/', '.']));
        for name in names.filter(|name| {
            name.strip_suffix(".md")
                .is_some_and(|stem| !stem.is_empty())
        }) {
            let below = format!("/{name}");
            let there = |known: &String| known == name || known.ends_with(&below);
            if !tree.paths.iter().any(there) {
                found.push(Finding {
                    file: path.to_owned(),
                    line: at + 1,
                    rule: "cited",
                    says: format!("points to {name}, which is not in the repository"),
                    cure: "cite a numbered sentence of proto/README.md or a section of \
                           ARCHITECTURE.md, or say the reason itself",
                });
            }
        }
    }
}

fn dead_code(path: &str, text: &str, found: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        let Some(comment) = line.trim().strip_prefix("//") else {
            continue;
        };
        if comment.starts_with(['/', '!']) || !looks_like_code(comment.trim()) {
            continue;
        }
        found.push(Finding {
            file: path.to_owned(),
            line: at + 1,
            rule: "dead-code",
            says: "a comment that looks like code".to_owned(),
            cure: "delete it; version control remembers",
        });
    }
}

/// Ends like a statement or a block, and has a sign that prose has not: a call
/// without a space before its parenthesis, a path, an assignment, a keyword.
fn looks_like_code(text: &str) -> bool {
    let starts = ["let ", "use ", "return ", "pub ", "fn ", "if ", "for "];
    let call = text
        .split('(')
        .rev()
        .skip(1)
        .any(|before| before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '!'));
    let sign = call
        || text.contains("::")
        || text.contains(" = ")
        || starts.iter().any(|word| text.starts_with(word));
    let ends = text.ends_with(';') || text.ends_with('{');
    text == "}" || text == "});" || (ends && sign)
}

/// Finds impure paths outside tests.
struct Impure<'a> {
    path: &'a str,
    found: &'a mut Vec<Finding>,
}

impl Impure<'_> {
    fn note(&mut self, path: &[String], line: usize) {
        let hit = IMPURE.iter().find(|bad| {
            path.len() >= bad.len() && bad.iter().zip(path).all(|(bad, part)| bad == part)
        });
        if let Some(bad) = hit {
            self.found.push(Finding {
                file: self.path.to_owned(),
                line,
                rule: "pure",
                says: format!("uses {} in a pure layer", bad.join("::")),
                cure: "take the value as an argument; adapters touch the world",
            });
        }
    }
}

impl<'a> Visit<'a> for Impure<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        for import in imports(item) {
            self.note(&import.path, import.line);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.note(&parts, path.segments[0].ident.span().start().line);
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let found = check(&Tree::of(&[(path, text)]));
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_file_that_says_what_it_is_for_passes() {
        let prose = "// Sorted, because peers compare the first (and only) entry;";
        let tests = "#[cfg(test)] mod tests { use std::fs; }";
        let good = format!("//! Ids.\n{prose}\nuse std::fmt;\n{tests}\n");
        assert_eq!(rules("proto/src/a.rs", &good), [""; 0]);
    }

    #[test]
    fn each_text_rule_fails_alone() {
        let doc = "//! Doc.\n";
        assert_eq!(rules("proto/src/a.rs", "fn f() {}"), ["doc-first"]);
        for note in NOTES {
            assert_eq!(
                rules("proto/src/a.rs", &format!("{doc}// {note}: x")),
                ["notes"]
            );
            assert_eq!(rules(".github/ci.yml", &format!("# {note}")), ["notes"]);
        }
        for dead in ["let x = 1;", "self.go(1);", "a::b();", "if x {", "}"] {
            let text = format!("{doc}// {dead}");
            assert_eq!(rules("proto/src/a.rs", &text), ["dead-code"], "{dead}");
        }
        // Put together here so that this file passes its own check.
        for cited in ["As in design/swarm", "See (trust"] {
            let text = format!("{doc}// {cited}{}, section 1", ".md");
            assert_eq!(rules("proto/src/a.rs", &text), ["cited"], "{cited}");
        }
        let text = format!("{doc}// As in a{0}, see `proto/a{0}`.", ".md");
        let tree = Tree::of(&[("proto/src/a.rs", &text), ("proto/a.md", "# A")]);
        assert!(check(&tree).is_empty());
        for bad in [
            "use std::{fmt, fs::File};",
            "fn f() { std::env::var(\"A\"); }",
            "fn f(t: std::time::Instant) {}",
            "use std::net::IpAddr;",
            "use std::thread;",
        ] {
            assert_eq!(
                rules("node/pack/src/a.rs", &format!("{doc}{bad}")),
                ["pure"]
            );
            assert_eq!(
                rules("node/store/src/a.rs", &format!("{doc}{bad}")),
                [""; 0]
            );
        }
    }
}
