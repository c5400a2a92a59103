//! Tests of the rules on packages, on made-up ones.

use super::*;

#[test]
fn licence_expressions_are_judged_as_written() {
    let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
    let allowed = allowed.map(str::to_owned).into();
    for fine in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-3.0) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
        "GPL-3.0 AND ISC OR MIT",
    ] {
        assert!(permits(fine, &allowed), "{fine}");
    }
    for not in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT WITH LLVM-exception",
        "(MIT",
        "MIT)",
        "MIT OR",
        "MIT ISC",
        "(MIT OR ISC) AND GPL-3.0",
    ] {
        assert!(!permits(not, &allowed), "{not}");
    }
}

#[test]
fn licences_sources_bans_and_wildcards_are_each_named() {
    let rules = "[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [\n\
        { crate = \"sled\", wrappers = [\"store\"] }, { crate = \"openssl\" }]";
    let rules = rules.parse().unwrap();
    let package = |name: &str, license: &str, source: &str| {
        serde_json::json!({
            "id": name, "name": name, "version": "1.0.0", "license": license,
            "source": if source.is_empty() { Value::Null } else { source.into() },
            "dependencies": [{ "name": "sled", "req": "*", "path": null }],
        })
    };
    let node = |name: &str, used: &[&str]| {
        let used: Vec<_> = used
            .iter()
            .map(|name| serde_json::json!({ "pkg": name }))
            .collect();
        serde_json::json!({ "id": name, "deps": used })
    };
    let metadata = serde_json::json!({
        "packages": [
            package("store", "MIT", ""),
            package("sled", "MIT", "registry+one"),
            package("other", "GPL-3.0", "registry+one"),
            package("far", "MIT", "git+two"),
            package("openssl", "MIT", "registry+one"),
            package("unlinked", "GPL-3.0", "git+three"),
        ],
        "resolve": { "nodes": [
            node("store", &["sled"]), node("sled", &[]), node("other", &["sled", "openssl"]),
            node("far", &[]), node("openssl", &[]),
        ]},
    });
    let built = [
        "store v1.0.0",
        "sled v1.0.0 (*)",
        "other v1.0.0",
        "far v1.0.0",
    ];
    let built = built
        .into_iter()
        .chain(["openssl v1.0.0", ""])
        .filter_map(super::package);
    let wrong = broken(&rules, &graph(&metadata, &built.collect()));
    let says = [
        "store 1.0.0: takes any version of sled",
        "other 1.0.0: licence \"GPL-3.0\" is not allowed",
        "far 1.0.0: comes from git+two, not from the one registry",
        "sled: banned, used by [\"other\"]",
        "openssl: banned, used by [\"other\"]",
    ];
    assert_eq!(wrong, says);
}
