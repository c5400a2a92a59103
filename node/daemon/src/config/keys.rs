//! Every key of the configuration with its kind, default and documentation.
//! This table is the only place where a key is declared: the loader, `config
//! default` and `config show` read it.

/// One key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Section and name, with a dot between.
    pub(crate) path: &'static str,
    /// What a value looks like.
    pub(crate) kind: Kind,
    /// The default as TOML text.
    pub(crate) default: &'static str,
    /// Documentation, one line or more.
    pub(crate) doc: &'static str,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Bool,
    /// A list of texts.
    List,
    /// A whole number within these bounds.
    Number(i64, i64),
    /// A size with a unit, such as `"20 GiB"`.
    Size,
    /// A text.
    Text,
}

const fn key(path: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key {
        path,
        kind,
        default,
        doc,
    }
}

/// All keys, in the order in which they are printed.
pub(crate) const KEYS: &[Key] = &[
    key(
        "node.site",
        Kind::Text,
        "\"\"",
        "Site of this node. Nodes of one site share what crosses the WAN.\n\
         Empty: an origin outside all sites.",
    ),
    key(
        "node.state",
        Kind::Text,
        "\"/var/lib/patchmesh\"",
        "Folder for identity, trusted metadata, chunks and staged releases.",
    ),
    key(
        "node.weight",
        Kind::Number(0, 16),
        "4",
        "Share of the WAN duty: wired 4, wireless 1, metered 0 (never fetches for others).",
    ),
    key(
        "trust.root",
        Kind::Text,
        "\"\"",
        "Root document that this node trusts at its first start; later roots\n\
         follow it by signature.",
    ),
    key(
        "releases.lines",
        Kind::List,
        "[]",
        "Release lines that this node wants, such as [\"desktop\"]; [\"*\"] is every line.",
    ),
    key(
        "releases.automatic",
        Kind::Bool,
        "true",
        "Fetch and stage wanted releases without a command.",
    ),
    key(
        "net.listen",
        Kind::List,
        "[\"/ip4/0.0.0.0/tcp/7400\"]",
        "Addresses to listen on; port 0 lets the system choose.",
    ),
    key(
        "net.bootstrap",
        Kind::List,
        "[]",
        "Peers to stay connected to, usually the origin:\n\
         \"/ip4/192.0.2.1/tcp/7400/p2p/<id>\".",
    ),
    key(
        "net.mdns",
        Kind::Bool,
        "true",
        "Find peers of the local network by multicast.",
    ),
    key(
        "origin.repository",
        Kind::Text,
        "\"\"",
        "Published repository folder that this node serves; makes it an origin.",
    ),
    key(
        "origin.http",
        Kind::Text,
        "\"\"",
        "Base address of a plain HTTP or HTTPS origin with the same layout.",
    ),
    key(
        "origin.online_key",
        Kind::Text,
        "\"\"",
        "Online key with which this origin renews the timestamp of its repository, as\n\
         `patchmesh publish --key` takes it: \"file:PATH\", \"ssh-agent:KEY\" (of the agent that\n\
         SSH_AUTH_SOCK names to the node), or \"exec:CMD\" for a tool that signs.\n\
         Empty: somebody runs `patchmesh publish` in time.",
    ),
    key(
        "origin.online_public",
        Kind::Text,
        "\"\"",
        "Public half of the online key, where a tool signs.",
    ),
    key(
        "origin.passphrase_file",
        Kind::Text,
        "\"\"",
        "File of mode 0600 with the passphrase of the online key.",
    ),
    key(
        "origin.renew_seconds",
        Kind::Number(1, 86_400),
        "3600",
        "Seconds between two renewals of the timestamp, which holds for 72 hours.",
    ),
    key(
        "store.quota",
        Kind::Size,
        "\"20 GiB\"",
        "Most bytes that chunks may take on disk.",
    ),
    key(
        "control.socket",
        Kind::Text,
        "\"\"",
        "Socket that `patchmesh` talks to; only this user and root may open it.\n\
         Empty: PATCHMESH_SOCKET, or control.sock in the runtime folder.",
    ),
    key(
        "recorder.size",
        Kind::Size,
        "\"16 MiB\"",
        "Most bytes of the flight recording (at most 64 MiB): every input since the start,\n\
         for `patchmesh-sim replay`. A full one ends; the next start begins a new one and\n\
         keeps the one before. \"0 B\" is off.",
    ),
    key(
        "log.level",
        Kind::Text,
        "\"info\"",
        "error, warn, info, debug or trace; a filter per module is possible.",
    ),
    key(
        "log.json",
        Kind::Bool,
        "false",
        "Log JSON lines instead of text.",
    ),
];

/// The key with this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The known path nearest to a wrong one, for a hint.
pub(crate) fn nearest(path: &str) -> &'static str {
    KEYS.iter()
        .map(|key| key.path)
        .min_by_key(|known| distance(known, path))
        .unwrap_or("")
}

/// Levenshtein distance over bytes.
fn distance(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_neighbour() {
        assert_eq!(nearest("node.sites"), "node.site");
        assert_eq!(nearest("store.qouta"), "store.quota");
        assert_eq!(nearest("netlisten"), "net.listen");
    }

    #[test]
    fn every_default_has_the_kind_of_its_key() {
        for key in KEYS {
            let text = format!("value = {}", key.default);
            let table: toml::Table = text.parse().expect("a default is TOML");
            assert!(
                crate::config::layer::has_kind(&table["value"], key.kind),
                "{}: {}",
                key.path,
                key.default
            );
        }
    }
}
