//! Which crate may depend on what: the table of ARCHITECTURE.md, compared with
//! every `Cargo.toml`.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// What one crate may use.
struct Row {
    folder: &'static str,
    layer: u8,
    /// Own crates, by folder.
    own: &'static [&'static str],
    /// Other packages of normal dependencies.
    others: &'static [&'static str],
}

/// Packages that any crate may use in its tests and benches; the wire vectors
/// are JSON.
const DEV: [&str; 6] = [
    "criterion",
    "insta",
    "proptest",
    "serde_json",
    "tempfile",
    "trycmd",
];

const TABLE: [Row; 17] = [
    Row {
        folder: "proto",
        layer: 0,
        own: &[],
        others: &["bytes", "prost", "thiserror"],
    },
    Row {
        folder: "node/content",
        layer: 1,
        own: &["proto"],
        // unicode-normalization: names that differ in their form only are one name.
        others: &["blake3", "serde", "thiserror", "unicode-normalization"],
    },
    Row {
        folder: "node/trust",
        layer: 2,
        own: &["proto", "node/content"],
        // base64ct: the text forms of the transparency log.
        // ring: RSA keys of foreign repositories, behind a feature of the command line.
        others: &[
            "base64ct",
            "ed25519-dalek",
            "p256",
            "ring",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "zeroize",
        ],
    },
    Row {
        folder: "node/pack",
        layer: 2,
        own: &["node/content"],
        // sha2: a payload's hash in the index is the one its vendor publishes.
        others: &["fastcdc", "liblzma", "qbsdiff", "sha2", "thiserror", "zstd"],
    },
    Row {
        folder: "node/core",
        layer: 3,
        own: &["proto", "node/content", "node/trust"],
        others: &["rand_chacha", "serde", "thiserror", "tracing"],
    },
    Row {
        folder: "node/store",
        layer: 4,
        own: &["proto", "node/content", "node/trust", "node/core"],
        others: &["rustix", "serde", "sled", "thiserror", "tracing"],
    },
    Row {
        folder: "node/net",
        layer: 4,
        own: &["proto", "node/content", "node/core"],
        others: &[
            "futures",
            "libp2p",
            "prost",
            // Keeps the queue of a socket short.
            "socket2",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
        ],
    },
    Row {
        folder: "node/api",
        layer: 4,
        own: &["proto", "node/content"],
        others: &["serde", "serde_json", "thiserror"],
    },
    Row {
        folder: "node/apply",
        layer: 4,
        own: &["proto", "node/content", "node/trust"],
        others: &[
            "cap-std",
            "landlock",
            "rustix",
            "serde",
            "serde_json",
            "thiserror",
        ],
    },
    Row {
        folder: "node/web",
        layer: 4,
        own: &["node/content", "node/core"],
        others: &[
            "askama",
            "axum",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
        ],
    },
    Row {
        folder: "node/daemon",
        layer: 5,
        own: &[
            "proto",
            "node/content",
            "node/trust",
            "node/pack",
            "node/core",
            "node/store",
            "node/net",
            "node/api",
            "node/apply",
            "node/web",
        ],
        // cap-std: installs into a tree that a path of a release cannot leave.
        others: &[
            "cap-std",
            "clap",
            "rustix",
            "sd-notify",
            "serde",
            "serde_ignored",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "toml",
            "tracing",
            "tracing-subscriber",
            "ureq",
        ],
    },
    Row {
        folder: "node/cli",
        layer: 5,
        own: &[
            "proto",
            "node/content",
            "node/trust",
            "node/pack",
            "node/api",
        ],
        // ed25519-dalek and pkcs8: the signer makes and reads key files; sha2: what a
        // person compares before signing is the hash of the statement; base64ct: lines of
        // OpenSSH; bs58: ids of nodes as their addresses have them; cryptoki: keys in tokens,
        // behind a feature.
        others: &[
            "anyhow",
            "base64ct",
            "bs58",
            "clap",
            "clap_complete",
            "clap_mangen",
            "cryptoki",
            "ed25519-dalek",
            "getrandom",
            "indicatif",
            "jiff",
            "pkcs8",
            "rpassword",
            "serde",
            "serde_json",
            "sha2",
            "zeroize",
        ],
    },
    Row {
        folder: "node/demo",
        layer: 5,
        own: &["node/content", "node/api"],
        // rustix: the warden ends processes that it did not start itself.
        others: &[
            "anyhow",
            "clap",
            "rustix",
            "serde",
            "serde_json",
            "tempfile",
            "tokio",
        ],
    },
    Row {
        folder: "simulations",
        layer: 5,
        own: &["proto", "node/content", "node/trust", "node/core"],
        // csv: tables of sites come from spreadsheets, with all their quoting.
        others: &[
            "clap",
            "clap_mangen",
            "csv",
            "rand_chacha",
            "rayon",
            "serde",
            "serde_json",
            "toml",
        ],
    },
    Row {
        folder: "tests",
        layer: 6,
        own: &[
            "proto",
            "node/content",
            "node/trust",
            "node/pack",
            "node/core",
            "node/store",
            "node/net",
            "node/api",
            "node/demo",
        ],
        others: &[
            "futures",
            "libp2p",
            "proptest",
            "prost",
            "rustix",
            "serde_json",
            "tempfile",
            "tokio",
        ],
    },
    Row {
        folder: "tests/oracle",
        layer: 7,
        own: &["node/content", "node/trust", "tests"],
        // A workspace of its own, with another verifier and the clock of its interface.
        others: &["futures", "jiff", "serde_json", "sigstore-tuf", "tempfile"],
    },
    Row {
        folder: "scripts",
        layer: 6,
        own: &[],
        // proc-macro2: lines of what syn has read.
        others: &[
            "anyhow",
            "proc-macro2",
            "prost-build",
            "protox",
            "serde_json",
            "syn",
            "toml",
        ],
    },
];

/// Section of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Build,
    Dev,
    Normal,
}

/// One line of a `Cargo.toml`.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// All dependencies of a package, of every target; renames are undone.
pub(crate) fn dependencies(tree: &Tree, table: &toml::Table) -> Vec<Dependency> {
    let top = tree.text("Cargo.toml").parse::<toml::Table>();
    let shared = top.ok().and_then(|top| {
        let shared = top.get("workspace")?.get("dependencies")?;
        shared.as_table().cloned()
    });
    let shared = shared.unwrap_or_default();
    let mut tables = vec![table];
    let targets = table.get("target").and_then(toml::Value::as_table);
    for target in targets.into_iter().flat_map(toml::Table::values) {
        tables.extend(target.as_table());
    }
    let mut found = Vec::new();
    for table in tables {
        for (section, kind) in [
            ("build-dependencies", Kind::Build),
            ("dependencies", Kind::Normal),
            ("dev-dependencies", Kind::Dev),
        ] {
            let section = table.get(section).and_then(toml::Value::as_table);
            for (key, value) in section.into_iter().flatten() {
                let real = value.get("package");
                let real = real.or_else(|| shared.get(key)?.get("package"));
                let name = real.and_then(toml::Value::as_str).unwrap_or(key).to_owned();
                found.push(Dependency { name, kind });
            }
        }
    }
    found
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (folder, table) in tree.packages() {
        let file = format!("{folder}/Cargo.toml");
        let mut push = |says, cure| {
            found.push(Finding {
                file: file.clone(),
                line: 0,
                rule: "layers",
                says,
                cure,
            });
        };
        let Some(row) = TABLE.iter().find(|row| row.folder == folder) else {
            push(
                "no row in the layer table".to_owned(),
                "a crate exists when it changes the allowed dependencies: add its row to \
                 layers.rs and to ARCHITECTURE.md",
            );
            continue;
        };
        let name = table["package"].get("name").and_then(toml::Value::as_str);
        if name != Some(package_name(&folder).as_str()) {
            push(
                format!("the package is not named {}", package_name(&folder)),
                "packages are named patchmesh-<folder>",
            );
        }
        for dependency in dependencies(tree, &table) {
            if let Some(says) = refused(row, &dependency) {
                push(
                    says,
                    "use what the row has, move the code to a crate that may, or change the \
                     row in layers.rs and ARCHITECTURE.md with a reason",
                );
            }
        }
    }
    found
}

fn package_name(folder: &str) -> String {
    let leaf = folder.rsplit('/').next().unwrap_or(folder);
    format!("patchmesh-{leaf}")
}

/// Why the row refuses a dependency.
fn refused(row: &Row, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let own = TABLE
        .iter()
        .find(|other| package_name(other.folder) == name);
    if let Some(other) = own {
        if other.layer >= row.layer {
            return Some(format!(
                "layer {} uses {name} of layer {}: arrows point down",
                row.layer, other.layer
            ));
        }
        let ok = dependency.kind == Kind::Dev || row.own.contains(&other.folder);
        return (!ok).then(|| format!("{name} is not among its own crates"));
    }
    let ok = row.others.contains(&name) || dependency.kind == Kind::Dev && DEV.contains(&name);
    (!ok).then(|| format!("{name} is not among its allowed packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(folder: &str, rest: &str) -> Vec<String> {
        let cargo = format!("[package]\nname = \"{}\"\n{rest}", package_name(folder));
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\nquick = { package = \"sled\", version = \"1\" }",
            ),
            (&format!("{folder}/Cargo.toml"), &cargo),
        ]);
        check(&tree).iter().map(|f| f.says.clone()).collect()
    }

    #[test]
    fn what_the_table_allows_passes() {
        let good = "[dependencies]\npatchmesh-proto.workspace = true\nblake3 = \"1\"\n\
                    [dev-dependencies]\nproptest = \"1\"";
        assert_eq!(says("node/content", good), [""; 0]);
    }

    #[test]
    fn other_packages_sideways_and_upward_arrows_fail() {
        for (folder, bad, part) in [
            (
                "node/content",
                "[dependencies]\ntokio = \"1\"",
                "tokio is not",
            ),
            (
                "node/content",
                "[dependencies]\nquick.workspace = true",
                "sled is not",
            ),
            (
                "node/content",
                "[target.'cfg(unix)'.dependencies]\nrustix = \"1\"",
                "rustix is not",
            ),
            (
                "node/pack",
                "[dependencies]\npatchmesh-trust = \"1\"",
                "arrows point down",
            ),
            (
                "proto",
                "[dev-dependencies]\npatchmesh-core = \"1\"",
                "arrows point down",
            ),
            (
                "node/net",
                "[dependencies]\npatchmesh-trust = \"1\"",
                "not among its own",
            ),
            ("node/new", "", "no row"),
        ] {
            let found = says(folder, bad);
            assert_eq!(found.len(), 1, "{folder} {bad}");
            assert!(found[0].contains(part), "{found:?}");
        }
    }

    #[test]
    fn the_table_itself_points_down() {
        for row in &TABLE {
            for own in row.own {
                let other = TABLE.iter().find(|other| other.folder == *own).unwrap();
                assert!(other.layer < row.layer, "{} uses {own}", row.folder);
            }
        }
    }
}
