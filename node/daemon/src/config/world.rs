//! What settings name outside themselves: files, folders and addresses. Looked
//! at by `config check`; nothing is made or changed.

use std::fs;
use std::io;
use std::path::Path;

use patchmesh_net::address;
use patchmesh_proto::limits::ROOT_LEN_MAX;
use patchmesh_trust::role::is_line;
use patchmesh_trust::state::Verifier;
use rustix::fs::{Access, access};
use ureq::http::Uri;

use crate::config::layer::{ConfigError, Layers};
use crate::config::load::Settings;
use crate::logging;
use crate::origin::renewal::Renewal;

/// A key, and what is wrong with its value, with what to do about it.
type Wrong = (&'static str, String);

/// Everything that would keep a node with these settings from starting.
pub(crate) fn check(settings: &Settings, layers: &Layers) -> Vec<ConfigError> {
    let mut wrong: Vec<Wrong> = Vec::new();
    // An empty one is told by the settings themselves.
    let named = Some(&settings.root).filter(|root| !root.as_os_str().is_empty());
    wrong.extend(
        named
            .and_then(|path| root(path))
            .map(|says| ("trust.root", says)),
    );
    wrong.extend(folder(&settings.state).map(|says| ("node.state", says)));
    wrong.extend(settings.listen.iter().filter_map(|text| listen(text)));
    wrong.extend(settings.bootstrap.iter().filter_map(|text| peer(text)));
    let lines = settings.lines.iter();
    wrong.extend(lines.filter_map(|name| line(name)));
    wrong.extend(settings.repository.as_deref().and_then(repository));
    wrong.extend(settings.http.as_deref().and_then(http));
    wrong.extend(settings.renewal.iter().flat_map(renewal));
    let socket = settings.socket.parent();
    let socket = socket.filter(|folder| !folder.as_os_str().is_empty());
    wrong.extend(socket.and_then(folder).map(|says| ("control.socket", says)));
    let level = logging::filter(&settings.log_level).err();
    wrong.extend(level.map(|_| {
        let says = "takes error, warn, info, debug, trace or a filter per module";
        ("log.level", says.to_owned())
    }));
    let place = |key: &str| layers.get(key).1.to_string();
    let error = |(key, expected): Wrong| ConfigError::BadValue {
        place: place(key),
        key: key.to_owned(),
        expected,
    };
    wrong.into_iter().map(error).collect()
}

fn root(path: &Path) -> Option<String> {
    let shown = path.display();
    let hint = "copy the root document of your network there";
    let longest = ROOT_LEN_MAX as u64;
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return Some(format!("names {shown}, which is no file; {hint}"));
        }
        Ok(found) if found.len() > longest => {
            return Some(format!(
                "names {shown}, which is longer than {longest} bytes; {hint}"
            ));
        }
        Ok(_) | Err(_) => {}
    }
    match fs::read(path) {
        Err(error) => Some(format!("names {shown}, which is not read: {error}; {hint}")),
        Ok(bytes) => Verifier::new(&bytes, &[]).err().map(|refusal| {
            let advice = refusal.advice();
            format!("names {shown}, which is no root document ({refusal}); {hint}; {advice}")
        }),
    }
}

fn listen(text: &str) -> Option<Wrong> {
    let parsed = address::parse(text).ok();
    let fine =
        parsed.is_some_and(|(peer, address)| peer.is_none() && address::socket(&address).is_some());
    let says = || format!("takes /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT, not {text:?}");
    (!fine).then(|| ("net.listen", says()))
}

fn peer(text: &str) -> Option<Wrong> {
    let fine = matches!(address::parse(text), Ok((Some(_), _)));
    let says = || {
        format!(
            "takes /ip4/ADDRESS/tcp/PORT/p2p/ID, not {text:?}; `patchmesh status` on the other \
             node prints its own"
        )
    };
    (!fine).then(|| ("net.bootstrap", says()))
}

fn line(name: &str) -> Option<Wrong> {
    let says = || {
        format!(
            "takes names of release lines (lower-case letters, digits, dot, dash, underscore) or \
             \"*\", not {name:?}"
        )
    };
    (name != "*" && !is_line(name)).then(|| ("releases.lines", says()))
}

fn http(base: &str) -> Option<Wrong> {
    let parsed: Option<Uri> = base.parse().ok();
    let fine = parsed.is_some_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    let says = || format!("takes an address such as https://patches.example.org, not {base:?}");
    (!fine).then(|| ("origin.http", says()))
}

/// Files that the renewal of the timestamp needs.
fn renewal(renewal: &Renewal) -> Vec<Wrong> {
    let missing = |key: &'static str, path: &Path| {
        let error = fs::File::open(path).err()?;
        let shown = path.display();
        let hint = "run the check as the user of the node";
        Some((
            key,
            format!("names {shown}, which is not read: {error}; {hint}"),
        ))
    };
    let key = renewal.key.strip_prefix("file:").map(Path::new);
    let files = [
        ("origin.online_key", key),
        ("origin.online_public", renewal.public.as_deref()),
        ("origin.passphrase_file", renewal.passphrase.as_deref()),
    ];
    let named = files
        .into_iter()
        .filter_map(|(key, path)| Some((key, path?)));
    named.filter_map(|(key, path)| missing(key, path)).collect()
}

fn repository(path: &Path) -> Option<Wrong> {
    let error = fs::read_dir(path).err()?;
    let shown = path.display();
    let says = format!(
        "names {shown}, which is not read: {error}; `patchmesh publish` makes a repository"
    );
    Some(("origin.repository", says))
}

/// Whether files can be made in a folder, or the folder itself where it is not
/// there yet.
fn folder(path: &Path) -> Option<String> {
    let shown = path.display();
    let above = path.ancestors().map(|above| {
        if above.as_os_str().is_empty() {
            Path::new(".")
        } else {
            above
        }
    });
    let mut there = above.filter(|above| above.symlink_metadata().is_ok());
    let nearest = there.next().unwrap_or(path);
    let at = nearest.display();
    match fs::metadata(nearest) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            return Some(format!(
                "names {shown}, but {at} is no folder; choose another place"
            ));
        }
        Err(error) => return Some(format!("names {shown}, but {at} is not read: {error}")),
    }
    let writable = access(nearest, Access::WRITE_OK | Access::EXEC_OK);
    writable.err().map(|error| {
        let error = io::Error::from(error);
        format!(
            "names {shown}, but {at} cannot be written: {error}; run the check as the user of \
             the node, and give that user the folder"
        )
    })
}
