//! Typed settings out of the layers.

use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

use crate::config::layer::{ConfigError, Layers, parse_size};
use crate::origin::renewal::Renewal;

/// Settings of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) site: String,
    pub(crate) state: PathBuf,
    pub(crate) weight: u32,
    pub(crate) root: PathBuf,
    pub(crate) lines: Vec<String>,
    pub(crate) automatic: bool,
    pub(crate) listen: Vec<String>,
    pub(crate) bootstrap: Vec<String>,
    pub(crate) mdns: bool,
    pub(crate) repository: Option<PathBuf>,
    pub(crate) http: Option<String>,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) quota: u64,
    pub(crate) socket: PathBuf,
    pub(crate) recorder_bytes_max: u64,
    pub(crate) log_level: String,
    pub(crate) log_json: bool,
}

impl Settings {
    /// Reads every key; [`Self::check`] says whether they fit.
    pub(crate) fn load(layers: &Layers) -> Self {
        Self {
            site: text(layers, "node.site"),
            state: text(layers, "node.state").into(),
            weight: u32::try_from(number(layers, "node.weight")).unwrap_or(0),
            root: text(layers, "trust.root").into(),
            lines: list(layers, "releases.lines"),
            automatic: flag(layers, "releases.automatic"),
            listen: list(layers, "net.listen"),
            bootstrap: list(layers, "net.bootstrap"),
            mdns: flag(layers, "net.mdns"),
            repository: optional(layers, "origin.repository").map(PathBuf::from),
            http: optional(layers, "origin.http"),
            renewal: renewal(layers),
            quota: size(layers, "store.quota"),
            socket: text(layers, "control.socket").into(),
            recorder_bytes_max: size(layers, "recorder.size"),
            log_level: text(layers, "log.level"),
            log_json: flag(layers, "log.json"),
        }
    }

    /// Everything that one key alone cannot say.
    pub(crate) fn check(&self, layers: &Layers) -> Vec<ConfigError> {
        let mut wrong: Vec<(&str, &str)> = Vec::new();
        if self.root.as_os_str().is_empty() {
            let says = "must name the root document this node starts from";
            wrong.push(("trust.root", says));
        }
        if self.repository.is_some() && self.http.is_some() {
            wrong.push(("origin.http", "cannot stand beside `origin.repository`"));
        }
        if optional(layers, "origin.online_key").is_some() && self.renewal.is_none() {
            let says = "takes file:PATH, ssh-agent:KEY or exec:CMD, and stands beside \
                        `origin.repository`; a token (pkcs11:) asks a person for its PIN";
            wrong.push(("origin.online_key", says));
        }
        let http = self.http.as_deref().unwrap_or("http://");
        if !http.starts_with("http://") && !http.starts_with("https://") {
            let says = "takes an address that begins with http:// or https://";
            wrong.push(("origin.http", says));
        }
        if self.repository.is_none() && self.site.is_empty() {
            wrong.push(("node.site", "must name the site of an endpoint"));
        }
        if !self.site.is_empty() && !is_site(&self.site) {
            let says = "takes at most 64 letters, digits, dots, dashes and underscores, and \
                        begins with a letter or digit";
            wrong.push(("node.site", says));
        }
        let error = |(key, expected): (&str, &str)| ConfigError::BadValue {
            place: layers.get(key).1.to_string(),
            key: key.to_owned(),
            expected: expected.to_owned(),
        };
        wrong.into_iter().map(error).collect()
    }
}

/// How this origin renews its timestamp.
fn renewal(layers: &Layers) -> Option<Renewal> {
    let key = optional(layers, "origin.online_key")?;
    let known = ["file:", "ssh-agent:", "exec:"];
    let known = known.iter().any(|kind| key.starts_with(kind));
    let repository = optional(layers, "origin.repository").filter(|_| known)?;
    let seconds = u64::try_from(number(layers, "origin.renew_seconds")).unwrap_or(1);
    Some(Renewal {
        repository: repository.into(),
        key,
        public: optional(layers, "origin.online_public").map(PathBuf::from),
        passphrase: optional(layers, "origin.passphrase_file").map(PathBuf::from),
        every: Duration::from_secs(seconds.max(1)),
    })
}

fn is_site(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    first && text.len() <= patchmesh_proto::limits::SITE_LEN_MAX && text.chars().all(plain)
}

fn text(layers: &Layers, path: &str) -> String {
    layers.get(path).0.as_str().unwrap_or_default().to_owned()
}

fn optional(layers: &Layers, path: &str) -> Option<String> {
    Some(text(layers, path)).filter(|text| !text.is_empty())
}

fn list(layers: &Layers, path: &str) -> Vec<String> {
    let values = layers
        .get(path)
        .0
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    values
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn flag(layers: &Layers, path: &str) -> bool {
    layers.get(path).0.as_bool().unwrap_or_default()
}

fn number(layers: &Layers, path: &str) -> i64 {
    layers.get(path).0.as_integer().unwrap_or_default()
}

fn size(layers: &Layers, path: &str) -> u64 {
    layers
        .get(path)
        .0
        .as_str()
        .and_then(parse_size)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let environment = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (layers, wrong) = Layers::read(None, environment);
        let settings = Settings::load(&layers);
        let mut wrong = wrong.into_iter().chain(settings.check(&layers));
        wrong.next().map_or(Ok(settings), Err)
    }

    const ROOT: (&str, &str) = ("PATCHMESH_TRUST__ROOT", "root.json");
    const SITE: (&str, &str) = ("PATCHMESH_NODE__SITE", "paris");

    #[test]
    fn what_one_key_cannot_say_is_checked() {
        assert!(load(&[ROOT, SITE]).is_ok());
        let error = load(&[SITE]).expect_err("no root").to_string();
        assert!(error.contains("`trust.root` must name"), "{error}");
        let error = load(&[ROOT]).expect_err("no site").to_string();
        assert!(error.contains("`node.site` must name"), "{error}");
        let strange = ("PATCHMESH_NODE__SITE", "Paris, rue 1");
        let error = load(&[ROOT, strange]).expect_err("no name").to_string();
        assert!(error.contains("begins with a letter"), "{error}");
        let http = ("PATCHMESH_ORIGIN__HTTP", "ftp://x");
        let error = load(&[ROOT, SITE, http]).expect_err("not http").to_string();
        assert!(error.contains("begins with http"), "{error}");
        let repository = ("PATCHMESH_ORIGIN__REPOSITORY", "repo");
        let http = ("PATCHMESH_ORIGIN__HTTP", "http://x");
        let error = load(&[ROOT, repository, http])
            .expect_err("both")
            .to_string();
        assert!(error.contains("cannot stand beside"), "{error}");
        let key = ("PATCHMESH_ORIGIN__ONLINE_KEY", "file:online.key");
        let error = load(&[ROOT, SITE, key]).expect_err("no origin").to_string();
        assert!(error.contains("stands beside"), "{error}");
        let renewal = load(&[ROOT, repository, key]).expect("an origin").renewal;
        assert_eq!(renewal.expect("a key").every, Duration::from_hours(1));
    }
}
