//! What is kept as valid is accepted, and what is kept as bad is refused: else
//! the targets would run over nothing but refusals, or prove nothing.

use patchmesh_api::line::{decode_answer, decode_request};
use patchmesh_content::id::PeerId;
use patchmesh_core::journal::replay;
use patchmesh_tests::forge::{self, LINE};
use patchmesh_tests::fuzz::corpus::files;
use patchmesh_tests::fuzz::metadata::SEEDS;
use patchmesh_tests::fuzz::wire::{MESH_ID, NODE_SEED, UTC};
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::canonical::parse;
use patchmesh_trust::key::domain::Domain;
use patchmesh_trust::key::{NodeKey, PublicKey};
use patchmesh_trust::member::verify_certificate;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;
use patchmesh_trust::stop::signed::read_file;

fn check(target: &str, accepts: impl Fn(&[u8]) -> bool) {
    let files = files(target);
    assert!(!files.is_empty(), "{target} has no files");
    for (name, bytes) in files {
        assert_eq!(
            accepts(&bytes),
            !name.starts_with("bad-"),
            "{target}/{name}"
        );
    }
}

fn certificate(bytes: &[u8]) -> bool {
    let key = NodeKey::from_seed(NODE_SEED);
    let signature = key.sign(Domain::Certificate, bytes);
    let peer = PeerId(key.public());
    verify_certificate(bytes, &signature, &peer, &MESH_ID, UTC).is_ok()
}

fn text<T>(bytes: &[u8], read: impl Fn(&str) -> Option<T>) -> bool {
    str::from_utf8(bytes).ok().and_then(read).is_some()
}

#[test]
fn every_kept_input_has_the_verdict_of_its_name() {
    check("answer_line", |bytes| decode_answer(bytes).is_ok());
    check("annex", |bytes| {
        let mut names = AnnexName::ALL.into_iter();
        names.any(|name| AnnexBody::read(name, bytes).is_ok())
    });
    check("certificate", certificate);
    check("journal", |bytes| replay(bytes).is_ok());
    check("json", |bytes| parse(bytes).is_ok());
    check("path", |bytes| {
        text(bytes, |text| patchmesh_content::path::check(text).ok())
    });
    check("proof", |bytes| {
        let valid = files("root").into_iter().find(|(name, _)| name == "valid");
        Equivocation::check(&valid.unwrap().1, bytes).is_ok()
    });
    check("public_key", |bytes| PublicKey::from_json(bytes).is_ok());
    check("request", |bytes| decode_request(bytes).is_ok());
    check("stops", |bytes| {
        let known = SEEDS.map(|seed| forge::key(seed).public_key());
        let stops = read_file(bytes);
        stops.is_ok_and(|stops| {
            let mut stops = stops.iter();
            stops.all(|stop| stop.verify(&known, &MESH_ID).is_ok())
        })
    });
    check("role", |bytes| {
        text(bytes, |text| text.parse::<RoleName>().ok())
    });
}

#[test]
fn the_kept_documents_verify_one_after_the_other() {
    let valid = |target: &str| {
        let files = files(target);
        let found = files.into_iter().find(|(name, _)| name == "valid");
        found.unwrap().1
    };
    let mut verifier = Verifier::new(&valid("root"), &[LINE.to_owned()]).unwrap();
    let line = RoleName::Line(LINE.to_owned());
    let roles = [
        ("timestamp", RoleName::Timestamp),
        ("snapshot", RoleName::Snapshot),
        ("targets", RoleName::Targets),
        ("line", line),
    ];
    for (target, role) in roles {
        for (name, bytes) in files(target) {
            let admitted = verifier.admit(&role, &bytes, UTC);
            assert_eq!(admitted.is_ok(), name == "valid", "{target}/{name}");
        }
        let admission = verifier.admit(&role, &valid(target), UTC).unwrap();
        verifier.apply(admission);
    }
    assert_eq!(verifier.releases(UTC).len(), 1);
}
