//! Each invariant that ARCHITECTURE.md states is enforced by something that
//! exists: a check of tidy, a lint, a test or a check of the simulator.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::ItemFn;
use syn::visit::{self, Visit};

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

const FILE: &str = "ARCHITECTURE.md";
const MARK: &str = "**Invariant:**";
/// Names of rules that an invariant may cite.
pub(crate) const RULES: [&str; 25] = [
    "codegen",
    "columns",
    "command",
    "cycles",
    "dead-code",
    "doc-first",
    "facade",
    "file-size",
    "floors",
    "fn-size",
    "inline-tests",
    "invariants",
    "layers",
    "leaves",
    "lock",
    "machines",
    "notes",
    "paths",
    "pure",
    "pure-share",
    "reach",
    "reachable",
    "root",
    "spec",
    "words",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let tests = test_names(tree);
    for (line, text) in paragraphs(tree.text(FILE)) {
        let mut push = |says| {
            found.push(Finding {
                file: FILE.to_owned(),
                line,
                rule: "invariants",
                says,
                cure: "end it in (tidy: x), (lint: x), (test: x) or (sim: x) that exists",
            });
        };
        let names = enforcers(&text);
        if names.is_empty() {
            push("an invariant without an enforcer".to_owned());
        }
        for (kind, name) in names {
            let exists = match kind.as_str() {
                "tidy" => RULES.contains(&name.as_str()),
                "lint" => is_lint(tree, &name),
                "test" => tests.contains(&name),
                "sim" => is_simulated(tree, &name),
                _ => false,
            };
            if !exists {
                push(format!("its enforcer `{kind}: {name}` does not exist"));
            }
        }
    }
    found
}

/// Line and joined text of each invariant.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.contains(MARK) {
            found.push((at + 1, line.to_owned()));
            open = true;
        } else if line.is_empty() || line.starts_with(['#', '-', '|', '*']) {
            open = false;
        } else if open && let Some((_, text)) = found.last_mut() {
            text.push(' ');
            text.push_str(line);
        }
    }
    found
}

/// `(kind, name)` of the last parenthesis; several are separated by commas.
fn enforcers(text: &str) -> Vec<(String, String)> {
    let text = text.trim_end_matches(['.', ' ']);
    let Some(inside) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
    else {
        return Vec::new();
    };
    let parts = inside.1.split(',').map(|part| part.replace('`', ""));
    parts
        .filter_map(|part| {
            let (kind, name) = part.split_once(':')?;
            Some((kind.trim().to_owned(), name.trim().to_owned()))
        })
        .collect()
}

fn is_lint(tree: &Tree, name: &str) -> bool {
    let leaf = name.rsplit("::").next().unwrap_or(name);
    let words = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == leaf)
    };
    words(tree.text("Cargo.toml"))
        || tree.ending(".clippy.toml").any(|(_, text)| words(text))
        || tree.ending("lib.rs").any(|(_, text)| {
            text.lines()
                .any(|line| line.starts_with("#![deny(") && words(line))
        })
}

/// A check of the simulator is a function of `simulations/src` or a scenario.
fn is_simulated(tree: &Tree, name: &str) -> bool {
    let scenario = format!("simulations/scenarios/{name}.toml");
    tree.texts.contains_key(&scenario)
        || tree.texts.iter().any(|(path, text)| {
            let calls = [format!("fn {name}("), format!("\"{name}\"")];
            path.starts_with("simulations/src/") && calls.iter().any(|call| text.contains(call))
        })
}

/// Names of all test functions.
fn test_names(tree: &Tree) -> BTreeSet<String> {
    let mut names = Names(BTreeSet::new());
    for file in tree.rust.values() {
        names.visit_file(file);
    }
    names.0
}

struct Names(BTreeSet<String>);

impl Names {
    /// Functions in the tokens of a macro, such as `proptest!`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut after_fn = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if after_fn {
                        self.0.insert(ident.to_string());
                    }
                    after_fn = ident == "fn";
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        let test = item.attrs.iter().any(|attribute| {
            let last = attribute.path().segments.last();
            last.is_some_and(|part| part.ident == "test")
        });
        if test {
            self.0.insert(item.sig.ident.to_string());
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(invariants: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("ARCHITECTURE.md", invariants),
            (
                "Cargo.toml",
                "[workspace.lints.rust]\nunsafe_code = \"forbid\"",
            ),
            (
                "node/core/src/a.rs",
                "#[tokio::test] async fn one() {} fn helper() {}",
            ),
            (
                "node/core/src/b.rs",
                "proptest! { #[test] fn two(a in 0..1) {} }",
            ),
            ("simulations/src/check.rs", "fn three() {}"),
        ]);
        check(&tree).iter().map(|f| f.says.clone()).collect()
    }

    #[test]
    fn enforcers_that_exist_pass() {
        let good = "- **Invariant:** a\n  b (tidy: layers).\n\
                    - **Invariant:** c (lint: unsafe_code)\n\
                    **Invariant:** d (test: one, test: `two`, sim: three)\n";
        assert_eq!(says(good), [""; 0]);
        assert_eq!(says("No line yet."), [""; 0]);
    }

    #[test]
    fn missing_enforcers_and_made_up_ones_fail() {
        assert_eq!(
            says("**Invariant:** a"),
            ["an invariant without an enforcer"]
        );
        assert_eq!(says("**Invariant:** a (see below)").len(), 1);
        for bad in ["tidy: x", "lint: x", "test: helper", "sim: x", "hope: one"] {
            let found = says(&format!("**Invariant:** a ({bad})"));
            assert_eq!(found, [format!("its enforcer `{bad}` does not exist")]);
        }
    }
}
