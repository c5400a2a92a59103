//! Signed documents with the verdict that each must get: `proto/vectors/metadata.json`,
//! for whoever writes another verifier. The file is what these cases make, and
//! the verdicts are checked from the file alone.
#![allow(
    clippy::unwrap_used,
    reason = "the lint spares test functions only, not their helpers"
)]

#[path = "../attacks/kit.rs"]
#[expect(dead_code, reason = "the vectors need a part of it")]
mod kit;

mod cases;
mod file;

use crate::cases::all;
use crate::file::{PATH, read, write};

#[test]
fn the_file_is_what_the_cases_make() {
    let made = write(&all());
    // Signatures of Ed25519 are the same each time.
    if std::env::var_os("PATCHMESH_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, &made).unwrap();
    }
    let stored = std::fs::read_to_string(PATH).unwrap();
    assert!(stored == made, "run it with PATCHMESH_WRITE_VECTORS=1");
}

#[test]
fn every_document_gets_the_verdict_of_the_file() {
    let file = read(&std::fs::read_to_string(PATH).unwrap());
    assert!(file.cases.len() >= 60, "{} cases", file.cases.len());
    let wrong = file.cases.iter().map(|case| file.wrong(case));
    let wrong: Vec<_> = wrong.filter(|wrong| !wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
