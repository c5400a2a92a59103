//! Sources of settings in rising precedence: defaults, file, drop-ins,
//! environment, options. Each value remembers where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::config::keys::{KEYS, Key, Kind, find, nearest};

/// Most bytes of one configuration file.
const FILE_LEN_MAX: u64 = 256 * 1024;

/// Values by key path, each with its origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    values: BTreeMap<&'static str, (Value, Origin)>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Built in.
    Default,
    /// A file and the line of the key.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
        }
    }
}

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A file could not be read.
    #[error("failed to read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is longer than any configuration can be.
    #[error("{path} is longer than {FILE_LEN_MAX} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A file is not TOML.
    #[error("{place}: {text}")]
    Syntax {
        /// File and line.
        place: String,
        /// What the parser says.
        text: String,
    },
    /// No such key.
    #[error("{place}: unknown key `{key}`; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// File and line, or the variable.
        place: String,
        /// The key as written.
        key: String,
        /// A known one.
        nearest: &'static str,
    },
    /// A value that its key cannot take.
    #[error("{place}: `{key}` {expected}")]
    BadValue {
        /// File and line, or the variable.
        place: String,
        /// The key.
        key: String,
        /// What it takes.
        expected: String,
    },
}

impl ConfigError {
    /// The key that it is about, where it is about one.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::BadValue { key, .. } => Some(key),
            Self::UnknownKey { nearest, .. } => Some(nearest),
            Self::Read { .. } | Self::TooLong { .. } | Self::Syntax { .. } => None,
        }
    }
}

impl Layers {
    /// Defaults, then the file, its drop-ins in byte order, and the environment;
    /// and everything that is wrong with them, which is left out of the values.
    pub(crate) fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> (Self, Vec<ConfigError>) {
        let mut layers = Self::default();
        for key in KEYS {
            layers
                .values
                .insert(key.path, (default_of(key), Origin::Default));
        }
        let mut wrong = Vec::new();
        if let Some(file) = file {
            wrong.extend(layers.add_file(file));
            match drop_ins(file) {
                Ok(paths) => wrong.extend(paths.iter().flat_map(|path| layers.add_file(path))),
                Err(error) => wrong.push(error),
            }
        }
        wrong.extend(layers.add_environment(environment));
        (layers, wrong)
    }

    /// A value and its origin; every key has one.
    pub(crate) fn get(&self, path: &str) -> (&Value, &Origin) {
        let (value, origin) = self.values.get(path).expect("every key has a default");
        (value, origin)
    }

    fn add_file(&mut self, path: &Path) -> Vec<ConfigError> {
        let text = match read_capped(path) {
            Ok(text) => text,
            Err(error) => return vec![error],
        };
        let at = |offset| line_of(&text, offset);
        let (table, errors) = DeTable::parse_recoverable(&text);
        let mut wrong = Vec::new();
        let mut broken = BTreeSet::new();
        for error in errors {
            let line = error.span().map_or(1, |span| at(span.start));
            if broken.insert(line) {
                wrong.push(ConfigError::Syntax {
                    place: format!("{}:{line}", path.display()),
                    text: error.message().to_owned(),
                });
            }
        }
        for (section, body) in table.get_ref() {
            let line = at(section.span().start);
            let DeValue::Table(keys) = body.get_ref() else {
                let place = format!("{}:{line}", path.display());
                if !broken.contains(&line) {
                    wrong.push(unknown(&place, section.get_ref()));
                }
                continue;
            };
            for (name, value) in keys {
                let line = at(name.span().start);
                let full = format!("{}.{}", section.get_ref(), name.get_ref());
                let origin = Origin::File(path.to_owned(), line);
                let raw = text.get(value.span()).unwrap_or_default();
                // What the parser made of a broken line says nothing more.
                if !broken.contains(&line) {
                    wrong.extend(self.set(&full, raw, origin).err());
                }
            }
        }
        wrong
    }

    /// `PATCHMESH_SECTION__KEY`; the value is TOML, or a plain text.
    fn add_environment(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("PATCHMESH_") else {
                continue;
            };
            let Some((section, key)) = rest.split_once("__") else {
                continue;
            };
            let full = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
            let text = find(&full).is_some_and(|key| matches!(key.kind, Kind::Text | Kind::Size));
            let raw = if text {
                Value::String(value).to_string()
            } else {
                value
            };
            let set = self.set(&full, &raw, Origin::Environment(name));
            wrong.extend(set.err());
        }
        wrong
    }

    fn set(&mut self, path: &str, raw: &str, origin: Origin) -> Result<(), ConfigError> {
        let place = origin.to_string();
        let Some(key) = find(path) else {
            return Err(unknown(&place, path));
        };
        let value = format!("value = {raw}").parse::<toml::Table>().ok();
        let value = value.and_then(|mut table| table.remove("value"));
        match value.filter(|value| has_kind(value, key.kind)) {
            Some(value) => {
                self.values.insert(key.path, (value, origin));
                Ok(())
            }
            None => Err(ConfigError::BadValue {
                place,
                key: path.to_owned(),
                expected: expectation(key.kind),
            }),
        }
    }
}

fn read_capped(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    // A device has no length, so that only counting while reading caps it.
    let mut capped = file.take(FILE_LEN_MAX + 1);
    if capped.read_to_end(&mut bytes).map_err(read)? as u64 > FILE_LEN_MAX {
        return Err(ConfigError::TooLong {
            path: path.to_owned(),
        });
    }
    let text = String::from_utf8(bytes);
    text.map_err(|error| read(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn unknown(place: &str, key: &str) -> ConfigError {
    let nearest = nearest(key);
    ConfigError::UnknownKey {
        place: place.to_owned(),
        key: key.to_owned(),
        nearest,
    }
}

fn expectation(kind: Kind) -> String {
    match kind {
        Kind::Bool => "takes true or false".to_owned(),
        Kind::List => "takes a list of texts, such as [\"a\", \"b\"]".to_owned(),
        Kind::Number(min, max) => format!("takes a whole number from {min} to {max}"),
        Kind::Size => "takes a size with a unit, such as \"20 GiB\"".to_owned(),
        Kind::Text => "takes a text in quotes".to_owned(),
    }
}

/// Whether a value can stand for a key of this kind.
pub(crate) fn has_kind(value: &Value, kind: Kind) -> bool {
    match (kind, value) {
        (Kind::Bool, Value::Boolean(_)) | (Kind::Text, Value::String(_)) => true,
        (Kind::List, Value::Array(list)) => list.iter().all(Value::is_str),
        (Kind::Number(min, max), Value::Integer(number)) => (min..=max).contains(number),
        (Kind::Size, Value::String(text)) => parse_size(text).is_some(),
        _ => false,
    }
}

/// Reads a size: a whole number, a space or none, and B, KiB, MiB, GiB, TiB,
/// kB, MB, GB or TB.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim() {
        "B" => 1,
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

fn default_of(key: &Key) -> Value {
    let table = format!("value = {}", key.default).parse::<toml::Table>();
    let value = table.ok().and_then(|mut table| table.remove("value"));
    value.expect("a test parses every default")
}

/// `node.toml` has its drop-ins in `node.d/*.toml`.
fn drop_ins(file: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let folder = file.with_extension("d");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(ConfigError::Read {
                path: folder,
                source,
            });
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| ConfigError::Read {
            path: folder.clone(),
            source,
        })?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|&byte| byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests;
