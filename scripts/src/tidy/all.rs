//! Runs every check on the repository and prints what is wrong.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::codegen;
use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;
use crate::tidy::{
    cycles, documents, invariants, layers, lock, modules, reach, root, sizes, spec, text, words,
};

/// Checks the repository; with `sizes` prints the figures too.
pub(crate) fn run(top: &Path, sizes: bool) -> Result<()> {
    let tree = Tree::read(top)?;
    let found = check(top, &tree);
    for finding in &found {
        println!("{finding}");
    }
    if sizes {
        let locked = lock::packages(tree.text("Cargo.lock")).len();
        println!("{}", sizes::report(&tree));
        println!("packages: {locked} locked, {} built", built(top)?);
    }
    if !found.is_empty() {
        bail!("tidy found {} broken rules", found.len());
    }
    Ok(())
}

fn check(top: &Path, tree: &Tree) -> Vec<Finding> {
    let mut found = unparsed(tree);
    for check in [
        cycles::check,
        documents::check,
        invariants::check,
        layers::check,
        lock::check,
        modules::check,
        reach::check,
        root::check,
        sizes::check,
        spec::check,
        text::check,
        words::check,
    ] {
        found.extend(check(tree));
    }
    match built(top) {
        Ok(count) => found.extend(lock::check_built(count)),
        Err(error) => found.push(Finding {
            file: "Cargo.lock".to_owned(),
            line: 0,
            rule: "lock",
            says: format!("{error:#}"),
            cure: "let Cargo bring the lock file up to date (`cargo check`) and commit it",
        }),
    }
    if let Err(error) = codegen::run(true) {
        found.push(Finding {
            file: "proto/src/generated/v1.rs".to_owned(),
            line: 0,
            rule: "codegen",
            says: format!("{error:#}"),
            cure: "run `cargo x codegen` and commit the result",
        });
    }
    found.sort();
    found
}

fn unparsed(tree: &Tree) -> Vec<Finding> {
    let files = tree
        .ending(".rs")
        .filter(|(path, _)| !tree.rust.contains_key(*path));
    files
        .map(|(path, _)| Finding {
            file: path.to_owned(),
            line: 0,
            rule: "syntax",
            says: "does not parse".to_owned(),
            cure: "make it compile, or give test data another ending",
        })
        .collect()
}

/// Packages that a build of the workspace on this system compiles into its
/// programs and libraries, own crates included.
fn built(top: &Path) -> Result<usize> {
    let out = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--locked", "--workspace"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(top)
        .output()
        .context("failed to start `cargo tree`")?;
    if !out.status.success() {
        bail!(
            "failed to list packages: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let text = String::from_utf8_lossy(&out.stdout);
    let names: BTreeSet<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let top = codegen::top().unwrap();
        let found = check(top, &Tree::read(top).unwrap());
        let text: Vec<String> = found.iter().map(Finding::to_string).collect();
        let text = text.join("\n");
        assert!(
            found.is_empty(),
            "tidy found {} broken rules\n{text}",
            found.len()
        );
    }
}
