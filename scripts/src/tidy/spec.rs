//! Each numbered sentence of `proto/README.md` is cited by code and by a test.
//!
//! A sentence is numbered where a line starts with `**T-07**` (a list mark may
//! stand before it); a citation is the number anywhere in a Rust file.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;
use syn::spanned::Spanned;

use crate::tidy::finding::Finding;
use crate::tidy::tree::{Tree, is_generated, is_test, is_test_item};

const FILE: &str = "proto/README.md";
/// Families of sentences: gossip, members, swarm, trust.
const FAMILIES: [char; 4] = ['G', 'M', 'S', 'T'];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let sentences = sentences(tree.text(FILE));
    if sentences.is_empty() {
        return found;
    }
    let mut push = |file: &str, line, says, cure| {
        found.push(Finding {
            file: file.to_owned(),
            line,
            rule: "spec",
            says,
            cure,
        });
    };
    let (mut in_code, mut in_tests) = (BTreeSet::new(), BTreeSet::new());
    for (path, text) in tree.ending(".rs") {
        if is_generated(path) || path.starts_with("scripts/") {
            continue;
        }
        let tests = test_lines(tree, path);
        for (at, line) in text.lines().enumerate() {
            for number in numbers(line) {
                if !sentences.contains_key(&number) {
                    push(
                        path,
                        at + 1,
                        format!("cites {number}, which {FILE} does not have"),
                        "cite a sentence that exists",
                    );
                }
                if is_test(path) || tests.contains(&(at + 1)) {
                    in_tests.insert(number);
                } else {
                    in_code.insert(number);
                }
            }
        }
    }
    for (number, line) in &sentences {
        for (cited, by) in [(&in_code, "code"), (&in_tests, "test")] {
            if !cited.contains(number) {
                push(
                    FILE,
                    *line,
                    format!("no {by} cites {number}"),
                    "write `// T-07` where the code does it and where a test proves it",
                );
            }
        }
    }
    found
}

fn sentences(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '-']);
        if let Some((number, _)) = line.strip_prefix("**").and_then(|l| l.split_once("**"))
            && numbers(number).first().is_some_and(|n| n == number)
        {
            found.insert(number.to_owned(), at + 1);
        }
    }
    found
}

/// Numbers such as `T-07` in a text.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words
        .filter(|word| {
            let mut chars = word.chars();
            let family = chars.next().is_some_and(|c| FAMILIES.contains(&c));
            let hyphen = chars.next() == Some('-');
            let digits = chars.as_str();
            let long = (2..=3).contains(&digits.len());
            family && hyphen && long && digits.chars().all(|c| c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// Lines of a file that are inside test items.
fn test_lines(tree: &Tree, path: &str) -> BTreeSet<usize> {
    let items = tree.rust.get(path).map(|file| file.items.as_slice());
    let tests = items.unwrap_or_default().iter().filter(|i| is_test_item(i));
    tests
        .flat_map(|item: &Item| {
            let span = item.span();
            span.start().line..=span.end().line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(readme: &str, code: &str, test: &str) -> Vec<String> {
        let source = format!("{code}\n#[cfg(test)]\nmod tests {{\n{test}\n}}");
        let tree = Tree::of(&[(FILE, readme), ("node/trust/src/a.rs", &source)]);
        check(&tree).iter().map(|f| f.says.clone()).collect()
    }

    #[test]
    fn a_sentence_that_code_and_test_cite_passes() {
        let readme = "- **T-07** The version never falls, as T-99 says.\n";
        assert_eq!(says(readme, "// T-07", "// T-07"), [""; 0]);
        assert_eq!(says("", "// T-07", ""), [""; 0]);
    }

    #[test]
    fn missing_and_made_up_citations_fail() {
        let readme = "**T-07** The version never falls.\n";
        assert_eq!(says(readme, "// T-07", ""), ["no test cites T-07"]);
        assert_eq!(says(readme, "", "// T-07"), ["no code cites T-07"]);
        let found = says(readme, "// T-07 S-123", "// T-07");
        assert_eq!(found, ["cites S-123, which proto/README.md does not have"]);
    }
}
