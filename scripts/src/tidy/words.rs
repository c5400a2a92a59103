//! One word per thing: names that own code gives must not use a word that the
//! glossary replaced.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Field, ImplItemFn, Item, ItemConst, ItemEnum, ItemFn, ItemMod, ItemStruct, ItemTrait, ItemType,
    PatIdent, TraitItemFn, Variant,
};

use crate::tidy::finding::Finding;
use crate::tidy::tree::{Tree, is_generated};

/// Replaced word and its successor. Words of the glossary that Rust itself
/// needs (lock, task, client, package, range, drop) or that may mean opaque
/// bytes (blob) are left to the reader.
const WORDS: [(&str, &str); 12] = [
    ("agent", "node"),
    ("bake", "soak"),
    ("bundle", "release"),
    ("campaign", "rollout"),
    ("choke", "decline"),
    ("device", "host"),
    ("manifest", "release or timestamp"),
    ("mirror", "origin"),
    ("piece", "chunk"),
    ("torrent", "content"),
    ("wave", "ring"),
    ("deploy", "apply"),
];
/// Words that a format or a vendor gave, by part of the path.
const EXCEPTIONS: [(&str, &str); 7] = [
    // HTTP's own word for who asks.
    ("node/daemon/src/origin/http", "agent"),
    // SSH's own word for what holds keys.
    ("node/cli/src/keys", "agent"),
    ("node/cli/tests/cli/", "agent"),
    ("node/cli/tests/signers/", "agent"),
    ("tests/e2e/online_key", "agent"),
    // Names that Windows reserves for its devices.
    ("node/content/src/path.rs", "device"),
    // Cargo's own word for Cargo.toml.
    ("scripts/", "manifest"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, file) in &tree.rust {
        if !is_generated(path) {
            let mut reader = Names {
                path,
                found: &mut found,
            };
            reader.visit_file(file);
        }
    }
    found
}

struct Names<'a> {
    path: &'a str,
    found: &'a mut Vec<Finding>,
}

impl Names<'_> {
    fn name(&mut self, ident: &Ident) {
        let words = words(&ident.to_string());
        for (bad, good) in WORDS {
            let excepted = EXCEPTIONS
                .iter()
                .any(|(part, word)| self.path.contains(part) && *word == bad);
            if !excepted
                && words
                    .iter()
                    .any(|word| *word == bad || *word == format!("{bad}s"))
            {
                self.found.push(Finding {
                    file: self.path.to_owned(),
                    line: ident.span().start().line,
                    rule: "words",
                    says: format!("`{ident}`: the glossary says {good}, not {bad}"),
                    cure: "rename it; a word of a foreign format goes on the list in words.rs",
                });
            }
        }
    }
}

/// Words of a name in any case style, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut start = true;
    let mut last_lower = false;
    for c in name.chars() {
        if c == '_' {
            start = true;
            continue;
        }
        if start || (c.is_uppercase() && last_lower) {
            words.push(String::new());
        }
        start = false;
        last_lower = !c.is_uppercase();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

impl<'a> Visit<'a> for Names<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        match item {
            Item::Const(ItemConst { ident, .. })
            | Item::Enum(ItemEnum { ident, .. })
            | Item::Fn(ItemFn {
                sig: syn::Signature { ident, .. },
                ..
            })
            | Item::Mod(ItemMod { ident, .. })
            | Item::Struct(ItemStruct { ident, .. })
            | Item::Trait(ItemTrait { ident, .. })
            | Item::Type(ItemType { ident, .. }) => self.name(ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.name(&item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a TraitItemFn) {
        self.name(&item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_variant(&mut self, variant: &'a Variant) {
        self.name(&variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'a Field) {
        if let Some(ident) = &field.ident {
            self.name(ident);
        }
        visit::visit_field(self, field);
    }

    fn visit_pat_ident(&mut self, pattern: &'a PatIdent) {
        self.name(&pattern.ident);
        visit::visit_pat_ident(self, pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> usize {
        check(&Tree::of(&[("node/core/src/a.rs", text)])).len()
    }

    #[test]
    fn words_are_found_in_each_case_style_and_kind_of_name() {
        assert_eq!(words("HTTPRange_of2Chunks"), ["httprange", "of2", "chunks"]);
        for bad in [
            "fn next_piece() {}",
            "struct PieceMap;",
            "const PIECES_MAX: u8 = 1;",
            "enum E { BundleGone }",
            "struct S { agent: u8 }",
            "fn f(manifest: u8) {}",
            "fn f() { let waves = 1; }",
            "mod mirror {}",
        ] {
            assert_eq!(says(bad), 1, "{bad}");
        }
        assert_eq!(says("fn chunk() { other::manifest(); let apiece = 1; }"), 0);
    }
}
