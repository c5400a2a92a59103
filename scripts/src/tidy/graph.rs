//! Modules of each crate and who uses whom, read from the syntax.
//!
//! Names are resolved as far as the rules need it: `crate::`, `self::`,
//! `super::`, child modules, and names bound to modules by `use`. Test code is
//! left out: it may look at everything.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Lit, Meta, UseTree};

use crate::tidy::tree::{Tree, is_cfg_test, is_rust, is_test_item};

/// One compiled crate: a library, a program, a test or a bench.
pub(crate) struct Krate {
    /// File of the crate root.
    pub(crate) root: String,
    /// Files by module path (`swarm::claim`); the root is the empty path.
    pub(crate) modules: BTreeMap<String, String>,
    /// Modules for tests only.
    pub(crate) tests: BTreeSet<String>,
    /// Uses between modules: (from, to) and the line of the first use.
    pub(crate) uses: BTreeMap<(String, String), usize>,
    /// `mod` lines without a file: (file, name).
    pub(crate) missing: Vec<(String, String)>,
}

/// Every crate of every package.
pub(crate) fn crates(tree: &Tree) -> Vec<Krate> {
    roots(tree).iter().map(|root| read(tree, root)).collect()
}

/// Files of crate roots, as Cargo finds them.
fn roots(tree: &Tree) -> Vec<String> {
    let mut roots = BTreeSet::new();
    for (folder, table) in tree.packages() {
        for kind in ["bin", "test", "bench", "example"] {
            let entries = table.get(kind).and_then(toml::Value::as_array);
            for entry in entries.into_iter().flatten() {
                if let Some(path) = entry.get("path").and_then(toml::Value::as_str) {
                    roots.insert(format!("{folder}/{path}"));
                }
            }
        }
        let lib = table.get("lib").and_then(|lib| lib.get("path"));
        if let Some(path) = lib.and_then(toml::Value::as_str) {
            roots.insert(format!("{folder}/{path}"));
        }
        for path in tree.texts.keys() {
            let Some(inside) = path.strip_prefix(&format!("{folder}/")) else {
                continue;
            };
            if is_automatic_root(inside) {
                roots.insert(path.clone());
            }
        }
    }
    roots.retain(|path| tree.texts.contains_key(path));
    roots.into_iter().collect()
}

fn is_automatic_root(inside: &str) -> bool {
    if ["src/lib.rs", "src/main.rs", "build.rs"].contains(&inside) {
        return true;
    }
    ["src/bin/", "tests/", "benches/", "examples/"]
        .iter()
        .filter_map(|folder| inside.strip_prefix(folder))
        .any(|rest| match rest.split_once('/') {
            None => is_rust(rest),
            Some((_, file)) => file == "main.rs",
        })
}

fn read(tree: &Tree, root: &str) -> Krate {
    let mut krate = Krate {
        root: root.to_owned(),
        modules: BTreeMap::new(),
        tests: BTreeSet::new(),
        uses: BTreeMap::new(),
        missing: Vec::new(),
    };
    find_modules(tree, &mut krate, root, "", false);
    let all: Vec<(String, String)> = krate
        .modules
        .iter()
        .filter(|(module, _)| !krate.tests.contains(*module))
        .map(|(module, file)| (module.clone(), file.clone()))
        .collect();
    for (module, file) in all {
        if let Some(syntax) = tree.rust.get(&file) {
            let mut reader = Reader::new(&krate.modules, &module);
            reader.bind(&syntax.items);
            reader.items(&syntax.items);
            krate.uses.append(&mut reader.uses);
        }
    }
    krate
}

fn find_modules(tree: &Tree, krate: &mut Krate, file: &str, module: &str, test: bool) {
    if krate
        .modules
        .insert(module.to_owned(), file.to_owned())
        .is_some()
    {
        return;
    }
    if test {
        krate.tests.insert(module.to_owned());
    }
    let Some(syntax) = tree.rust.get(file) else {
        return;
    };
    for item in &syntax.items {
        let Item::Mod(item @ ItemMod { content: None, .. }) = item else {
            continue;
        };
        let name = item.ident.to_string();
        let found = module_file(tree, file, &krate.root, item);
        let Some(found) = found else {
            krate.missing.push((file.to_owned(), name));
            continue;
        };
        let test = test || item.attrs.iter().any(is_cfg_test);
        find_modules(tree, krate, &found, &join(module, &name), test);
    }
}

/// File of a `mod name;`.
fn module_file(tree: &Tree, file: &str, root: &str, item: &ItemMod) -> Option<String> {
    let (folder, leaf) = file.rsplit_once('/').unwrap_or(("", file));
    for attribute in &item.attrs {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("path")
            && let syn::Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            return normal(&format!("{folder}/{}", text.value()))
                .filter(|path| tree.texts.contains_key(path));
        }
    }
    let name = item.ident.to_string();
    let folder = if file == root || leaf == "mod.rs" {
        folder.to_owned()
    } else {
        format!("{folder}/{}", leaf.trim_end_matches(".rs"))
    };
    [
        format!("{folder}/{name}.rs"),
        format!("{folder}/{name}/mod.rs"),
    ]
    .into_iter()
    .find(|path| tree.texts.contains_key(path))
}

/// A path without `.` and `..`.
fn normal(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}

/// One import, flattened out of its tree.
pub(crate) struct Import {
    /// Segments of the path; without the glob.
    pub(crate) path: Vec<String>,
    /// Name it binds; `None` for a glob.
    pub(crate) name: Option<String>,
    /// Line of the import.
    pub(crate) line: usize,
}

/// Flattens a `use`.
pub(crate) fn imports(item: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    flatten(&item.tree, &mut Vec::new(), &mut found);
    found
}

fn flatten(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Import>) {
    let mut push = |path: Vec<String>, name: Option<String>, line| {
        found.push(Import { path, name, line });
    };
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, found);
            path.pop();
        }
        UseTree::Name(part) => {
            let mut path = path.clone();
            let name = part.ident.to_string();
            let name = if name == "self" {
                path.last().cloned()
            } else {
                path.push(name.clone());
                Some(name)
            };
            push(path, name, part.ident.span().start().line);
        }
        UseTree::Rename(part) => {
            let mut path = path.clone();
            if part.ident != "self" {
                path.push(part.ident.to_string());
            }
            let name = part.rename.to_string();
            push(path, Some(name), part.ident.span().start().line);
        }
        UseTree::Glob(part) => {
            push(path.clone(), None, part.star_token.spans[0].start().line);
        }
        UseTree::Group(part) => {
            for tree in &part.items {
                flatten(tree, path, found);
            }
        }
    }
}

/// Collects the uses of one module.
struct Reader<'a> {
    modules: &'a BTreeMap<String, String>,
    module: &'a str,
    inline: Vec<String>,
    bound: BTreeMap<String, Vec<String>>,
    uses: BTreeMap<(String, String), usize>,
}

impl<'a> Reader<'a> {
    fn new(modules: &'a BTreeMap<String, String>, module: &'a str) -> Self {
        Self {
            modules,
            module,
            inline: Vec::new(),
            bound: BTreeMap::new(),
            uses: BTreeMap::new(),
        }
    }

    /// Learns names that `use` binds to modules.
    fn bind(&mut self, items: &[Item]) {
        for item in items {
            let Item::Use(item) = item else { continue };
            for import in imports(item) {
                if let Some(path) = self.absolute(&import.path)
                    && self.modules.contains_key(&path.join("::"))
                    && let Some(name) = import.name
                {
                    self.bound.insert(name, path);
                }
            }
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items.iter().filter(|item| !is_test_item(item)) {
            self.visit_item(item);
        }
    }

    fn here(&self) -> Vec<String> {
        let own = self.module.split("::").filter(|part| !part.is_empty());
        own.map(str::to_owned).chain(self.inline.clone()).collect()
    }

    /// Path from the crate root, where the path stays inside the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.here();
        let first = path.first()?.as_str();
        let mut rest = path;
        match first {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {}
            name => {
                let child = join(&base.join("::"), name);
                if !self.modules.contains_key(&child) {
                    base.clone_from(self.bound.get(name)?);
                    rest = &rest[1..];
                }
            }
        }
        while rest.first().is_some_and(|part| part == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn note(&mut self, path: &[String], line: usize) {
        let Some(mut path) = self.absolute(path) else {
            return;
        };
        while !self.modules.contains_key(&path.join("::")) {
            if path.pop().is_none() {
                return;
            }
        }
        let to = path.join("::");
        if to != self.module {
            let key = (self.module.to_owned(), to);
            self.uses.entry(key).or_insert(line);
        }
    }

    /// Paths in the tokens of a macro call, which no parser has looked at.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut line) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    if path.is_empty() {
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                other => {
                    self.end_of_path(&mut path, line);
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident) => {
                            line = ident.span().start().line;
                            path.push(ident.to_string());
                        }
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        self.end_of_path(&mut path, line);
    }

    fn end_of_path(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.note(path, line);
        }
        path.clear();
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if let Some((_, items)) = &item.content {
            self.inline.push(item.ident.to_string());
            self.items(items);
            self.inline.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        for import in imports(item) {
            self.note(&import.path, import.line);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if path.leading_colon.is_none() && parts.len() > 1 {
            let line = path.segments[0].ident.span().start().line;
            self.note(&parts, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        visit::visit_macro(self, call);
        let group = proc_macro2::Group::new(Delimiter::None, call.tokens.clone());
        self.tokens(group.stream());
    }
}
