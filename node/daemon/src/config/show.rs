//! Prints the configuration: the documented default file, and the values in
//! force with their origins.

use crate::config::keys::{KEYS, Key};
use crate::config::layer::Layers;

/// A complete, documented file with every default; it loads as it is.
pub(crate) fn default_file() -> String {
    let mut out = String::from("# Settings of patchmeshd. Every value below is the default.\n");
    let mut section = "";
    for key in KEYS {
        let (head, name) = key.path.split_once('.').expect("a key path has a section");
        if head != section {
            section = head;
            out += &["\n[", section, "]\n"].concat();
        }
        for line in key.doc.lines() {
            out += &["# ", line.trim(), "\n"].concat();
        }
        out += &[name, " = ", key.default, "\n"].concat();
    }
    out
}

/// The values in force, one a line; with `origin` where each came from.
pub(crate) fn values(layers: &Layers, origin: bool) -> String {
    let line = |key: &Key| {
        let (value, from) = layers.get(key.path);
        if origin {
            format!("{} = {value}  # {from}\n", key.path)
        } else {
            format!("{} = {value}\n", key.path)
        }
    };
    KEYS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_default_file_loads_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("node.toml");
        std::fs::write(&file, default_file()).expect("written");
        let (printed, wrong) = Layers::read(Some(&file), std::iter::empty());
        assert!(wrong.is_empty(), "{wrong:?}");
        let (built_in, _) = Layers::read(None, std::iter::empty());
        assert_eq!(values(&printed, false), values(&built_in, false));
        assert!(values(&printed, true).contains("node.toml:"));
    }
}
