//! Sizes of files, functions and lines, and the pure share of the node.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, Item, ItemFn, ItemMod, Signature, TraitItemFn};

use crate::tidy::finding::Finding;
use crate::tidy::tree::{Tree, is_cfg_test, is_generated, is_test, package_of};

const FILE_LINES_MAX: usize = 700;
/// Lines of code from `fn` to the closing brace; blank lines and comments do
/// not count, so that a reason written down never costs anything.
const FN_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
/// Longer unit tests live in `foo/tests.rs`.
const INLINE_TEST_LINES_MAX: usize = 80;
/// Percent of the node that must stay free of input and output.
const PURE_SHARE_MIN: usize = 50;

const PURE: [&str; 5] = [
    "proto",
    "node/content",
    "node/trust",
    "node/pack",
    "node/core",
];
const IMPURE: [&str; 6] = [
    "node/store",
    "node/net",
    "node/api",
    "node/apply",
    "node/web",
    "node/daemon",
];

/// Figures of the whole tree.
pub(crate) struct Sizes {
    files: Vec<(usize, String)>,
    functions: Vec<(usize, String)>,
    product: BTreeMap<String, usize>,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let sizes = measure(tree, &mut found);
    let (pure, impure) = sizes.pure_share();
    if pure * 100 < (pure + impure) * PURE_SHARE_MIN {
        found.push(Finding {
            file: "node".to_owned(),
            line: 0,
            rule: "pure-share",
            says: format!("{pure} pure lines against {impure} with input and output"),
            cure: "decisions have leaked into adapters: move them into core, trust or pack",
        });
    }
    found
}

/// The report of `cargo x tidy --sizes`.
pub(crate) fn report(tree: &Tree) -> String {
    let sizes = measure(tree, &mut Vec::new());
    let (pure, impure) = sizes.pure_share();
    let all = pure + impure;
    let mut lines: Vec<String> = sizes
        .product
        .iter()
        .map(|(folder, lines)| format!("{lines:>7} lines  {folder}"))
        .collect();
    let share = pure * 100 / all.max(1);
    lines.push(format!(
        "pure share of the node: {share} % ({pure} of {all})"
    ));
    lines.push(spread("files", sizes.files));
    lines.push(spread("functions", sizes.functions));
    lines.join("\n")
}

/// Median, 95th percentile and the three largest.
fn spread(what: &str, mut all: Vec<(usize, String)>) -> String {
    all.sort();
    let at = |percent: usize| {
        let index = all.len() * percent / 100;
        all.get(index).map_or(0, |(lines, _)| *lines)
    };
    let largest: Vec<String> = all
        .iter()
        .rev()
        .take(3)
        .map(|(lines, name)| format!("{name} {lines}"))
        .collect();
    format!(
        "{what}: {}, median {}, p95 {}; largest: {}",
        all.len(),
        at(50),
        at(95),
        largest.join(", ")
    )
}

impl Sizes {
    fn pure_share(&self) -> (usize, usize) {
        let sum = |folders: &[&str]| {
            let all = folders.iter();
            all.filter_map(|folder| self.product.get(*folder))
                .sum::<usize>()
        };
        (sum(&PURE), sum(&IMPURE))
    }
}

fn measure(tree: &Tree, found: &mut Vec<Finding>) -> Sizes {
    let mut sizes = Sizes {
        files: Vec::new(),
        functions: Vec::new(),
        product: BTreeMap::new(),
    };
    for (path, text) in tree.ending(".rs").filter(|(path, _)| !is_generated(path)) {
        let lines = text.lines().count();
        columns(path, text, found);
        if lines > FILE_LINES_MAX {
            found.push(Finding {
                file: path.to_owned(),
                line: FILE_LINES_MAX + 1,
                rule: "file-size",
                says: format!("{lines} lines, at most {FILE_LINES_MAX}"),
                cure: "split it where two subjects meet; unit tests live in foo/tests.rs",
            });
        }
        let mut reader = Reader {
            path,
            lines: text.lines().collect(),
            tests: 0,
            functions: &mut sizes.functions,
            found,
        };
        if let Some(file) = tree.rust.get(path) {
            reader.visit_file(file);
        }
        let product = lines - reader.tests;
        if !is_test(path) {
            sizes.files.push((product, path.to_owned()));
            *sizes
                .product
                .entry(package_of(path).to_owned())
                .or_default() += product;
        }
    }
    sizes
}

fn columns(path: &str, text: &str, found: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            found.push(Finding {
                file: path.to_owned(),
                line: at + 1,
                rule: "columns",
                says: format!("{columns} columns, at most {COLUMNS_MAX}"),
                cure: "wrap it; `cargo fmt` leaves long strings and comments to you",
            });
        }
    }
}

/// Measures functions and unit tests of one file.
struct Reader<'a> {
    path: &'a str,
    lines: Vec<&'a str>,
    tests: usize,
    functions: &'a mut Vec<(usize, String)>,
    found: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn function(&mut self, signature: &Signature, block: &Block) {
        let start = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        let span = self.lines.get(start - 1..end).unwrap_or_default();
        let code = |line: &&&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = span.iter().filter(code).count();
        let name = format!("{}::{}", self.path, signature.ident);
        self.functions.push((lines, name));
        if lines > FN_LINES_MAX {
            self.found.push(Finding {
                file: self.path.to_owned(),
                line: start,
                rule: "fn-size",
                says: format!(
                    "fn {} has {lines} lines of code, at most {FN_LINES_MAX}",
                    signature.ident
                ),
                cure: "give its steps names as functions of their own",
            });
        }
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if let Item::Mod(ItemMod {
            attrs,
            content: Some((brace, _)),
            mod_token,
            ..
        }) = item
            && attrs.iter().any(is_cfg_test)
        {
            let start = mod_token.span.start().line;
            let lines = brace.span.close().end().line + 1 - start;
            self.tests += lines;
            if lines > INLINE_TEST_LINES_MAX {
                self.found.push(Finding {
                    file: self.path.to_owned(),
                    line: start,
                    rule: "inline-tests",
                    says: format!("{lines} lines of unit tests, at most {INLINE_TEST_LINES_MAX}"),
                    cure: "move them to foo/tests.rs, so that a file's size is product code",
                });
            }
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
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
    fn files_functions_and_lines_have_a_limit_each() {
        assert_eq!(rules("proto/src/a.rs", &"\n".repeat(700)), [""; 0]);
        assert_eq!(rules("proto/src/a.rs", &"\n".repeat(701)), ["file-size"]);
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "g();\n".repeat(lines));
        assert_eq!(rules("proto/src/a.rs", &function(68)), [""; 0]);
        assert_eq!(rules("proto/src/a.rs", &function(69)), ["fn-size"]);
        let noted = format!("fn f() {{\n{}}}\n", "// Why.\n\n".repeat(69));
        assert_eq!(rules("proto/src/a.rs", &noted), [""; 0]);
        let line = |columns: usize| format!("//{}", "ä".repeat(columns - 2));
        assert_eq!(rules("proto/src/a.rs", &line(100)), [""; 0]);
        assert_eq!(rules("proto/src/a.rs", &line(101)), ["columns"]);
        let tests =
            |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines));
        assert_eq!(rules("proto/src/a.rs", &tests(78)), [""; 0]);
        assert_eq!(rules("proto/src/a.rs", &tests(79)), ["inline-tests"]);
    }

    #[test]
    fn the_pure_share_counts_product_lines_only() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(70));
        let half = [
            ("node/core/src/a.rs", "\n\n"),
            ("node/net/src/a.rs", "\n\n"),
        ];
        assert!(check(&Tree::of(&half)).is_empty());
        let hidden = ("node/core/src/b.rs", tests.as_str());
        let less = [half[0], hidden, ("node/net/src/a.rs", "\n\n\n\n")];
        assert_eq!(check(&Tree::of(&less))[0].rule, "pure-share");
    }
}
