//! Names that people gave to keys: shown beside key ids, never signed, never
//! decided upon.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::files;
use crate::keys::public::NamedKey;
use crate::output::Output;
use crate::text::{safe, short};

/// Longest file of names in bytes.
const LEN_MAX: usize = 64 * 1024;
/// Name of the file.
pub(crate) const NAMES_FILE: &str = "names.json";

/// Key ids and names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Names of these keys.
    pub(crate) fn of_keys(keys: &[NamedKey]) -> Self {
        let pairs = keys.iter().map(|key| (key.key.key_id(), key.name.clone()));
        Self(pairs.collect())
    }

    /// The names file of a folder; empty where there is none. One that cannot be
    /// read stops nobody, but people are told why they see ids only.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::read(folder).unwrap_or_else(|why| {
            Output::tell(format!("note: keys are shown by their ids: {why:#}"));
            Self::default()
        })
    }

    /// The names file of a folder; empty where there is none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAMES_FILE);
        let Some(bytes) = files::read_if_there(&path, LEN_MAX)? else {
            return Ok(Self::default());
        };
        let names = serde_json::from_slice(&bytes);
        names
            .map(Self)
            .with_context(|| format!("{} holds no names of keys", path.display()))
    }

    /// The file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a map of texts always encodes")
    }

    /// Adds names that are not known yet.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key_id, name) in &other.0 {
            let known = self.0.entry(key_id.clone());
            known.or_insert_with(|| name.clone());
        }
    }

    /// Adds one name.
    pub(crate) fn insert(&mut self, key_id: &str, name: &str) {
        let known = self.0.entry(key_id.to_owned());
        known.or_insert_with(|| name.to_owned());
    }

    /// Whether a key has this name.
    pub(crate) fn is(&self, key_id: &str, name: &str) -> bool {
        self.0.get(key_id).is_some_and(|known| known == name)
    }

    /// A key for people: its name and the first part of its id.
    pub(crate) fn of(&self, key_id: &str) -> String {
        match self.0.get(key_id) {
            Some(name) => format!("{} ({})", safe(name), short(&safe(key_id))),
            None => format!("key {}", short(&safe(key_id))),
        }
    }
}
