//! One text, two readings; one signature, two places.

use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, address, refusals};
use patchmesh_tests::forge::{LINE, ONLINE, key};
use patchmesh_tests::gossip::Pourer;
use patchmesh_tests::hostile::{Guise, certificate};
use patchmesh_tests::raw::{End, connect, hello_of, instead_of_hello};
use patchmesh_tests::text::{part, signed, signed_as};
use patchmesh_tests::until::until;
use patchmesh_tests::web::Web;
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::support::{SOON, claiming, head, member, offer};

/// T-06 to T-08, T-14: every text is signed as it stands by the online key; the
/// node that hears it from a peer, the one that hears it as gossip and the one
/// that fetches it over HTTP say the same.
#[test]
fn attack_16_parser_differential() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let evil = bench.forge.stolen(&bench.path("evil"));
    let web = Web::serve(&evil.repository);
    bench.add_of_web(&web, None);
    let documents = evil.documents(9, &[1, 2], ONLINE);
    let text = part(&RoleName::Timestamp, &documents.timestamp);
    let mut all = Vec::new();
    for (number, (name, signed_part)) in (0..).zip(ambiguous(&text)) {
        let timestamp = signed(&signed_part, &[ONLINE]);
        evil.write(&metadata_path(&RoleName::Timestamp, 0), &timestamp);
        let count = |node: &Daemon, what| refusals(node, what, "Malformed");
        // It looks at its origin at once when it starts; one that gave it what
        // is false is passed over for a while.
        bench.endpoints[1].kill().unwrap();
        bench.restart(1);
        let (node, other) = (&bench.endpoints[0], &bench.endpoints[1]);
        let gossip = count(node, "gossip");
        let guise = claiming(&bench, 180 + number, 9);
        let offered = offer(node, &guise, &evil.repository, "timestamp");
        assert_eq!(offered.code, "Malformed", "{name}, of a peer");
        let mut attacker = Pourer::enter(node, &member(&bench, 210 + number));
        let frames = [attacker.timestamp(1, &timestamp)];
        attacker.pour(&frames, SOON).expect("it is taken");
        attacker.until(&format!("{name} is refused as gossip"), SOON, || {
            (count(node, "gossip") > gossip).then_some(())
        });
        until(&format!("{name} is refused over HTTP"), SOON, || {
            (count(other, "timestamp") > 0).then_some(())
        });
        all.push(name);
    }
    // White space and the spelling of letters outside the signed meaning are
    // no difference.
    let spelled = String::from_utf8(documents.timestamp.clone()).unwrap();
    let spelled = spelled
        .replacen("timestamp", "\\u0074imestamp", 1)
        .replacen(',', " ,\n", 1);
    evil.place(&documents, 9);
    evil.write(&metadata_path(&RoleName::Timestamp, 0), spelled.as_bytes());
    bench.endpoints[1].kill().unwrap();
    bench.restart(1);
    let (node, other) = (&bench.endpoints[0], &bench.endpoints[1]);
    let mut honest = Pourer::enter(node, &member(&bench, 240));
    let frames = [honest.timestamp(1, spelled.as_bytes())];
    honest.pour(&frames, SOON).expect("it is taken");
    honest.until("another spelling is taken as gossip", SOON, || {
        (head(node) == 9).then_some(())
    });
    until("another spelling is taken over HTTP", SOON, || {
        (head(other) == 9).then_some(())
    });
    println!(
        "16 parser-differential: {} texts Malformed on 3 ways ({}), another spelling taken on 2",
        all.len(),
        all.join(", ")
    );
}

fn ambiguous(text: &str) -> Vec<(&'static str, String)> {
    let with = |member: &str| format!("{{{member},{}", &text[1..]);
    vec![
        ("duplicate key", with(r#""version":1"#)),
        ("duplicate key, escaped", with(r#""\u0076ersion":1"#)),
        ("fraction", with(r#""zz":1.0"#)),
        ("exponent", with(r#""zz":1e2"#)),
        ("minus zero", with(r#""zz":-0"#)),
        ("above 64 bits", with(r#""zz":9223372036854775808"#)),
        ("lone surrogate", with(r#""zz":"\ud800""#)),
        ("raw zero", with("\"zz\":\"\0\"")),
    ]
}

/// What is signed of a payload of a type, by the text of the DSSE protocol.
fn dsse(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// M-01: a signature counts in its own place only.
#[test]
fn attack_37_cross_signature() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let node = &bench.endpoints[0];
    let to = address(node);
    let guise: Guise = member(&bench, 190);
    let (payload, genuine) = certificate(&guise);
    let types = [
        "patchmesh/token/v1",
        "patchmesh/join/v1",
        "patchmesh/stop/v1",
        "patchmesh/cert/v2",
        "",
    ];
    let mut signatures: Vec<_> = types
        .iter()
        .map(|kind| key(guise.seed).sign(&dsse(kind, &payload)))
        .collect();
    signatures.push(key(guise.seed).sign(&payload));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let refused = || refusals(node, "hello", "BadCertificate");
    for (number, signature) in signatures.iter().enumerate() {
        let before = refused();
        let hello = hello_of(&payload, signature);
        let end = runtime.block_on(async {
            let mut link = connect(guise.seed, &to).await;
            instead_of_hello(&mut link, &hello).await
        });
        assert_eq!(end, End::Closed, "signature {number}");
        assert!(refused() > before, "signature {number}");
    }
    // The same key, the same text, signed for another place.
    let evil = bench.forge.stolen(&bench.path("evil"));
    let text = part(
        &RoleName::Timestamp,
        &evil.documents(9, &[1, 2], ONLINE).timestamp,
    );
    let foreign = key(ONLINE).sign(&dsse("patchmesh/cert/v1", text.as_bytes()));
    let timestamp = signed_as(&text, &[(ONLINE, foreign)]);
    evil.write(&metadata_path(&RoleName::Timestamp, 0), &timestamp);
    let offered = offer(
        node,
        &claiming(&bench, 191, 9),
        &evil.repository,
        "timestamp",
    );
    assert_eq!(offered.code, "BadSignature");
    // A signature over a certificate does not sign metadata either.
    let borrowed = signed_as(&text, &[(ONLINE, genuine)]);
    evil.write(&metadata_path(&RoleName::Timestamp, 0), &borrowed);
    let offered = offer(
        node,
        &claiming(&bench, 192, 9),
        &evil.repository,
        "timestamp",
    );
    assert_eq!(offered.code, "BadSignature");
    println!(
        "37 cross-signature: {} of {} certificates and 2 of 2 timestamps refused",
        signatures.len(),
        signatures.len()
    );
    assert_eq!(head(node), 0);
}
