//! The repository in memory: every text file, and the syntax of every Rust file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use syn::{Attribute, Item, Meta};

/// Larger files are data, not text that a rule reads; in bytes.
const TEXT_LEN_MAX: u64 = 2 << 20;
/// Folders that never hold sources.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

/// A repository, real or made up by a fixture.
#[derive(Default)]
pub(crate) struct Tree {
    /// Every file and folder below the top, by path with `/`.
    pub(crate) paths: BTreeSet<String>,
    /// Text of every file that is UTF-8.
    pub(crate) texts: BTreeMap<String, String>,
    /// Syntax of every Rust file that parses.
    pub(crate) rust: BTreeMap<String, syn::File>,
}

impl Tree {
    /// Reads the repository.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A made-up repository of `(path, text)`.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, (*text).to_owned());
        }
        tree
    }

    /// Text of a file, empty where there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.texts.get(path).map_or("", String::as_str)
    }

    /// Text files whose name ends so, in order of their paths.
    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.texts.iter();
        all.filter(move |(path, _)| path.ends_with(end))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Folders that hold a package, with the parsed `Cargo.toml`.
    pub(crate) fn packages(&self) -> Vec<(String, toml::Table)> {
        let files = self.ending("/Cargo.toml");
        files
            .filter_map(|(path, text)| {
                let folder = path.strip_suffix("/Cargo.toml")?;
                let table = text.parse::<toml::Table>().ok()?;
                table.contains_key("package").then_some(())?;
                Some((folder.to_owned(), table))
            })
            .collect()
    }

    fn read_folder(&mut self, root: &Path, below: &str) -> Result<()> {
        let folder = root.join(below);
        let entries = fs::read_dir(&folder).with_context(|| format!("failed to list {below}/"))?;
        for entry in entries {
            let entry = entry.context("failed to read a folder entry")?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            let path = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            let meta = entry.metadata().context("failed to read metadata")?;
            if meta.is_dir() {
                self.paths.insert(path.clone());
                self.read_folder(root, &path)?;
            } else if meta.is_file() && meta.len() <= TEXT_LEN_MAX {
                let bytes = fs::read(entry.path()).with_context(|| format!("failed: {path}"))?;
                match String::from_utf8(bytes) {
                    Ok(text) => self.add(&path, text),
                    Err(_) => _ = self.paths.insert(path),
                }
            } else {
                self.paths.insert(path);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, text: String) {
        if is_rust(path)
            && let Ok(file) = syn::parse_file(&text)
        {
            self.rust.insert(path.to_owned(), file);
        }
        for (at, _) in path.match_indices('/') {
            self.paths.insert(path[..at].to_owned());
        }
        self.paths.insert(path.to_owned());
        self.texts.insert(path.to_owned(), text);
    }
}

/// Folder of the package that a file belongs to, such as `node/core`.
pub(crate) fn package_of(path: &str) -> &str {
    let mut ends = path.match_indices('/').map(|(at, _)| at);
    let first = ends.next().unwrap_or(path.len());
    let second = ends.next().unwrap_or(path.len());
    if path.starts_with("node/") {
        &path[..second]
    } else {
        &path[..first]
    }
}

/// Whether the file holds Rust.
pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "rs")
}

/// Whether the file was made by `cargo x codegen`.
pub(crate) fn is_generated(path: &str) -> bool {
    path.contains("/generated/")
}

/// Whether the whole file is test code.
pub(crate) fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.contains("/benches/")
}

/// Whether an item is compiled for tests only.
pub(crate) fn is_test_item(item: &Item) -> bool {
    let attributes = match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(is_cfg_test)
}

/// Whether an attribute is `#[cfg(test)]` or a variant of it.
pub(crate) fn is_cfg_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return attribute.path().is_ident("test");
    };
    let text = list.tokens.to_string();
    let words = || text.split(|c: char| !c.is_alphanumeric() && c != '_');
    list.path.is_ident("cfg") && words().any(|w| w == "test") && !words().any(|w| w == "not")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_their_package_and_test_items_are_told_apart() {
        assert_eq!(package_of("node/core/src/a/b.rs"), "node/core");
        assert_eq!(package_of("proto/src/lib.rs"), "proto");
        assert_eq!(package_of("README.md"), "README.md");
        let file = syn::parse_file("#[cfg(test)] mod a {} #[cfg(not(test))] mod b {} mod c {}");
        let found: Vec<bool> = file.unwrap().items.iter().map(is_test_item).collect();
        assert_eq!(found, [true, false, false]);
    }
}
