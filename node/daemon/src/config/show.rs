//! Prints the configuration: the documented default file, and the values in
//! force with their origins.

use std::fmt::Write as _;

use crate::config::keys::KEYS;
use crate::config::layer::Layers;

/// A complete, documented file with every default; it loads as it is.
pub(crate) fn default_file() -> String {
    let mut out = String::from("# Settings of patchmeshd. Every value below is the default.\n");
    let mut section = "";
    for key in KEYS {
        let (head, name) = key.path.split_once('.').expect("a key path has a section");
        if head != section {
            section = head;
            let _ = write!(out, "\n[{section}]\n");
        }
        for line in key.doc.lines() {
            let _ = writeln!(out, "# {}", line.trim());
        }
        let _ = writeln!(out, "{name} = {}", key.default);
    }
    out
}

/// The values in force, one a line; with `origin` where each came from.
pub(crate) fn values(layers: &Layers, origin: bool) -> String {
    let mut out = String::new();
    for key in KEYS {
        let (value, from) = layers.get(key.path);
        if origin {
            let _ = writeln!(out, "{} = {value}  # {from}", key.path);
        } else {
            let _ = writeln!(out, "{} = {value}", key.path);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_default_file_loads_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("node.toml");
        std::fs::write(&file, default_file()).expect("written");
        let printed = Layers::read(Some(&file), std::iter::empty()).expect("valid");
        let built_in = Layers::read(None, std::iter::empty()).expect("valid");
        assert_eq!(values(&printed, false), values(&built_in, false));
        assert!(values(&printed, true).contains("node.toml:"));
    }
}
