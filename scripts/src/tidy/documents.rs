//! What documents promise: the test command of the README is the one that
//! `.ci/run` runs, it covers every crate, and files that the code map names
//! exist.

use crate::tidy::finding::Finding;
use crate::tidy::tree::{Tree, is_rust};

const README: &str = "README.md";
const RUN: &str = ".ci/run";
const MAP: &str = "node/README.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut push = |file: &str, says: String| {
        found.push(Finding {
            file: file.to_owned(),
            line: 0,
            rule: "command",
            says,
            cure: "README.md, .ci/run and the members of the workspace promise one command",
        });
    };
    match promised(tree.text(README)) {
        None => push(
            README,
            "no line of a code block starts with `cargo test`".to_owned(),
        ),
        Some(command) => {
            let same = |line: &str| line.trim() == command;
            if !tree.text(RUN).lines().any(same) {
                push(RUN, format!("no line is exactly `{command}`"));
            }
        }
    }
    let top = tree.text("Cargo.toml").parse::<toml::Table>();
    let top = top.unwrap_or_default();
    let list = |key: &str| top.get("workspace").and_then(|table| table.get(key));
    if list("default-members").is_some_and(|all| Some(all) != list("members")) {
        push(
            "Cargo.toml",
            "default-members leave crates out of `cargo test`".to_owned(),
        );
    }
    paths(tree, &mut found);
    found
}

/// Back-ticked Rust files of the code map, relative to its folder.
fn paths(tree: &Tree, found: &mut Vec<Finding>) {
    for (at, line) in tree.text(MAP).lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        for path in quoted.filter(|path| path.contains('/') && is_rust(path)) {
            let places = [format!("node/{path}"), path.to_owned()];
            if !places.iter().any(|place| tree.texts.contains_key(place)) {
                found.push(Finding {
                    file: MAP.to_owned(),
                    line: at + 1,
                    rule: "paths",
                    says: format!("names {path}, which does not exist"),
                    cure: "name the file that answers the question now",
                });
            }
        }
    }
}

/// First test command in a code block, fenced or indented.
fn promised(readme: &str) -> Option<&str> {
    let mut fenced = false;
    for line in readme.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced || line.starts_with("    ") {
            let line = line.trim().trim_start_matches("$ ");
            let command = line.split(" #").next().unwrap_or(line).trim();
            if command == "cargo test" || command.starts_with("cargo test ") {
                return Some(command);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(readme: &str, run: &str, cargo: &str) -> usize {
        check(&Tree::of(&[
            (README, readme),
            (RUN, run),
            ("Cargo.toml", cargo),
        ]))
        .len()
    }

    #[test]
    fn one_command_everywhere_passes_and_any_difference_fails() {
        let all = "[workspace]\nmembers = [\"a\"]\ndefault-members = [\"a\"]";
        let readme = "Run `cargo test x`.\n\n```console\n$ cargo test    # all\n```\n";
        assert_eq!(count(readme, "set -e\ncargo test\n", all), 0);
        assert_eq!(count("    cargo test\n", "  cargo test\n", all), 0);
        assert_eq!(count(readme, "cargo test --workspace\n", all), 1);
        assert_eq!(count("Nothing.", "cargo test\n", all), 1);
        let less = all.replace("default-members = [\"a\"]", "default-members = []");
        assert_eq!(count(readme, "cargo test\n", &less), 1);
    }

    #[test]
    fn the_code_map_names_files_that_exist() {
        let count = |map: &str| {
            let tree = Tree::of(&[
                (MAP, map),
                ("node/core/src/a.rs", ""),
                ("proto/src/b.rs", ""),
            ]);
            let mut found = Vec::new();
            paths(&tree, &mut found);
            found.len()
        };
        assert_eq!(count("`core/src/a.rs`, `proto/src/b.rs` and `x.rs`"), 0);
        assert_eq!(count("| core | `core/src/gone.rs` |"), 1);
    }
}
