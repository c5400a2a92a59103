//! Delegations: who is asked, in which order, and who may speak (T-20, T-21).

use patchmesh_trust::canonical::Value;
use patchmesh_trust::key::sha256;
use patchmesh_trust::refusal::Refusal;

use crate::kit::{
    Delegation, Files, current, delegations, document, find, hex, key_objects, pin, refresh,
    role_keys, targets, text, to,
};

/// A graph as (delegator, delegation) lists; no role lists any target, and the
/// seed of every role is 10.
fn graph(edges: &[(&str, Delegation)]) -> Files {
    let mut names = vec!["targets"];
    for (_, edge) in edges {
        if !names.contains(&edge.name) {
            names.push(edge.name);
        }
    }
    let documents: Vec<_> = names
        .into_iter()
        .map(|name| {
            let own = edges.iter().filter(|(from, _)| *from == name);
            let own: Vec<_> = own.map(|(_, edge)| edge.clone()).collect();
            let seed = if name == "targets" { 4 } else { 10 };
            (name, targets(&[], delegations(&own), 1, &[seed]))
        })
        .collect();
    Files::publish(1, &documents)
}

fn asked(edges: &[(&str, Delegation)]) -> Vec<String> {
    let files = graph(edges);
    let (found, asked) = find(&mut current(&files), &files, "missing");
    assert_eq!(found, Ok(false));
    asked
}

#[test]
fn roles_are_asked_in_pre_order() {
    let [a, b, c, d] = ["A", "B", "C", "D"].map(|name| to(name, 10));
    let top = "targets";
    assert_eq!(asked(&[(top, a.clone()), (top, b.clone())]), ["A", "B"]);
    let deep = [
        (top, a.clone()),
        (top, b.clone()),
        ("A", c.clone()),
        ("C", d.clone()),
    ];
    assert_eq!(asked(&deep), ["A", "C", "D", "B"]);
    let wide = [(top, a), (top, b), ("A", c), ("A", d)];
    assert_eq!(asked(&wide), ["A", "C", "D", "B"]);
}

#[test]
fn cve_2025_2886_terminating_ends_the_look_up_for_everybody_behind_it() {
    let [a, b, d] = ["A", "B", "D"].map(|name| to(name, 10));
    let c = to("C", 10).terminating();
    let top = "targets";
    let below = [
        (top, a.clone()),
        (top, b.clone()),
        ("A", c.clone()),
        ("A", d.clone()),
    ];
    assert_eq!(asked(&below), ["A", "C"]);
    let own = [(top, a), (top, b), ("A", c), ("C", d)];
    assert_eq!(asked(&own), ["A", "C", "D"]);
    // One that does not cover the path ends nothing.
    let other = to("C", 10).terminating().paths(&["*.py"]);
    assert_eq!(
        asked(&[(top, other), (top, to("B", 10))]),
        ["B"],
        "T-21: a role is asked only for its paths"
    );
}

#[test]
fn ghsa_j8x2_777p_23fc_cycle_is_walked_once() {
    let top = "targets";
    let edges = [
        (top, to("A", 10)),
        (top, to("B", 10)),
        ("B", to("C", 10)),
        ("C", to("D", 10)),
        ("D", to("B", 10)),
    ];
    assert_eq!(asked(&edges), ["A", "B", "C", "D"]);
    assert_eq!(asked(&[(top, to("A", 10)), ("A", to("A", 10))]), ["A"]);
    // Reached in two ways: through the first only, where both cover the path.
    let both = [
        (top, to("A", 10)),
        (top, to("B", 10)),
        ("B", to("C", 10)),
        ("A", to("C", 10)),
    ];
    assert_eq!(asked(&both), ["A", "C", "B"]);
    let second = [
        (top, to("A", 10)),
        (top, to("B", 10)),
        ("B", to("C", 10)),
        ("A", to("C", 10).paths(&["*.py"])),
    ];
    assert_eq!(asked(&second), ["A", "B", "C"]);
}

#[test]
fn every_delegator_on_the_way_must_cover_the_path() {
    let top = delegations(&[
        to("A", 10).paths(&["*.doc", "foo-?.tgz"]),
        to("B", 10).paths(&["releases/*/*"]),
    ]);
    let b = delegations(&[
        to("C", 10).paths(&["releases/x/*"]),
        to("D", 10).paths(&["releases/y/*.zip"]),
    ]);
    let none = || delegations(&[]);
    let files = Files::publish(
        1,
        &[
            ("targets", targets(&["own"], top, 1, &[4])),
            (
                "A",
                targets(
                    &["a.doc", "foo-1.tgz", "foo-12.tgz", "x/a.doc"],
                    none(),
                    1,
                    &[10],
                ),
            ),
            ("B", targets(&[], b, 1, &[10])),
            ("C", targets(&["releases/x/1"], none(), 1, &[10])),
            (
                "D",
                targets(&["releases/y/1.zip", "releases/z/1.zip"], none(), 1, &[10]),
            ),
        ],
    );
    for (path, expected, visited) in [
        ("own", true, &[][..]),
        ("a.doc", true, &["A"]),
        ("A.DOC", false, &[]),
        ("foo-1.tgz", true, &["A"]),
        ("foo-12.tgz", false, &[]),
        ("x/a.doc", false, &[]),
        ("releases/x/1", true, &["B", "C"]),
        ("releases/y/1.zip", true, &["B", "D"]),
        ("releases/z/1.zip", false, &["B"]),
        ("releases/x/y/1", false, &[]),
    ] {
        let (found, asked) = find(&mut current(&files), &files, path);
        assert_eq!(
            (found, asked),
            (
                Ok(expected),
                visited.iter().map(ToString::to_string).collect()
            ),
            "{path}"
        );
    }
}

#[test]
fn hash_prefixes_choose_by_the_hash_of_the_path() {
    let hash = hex(&sha256(b"some/path"));
    let other = hex(&sha256(b"other/path"));
    let top = delegations(&[
        to("A", 10).prefixes(&[other[..3].to_owned()]),
        to("B", 10).prefixes(&["f".repeat(64), hash[..2].to_owned()]),
    ]);
    let files = Files::publish(
        1,
        &[
            ("targets", targets(&[], top, 1, &[4])),
            ("A", targets(&["other/path"], delegations(&[]), 1, &[10])),
            (
                "B",
                targets(&["some/path", "other/path"], delegations(&[]), 1, &[10]),
            ),
        ],
    );
    let find = |path| find(&mut current(&files), &files, path);
    assert_eq!(find("some/path"), (Ok(true), vec!["B".to_owned()]));
    assert_eq!(find("other/path"), (Ok(true), vec!["A".to_owned()]));
    assert_eq!(find("third/path"), (Ok(false), vec![]));
}

/// A top document with 2^`bits` bins of key 10, beside these members.
fn with_bins(bits: i64, more: &[(&str, Value)]) -> Vec<u8> {
    let mut role = role_keys(&[10], 1);
    role.insert("bit_length".to_owned(), Value::Integer(bits));
    role.insert("name_prefix".to_owned(), text("bin"));
    let mut below = patchmesh_trust::canonical::Object::from([
        ("keys".to_owned(), Value::Object(key_objects(&[10]))),
        ("succinct_roles".to_owned(), Value::Object(role)),
    ]);
    for (name, value) in more {
        below.insert((*name).to_owned(), value.clone());
    }
    targets(&[], Value::Object(below), 1, &[4])
}

#[test]
fn succinct_bins_choose_by_the_first_bits_of_the_hash() {
    // Names computed by hand from SHA-256: "a" begins with ca97, "b" with 3e23.
    for (bits, of_a, of_b) in [
        (1, "bin-1", "bin-0"),
        (5, "bin-19", "bin-07"),
        (8, "bin-ca", "bin-3e"),
        (9, "bin-195", "bin-07c"),
        (32, "bin-ca978112", "bin-3e23e816"),
    ] {
        let files = Files::publish(
            1,
            &[
                ("targets", with_bins(bits, &[])),
                (of_a, targets(&["a"], delegations(&[]), 1, &[10])),
                (of_b, targets(&["b", "a"], delegations(&[]), 1, &[10])),
            ],
        );
        let find = |path| find(&mut current(&files), &files, path);
        assert_eq!(find("a"), (Ok(true), vec![of_a.to_owned()]), "{bits}");
        assert_eq!(find("b"), (Ok(true), vec![of_b.to_owned()]), "{bits}");
    }
    for bits in [0, 33, -1] {
        let files = Files::publish(1, &[("targets", with_bins(bits, &[]))]);
        let mut verifier = crate::kit::client();
        assert_eq!(
            refresh(&mut verifier, &files),
            Err(Refusal::Malformed),
            "{bits}"
        );
    }
    let both = with_bins(4, &[("roles", Value::List(Vec::new()))]);
    let files = Files::publish(1, &[("targets", both)]);
    let mut verifier = crate::kit::client();
    assert_eq!(refresh(&mut verifier, &files), Err(Refusal::Malformed));
}

#[test]
fn cached_role_new_delegator_is_checked_against_each_delegators_keys() {
    let below = |seed, paths: &[&str]| delegations(&[to("release", seed).paths(paths)]);
    let top = delegations(&[to("A", 10).paths(&["a/*"]), to("B", 10).paths(&["b/*"])]);
    let files = Files::publish(
        1,
        &[
            ("targets", targets(&[], top, 1, &[4])),
            ("A", targets(&[], below(20, &["a/*"]), 1, &[10])),
            ("B", targets(&[], below(21, &["b/*"]), 1, &[10])),
            (
                "release",
                targets(&["a/x", "b/x"], delegations(&[]), 1, &[20]),
            ),
        ],
    );
    let mut verifier = current(&files);
    assert_eq!(find(&mut verifier, &files, "a/x").0, Ok(true));
    assert_eq!(
        find(&mut verifier, &files, "b/x").0,
        Err(Refusal::UnknownKey),
        "T-20"
    );
    assert_eq!(
        find(&mut verifier, &files, "a/x"),
        (Ok(true), vec![]),
        "still held"
    );
}

#[test]
fn a_delegator_that_changes_keys_takes_the_word_from_what_is_held() {
    let documents = |version, seed, release| {
        let top = delegations(&[to("A", seed)]);
        Files::publish(
            version,
            &[
                ("targets", targets(&[], top, version, &[4])),
                ("A", release),
            ],
        )
    };
    let before = targets(&["x"], delegations(&[]), 1, &[10]);
    let first = documents(1, 10, before.clone());
    let mut verifier = current(&first);
    assert_eq!(find(&mut verifier, &first, "x").0, Ok(true));
    let second = documents(2, 11, before);
    assert_eq!(refresh(&mut verifier, &second), Ok(()));
    assert_eq!(
        find(&mut verifier, &second, "x"),
        (Err(Refusal::UnknownKey), vec!["A".to_owned()])
    );
    // The same statement, signed by the new key, is taken under the same version.
    let third = documents(3, 11, targets(&["x"], delegations(&[]), 1, &[11]));
    assert_eq!(refresh(&mut verifier, &third), Ok(()));
    assert_eq!(
        find(&mut verifier, &third, "x"),
        (Ok(true), vec!["A".to_owned()])
    );
}

#[test]
fn a_role_that_the_snapshot_does_not_list_is_not_asked_for() {
    let top = delegations(&[to("A", 10), to("B", 10)]);
    let documents = [
        ("targets", targets(&[], top, 1, &[4])),
        ("A", targets(&[], delegations(&[]), 1, &[10])),
        ("B", targets(&["x"], delegations(&[]), 1, &[10])),
    ];
    let files = Files::listing(1, &documents, &["targets", "B"]);
    let mut verifier = current(&files);
    // B comes later and must not speak in the place of A.
    assert_eq!(
        find(&mut verifier, &files, "x"),
        (Err(Refusal::NotDelegated), vec![])
    );
}

#[test]
fn one_bad_path_denies_all_does_not_hold() {
    let top = delegations(&[to("A", 10).paths(&["a/*"])]);
    let files = Files::publish(
        1,
        &[
            ("targets", targets(&["own"], top, 1, &[4])),
            (
                "A",
                targets(&["a/x", "own", "b/x"], delegations(&[]), 1, &[10]),
            ),
        ],
    );
    let mut verifier = current(&files);
    assert_eq!(find(&mut verifier, &files, "a/x").0, Ok(true));
    assert_eq!(
        find(&mut verifier, &files, "b/x").0,
        Ok(false),
        "that path only is lost"
    );
    assert_eq!(find(&mut verifier, &files, "own").0, Ok(true));
}

/// TAP 15 with 16,384 bins: what one look-up costs, printed with `--nocapture`.
/// The microseconds are of the profile that the tests were built in.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test prints what it took")]
fn one_of_16_384_bins_is_found_by_one_document_more() {
    let path = "files/tool";
    let first = &hex(&sha256(path.as_bytes()))[..4];
    let number = u16::from_str_radix(first, 16).unwrap() >> 2;
    let bin = format!("bin-{number:04x}");
    let of_bin = targets(&[path], delegations(&[]), 1, &[10]);
    let top = with_bins(14, &[]);
    let lens = [top.len(), of_bin.len()];
    let mut files = Files::publish(1, &[("targets", top), (&bin, of_bin)]);
    let mut meta: patchmesh_trust::canonical::Object = (0..16_384)
        .map(|number| (format!("bin-{number:04x}.json"), pin(1)))
        .collect();
    meta.insert("targets.json".to_owned(), pin(1));
    let snapshot = document("snapshot", 1, &[("meta", Value::Object(meta))], &[3]);
    let of_snapshot = snapshot.len();
    files.0.insert("snapshot".to_owned(), snapshot);
    let mut verifier = current(&files);
    let began = std::time::Instant::now();
    let found = find(&mut verifier, &files, path);
    let took = began.elapsed();
    println!(
        "16,384 bins: 1 document of {} bytes beside {} of the top targets and {of_snapshot} of \
         the snapshot; found in {took:?}",
        lens[1], lens[0]
    );
    assert_eq!(found, (Ok(true), vec![bin]));
    assert!(lens.iter().all(|len| *len < 2_048), "{lens:?}");
}
