//! 15 `giant-metadata`, 16 `parser-differential`: caps before parsing, and one
//! reading of every text. T-06 to T-08, T-13.

use patchmesh_trust::canonical::Value;
use patchmesh_trust::key::sha256;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::kit::{NOW, Publication, TIMESTAMP, edit, holding, key, line, object, signed_part};

fn verdict(bytes: &[u8]) -> Option<Refusal> {
    let verifier = holding(&Publication::new(1));
    verifier.admit(&RoleName::Timestamp, bytes, NOW).err()
}

/// A timestamp whose signed text is exactly this, with a signature over the
/// text and, in case a lax reader re-writes it, over nothing else.
fn raw(signed: &str) -> Vec<u8> {
    let key = key(TIMESTAMP[0]);
    let hex = key.sign(signed.as_bytes());
    let hex = hex.iter().map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<String>();
    let id = key.public_key().key_id();
    format!(r#"{{"signatures":[{{"keyid":"{id}","sig":"{hex}"}}],"signed":{signed}}}"#).into_bytes()
}

fn text() -> String {
    let signed = signed_part(&Publication::new(2).timestamp);
    String::from_utf8(signed.canonical()).unwrap()
}

#[test]
fn the_raw_form_is_a_good_document() {
    assert_eq!(verdict(&raw(&text())), None);
}

#[test]
fn attack_parser_differential() {
    let text = text();
    let with = |member: &str| format!("{{{member},{}", &text[1..]);
    for (name, signed) in [
        ("duplicate key", with(r#""version":1"#)),
        ("duplicate key, escaped", with(r#""\u0076ersion":1"#)),
        ("duplicate key below", with(r#""zz":{"a":1,"a":1}"#)),
        ("fraction", with(r#""zz":1.0"#)),
        ("exponent", with(r#""zz":1e2"#)),
        ("minus zero", with(r#""zz":-0"#)),
        ("leading zero", with(r#""zz":01"#)),
        ("plus", with(r#""zz":+1"#)),
        ("above 64 bits", with(r#""zz":9223372036854775808"#)),
        ("below 64 bits", with(r#""zz":-9223372036854775809"#)),
        ("not a number", with(r#""zz":NaN"#)),
        ("infinite", with(r#""zz":Infinity"#)),
        ("lone high surrogate", with(r#""zz":"\ud800""#)),
        ("lone low surrogate", with(r#""zz":"\udc00""#)),
        ("two high surrogates", with(r#""zz":"\ud800\ud800""#)),
        ("unknown escape", with(r#""zz":"\x41""#)),
        ("raw control character", with("\"zz\":\"\u{1}\"")),
        ("trailing comma", with(r#""zz":[1,]"#)),
        ("comment", with("/* */\"zz\":1")),
        ("single quotes", with("'zz':1")),
        ("bare key", with("zz:1")),
    ] {
        assert_eq!(verdict(&raw(&signed)), Some(Refusal::Malformed), "{name}");
    }
    let good = raw(&text);
    let mut bom = b"\xef\xbb\xbf".to_vec();
    bom.extend_from_slice(&good);
    let mut after = good.clone();
    after.push(b'x');
    let mut zero = good.clone();
    zero.push(0);
    let latin = [&good[..20], b"\xff", &good[20..]].concat();
    for (name, bytes) in [
        ("byte-order mark", bom),
        ("bytes after", after),
        ("zero byte after", zero),
        ("not UTF-8", latin),
        ("two documents", good.repeat(2)),
        ("empty", Vec::new()),
        ("not an object", b"[]".to_vec()),
        ("cut", good[..good.len() - 1].to_vec()),
    ] {
        assert_eq!(verdict(&bytes), Some(Refusal::Malformed), "{name}");
    }
}

/// White space and order outside the signed meaning do not matter: the
/// canonical form is what is signed.
#[test]
fn another_spelling_of_the_same_statement_verifies() {
    let good = String::from_utf8(Publication::new(2).timestamp).unwrap();
    let spaced = good.replace(',', " ,\r\n\t").replace(':', " : ");
    let spaced = spaced.replace(" : 00 : 00", ":00:00");
    // Restore the times that the replacement tore apart.
    let expires = signed_part(&Publication::new(2).timestamp);
    let expires = expires.as_object().unwrap()["expires"]
        .as_text()
        .unwrap()
        .to_owned();
    let torn = expires.replace(':', " : ");
    let spaced = spaced.replace(&torn, &expires);
    assert_eq!(verdict(spaced.as_bytes()), None);
    let escaped = good.replace("timestamp", "\\u0074imestamp");
    assert_eq!(verdict(escaped.as_bytes()), None);
}

/// tuf-conformance `nfc_signature`; T-06: no normalisation. Composed and
/// decomposed letters are different statements.
#[test]
fn nfc_signature() {
    let with = |letter: &str| {
        edit(&Publication::new(2).timestamp, TIMESTAMP, |signed| {
            signed.insert("zz".to_owned(), Value::text(letter));
        })
    };
    let (composed, decomposed) = (with("\u{e9}"), with("e\u{301}"));
    assert_eq!(verdict(&composed), None);
    assert_eq!(verdict(&decomposed), None);
    let swapped = String::from_utf8(composed).unwrap();
    let swapped = swapped.replace('\u{e9}', "e\u{301}");
    assert_eq!(verdict(swapped.as_bytes()), Some(Refusal::BadSignature));
    // A zero character is one like others if it is escaped, and signed raw.
    let escaped = with("\u{0}");
    assert_eq!(verdict(&escaped), None);
    let raw = String::from_utf8(escaped).unwrap().replace("\\u0000", "\0");
    assert_eq!(verdict(raw.as_bytes()), Some(Refusal::Malformed));
}

#[test]
fn attack_giant_metadata() {
    let verifier = holding(&Publication::new(1));
    let giant = vec![b'['; 100 * 1024 * 1024];
    for role in [
        RoleName::Root,
        RoleName::Timestamp,
        RoleName::Snapshot,
        RoleName::Targets,
        line("desktop"),
    ] {
        let verdict = verifier.admit(&role, &giant, NOW);
        assert_eq!(verdict.unwrap_err(), Refusal::TooLarge, "{role}");
    }
    // One byte below and above the cap of a role without a pin.
    let good = Publication::new(2).timestamp;
    let padded = |len: usize| {
        let mut bytes = good.clone();
        bytes.resize(len, b' ');
        bytes
    };
    assert_eq!(verdict(&padded(4 * 1024)), None);
    assert_eq!(verdict(&padded(4 * 1024 + 1)), Some(Refusal::TooLarge));
}

#[test]
fn attack_deep_metadata() {
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        raw(&format!("{},\"zz\":{value}}}", &text()[..text().len() - 1]))
    };
    // The value lies below the wrapper and the signed part.
    assert_eq!(verdict(&nested(62)), None);
    assert_eq!(verdict(&nested(63)), Some(Refusal::Malformed));
    let verifier = holding(&Publication::new(1));
    let deep = vec![b'['; 32 * 1024];
    let verdict = verifier.admit(&RoleName::Root, &deep, NOW);
    assert_eq!(verdict.unwrap_err(), Refusal::Malformed);
}

#[test]
fn attack_many_signatures() {
    let signed = signed_part(&Publication::new(2).timestamp);
    let key = key(TIMESTAMP[0]);
    let good = (key.public_key().key_id(), key.sign(&signed.canonical()));
    let with = |extra: usize| {
        let junk = (0..extra).map(|number| (format!("{number}"), vec![0; 8]));
        crate::kit::envelope(&signed, junk.chain([good.clone()]))
    };
    assert_eq!(verdict(&with(31)), None);
    assert_eq!(verdict(&with(32)), Some(Refusal::TooLarge));
    // Many values in a document below its cap.
    let verifier = holding(&Publication::new(1));
    let wide = format!("[{}1]", "1,".repeat(66_000));
    let mut wider = crate::kit::verifier();
    let unpinned = edit(&Publication::new(1).timestamp, TIMESTAMP, |signed| {
        let pin = object(signed, &["meta", "snapshot.json"]);
        pin.remove("length");
        pin.remove("hashes");
    });
    crate::kit::give(&mut wider, &RoleName::Timestamp, &unpinned).unwrap();
    let refused = wider.admit(&RoleName::Snapshot, wide.as_bytes(), NOW);
    assert_eq!(refused.unwrap_err(), Refusal::TooLarge);
    assert_eq!(verifier.head().timestamp, 1);
}

#[test]
fn long_numbers_are_refused() {
    let digits = "9".repeat(3_000);
    let signed = format!("{},\"zz\":{digits}}}", &text()[..text().len() - 1]);
    assert_eq!(verdict(&raw(&signed)), Some(Refusal::Malformed));
}

#[test]
fn malformed_members_are_refused() {
    let newer = Publication::new(2).timestamp;
    for (name, value) in [
        ("version", Value::text("2")),
        ("version", Value::Integer(0)),
        ("version", Value::Null),
        ("expires", Value::text("2030-01-01")),
        ("expires", Value::Integer(5)),
        ("spec_version", Value::text("2.0")),
        ("spec_version", Value::Integer(1)),
        ("_type", Value::text("snapshot")),
        ("meta", Value::List(Vec::new())),
        ("meta", Value::Object([].into())),
        ("patchmesh", Value::text("x")),
    ] {
        let odd = edit(&newer, TIMESTAMP, |signed| {
            signed.insert(name.to_owned(), value);
        });
        assert_eq!(verdict(&odd), Some(Refusal::Malformed), "{name}");
        let without = edit(&newer, TIMESTAMP, |signed| {
            signed.remove(name);
        });
        let expected = (name != "patchmesh").then_some(Refusal::Malformed);
        assert_eq!(verdict(&without), expected, "{name} missing");
    }
}

/// T-13: behind its cap nothing of a document is read; up to it, the first thing
/// that no document has ends the reading. Prints how long each refusal takes.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test prints what it took")]
fn attack_15_giants_end_at_the_cap() {
    let wrapped = |signed: &str, signatures: &str| {
        format!(r#"{{"signatures":[{signatures}],"signed":{signed}}}"#).into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let publication = Publication::new(2);
    let (large, form) = (Refusal::TooLarge, Refusal::Malformed);
    let cases = [
        ("100 MB", vec![b'['; 100_000_000], large),
        (
            "10^6 signatures",
            wrapped("{}", &vec!["{}"; 1_000_000].join(",")),
            large,
        ),
        (
            "170,000 signatures",
            wrapped("{}", &vec!["{}"; 170_000].join(",")),
            large,
        ),
        (
            "170,000 values elsewhere",
            wrapped(&format!("[{}]", vec!["{}"; 170_000].join(",")), ""),
            large,
        ),
        ("depth 10^5", wrapped(&deep, ""), form),
        ("500,000 digits", wrapped(&"9".repeat(500_000), ""), form),
    ];
    for (name, bytes, refusal) in cases {
        let mut verifier = holding(&Publication::new(1));
        // A thief of the online key lets it name just these bytes, where it may.
        let timestamp = edit(&publication.timestamp, TIMESTAMP, |signed| {
            let entry = object(signed, &["meta", "snapshot.json"]);
            entry.insert("length".to_owned(), Value::number(bytes.len() as u64));
            let digest = patchmesh_content::id::hex(&sha256(&bytes));
            let hashes = Value::object([("sha256", Value::text(digest))]);
            entry.insert("hashes".to_owned(), hashes);
        });
        crate::kit::give(&mut verifier, &RoleName::Timestamp, &timestamp).unwrap();
        let began = std::time::Instant::now();
        let refused = verifier.admit(&RoleName::Snapshot, &bytes, NOW).err();
        let took = began.elapsed();
        println!(
            "15 giant-metadata: {name}, {} bytes: refused in {took:?}",
            bytes.len()
        );
        assert_eq!(refused, Some(refusal), "{name}");
        assert_eq!(verifier.head().snapshot, 1);
    }
}
