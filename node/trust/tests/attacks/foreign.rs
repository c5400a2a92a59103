//! Documents of another implementation: the folder `foreign` was written by
//! python-tuf 7.0.1, with Ed25519 and P-256 keys, a root rotation, indented,
//! and with a comment of other letters. T-59.

use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{TrustState, Verifier};

use crate::kit::{NOW, all_lines, give, line, listed};

#[test]
fn documents_of_python_tuf_verify() {
    let anchor = include_bytes!("../foreign/1.root.json");
    let mut verifier = Verifier::new(anchor, &all_lines()).unwrap();
    let documents: [(RoleName, &[u8]); 5] = [
        (RoleName::Root, include_bytes!("../foreign/2.root.json")),
        (
            RoleName::Timestamp,
            include_bytes!("../foreign/timestamp.json"),
        ),
        (
            RoleName::Snapshot,
            include_bytes!("../foreign/1.snapshot.json"),
        ),
        (
            RoleName::Targets,
            include_bytes!("../foreign/1.targets.json"),
        ),
        (
            line("desktop"),
            include_bytes!("../foreign/1.release%2Fdesktop.json"),
        ),
    ];
    for (role, bytes) in &documents {
        assert_eq!(give(&mut verifier, role, bytes), Ok(()), "{role}");
    }
    assert_eq!(verifier.state(NOW), TrustState::Current);
    assert_eq!(verifier.head().root, 2);
    assert_eq!(listed(&verifier), ["desktop/KB-1"]);
}
