//! What a node pays for metadata that it has not seen: a newer timestamp, a new
//! root, the statement of a line; beside the bare signature checks in each.

#![allow(
    clippy::unwrap_used,
    reason = "what a test kit may do, its bench may too"
)]

#[path = "../tests/attacks/kit.rs"]
#[expect(dead_code, reason = "the bench needs a part of it")]
mod kit;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use kit::{NOW, Publication, holding, line, public, root, sign, statement};
use patchmesh_trust::author::RootPlan;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::threshold::RoleKeys;

/// So many strict checks of signatures over a document of this length.
fn bare(signatures: usize, len: usize) -> impl Fn() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let bytes = vec![7; len];
    let signature: Signature = key.sign(&bytes);
    let public = key.verifying_key();
    move || {
        for _ in 0..signatures {
            public
                .verify_strict(&bytes, &signature)
                .expect("an own signature");
        }
    }
}

fn timestamp(criterion: &mut Criterion) {
    let verifier = holding(&Publication::new(1));
    let next = Publication::new(2).timestamp;
    let mut group = criterion.benchmark_group("newer timestamp");
    group.bench_function("limit: 1 signature", |b| b.iter(bare(1, next.len())));
    group.bench_function("admit", |b| {
        b.iter(|| {
            verifier
                .admit(&RoleName::Timestamp, &next, NOW)
                .expect("it is newer")
        });
    });
}

fn rotation(criterion: &mut Criterion) {
    let verifier = holding(&Publication::new(1));
    let keys = RoleKeys::new(&public(&[1, 2, 3]), 2).expect("three keys");
    let plan = RootPlan {
        root: keys,
        ..kit::root_plan(2)
    };
    let next = sign(plan.build().expect("a root"), &[1, 2]);
    let mut group = criterion.benchmark_group("next root");
    // Two of the old root, and the same two of the new one.
    group.bench_function("limit: 4 signatures", |b| b.iter(bare(4, next.len())));
    group.bench_function("admit", |b| {
        b.iter(|| {
            verifier
                .admit(&RoleName::Root, &next, NOW)
                .expect("it is next")
        });
    });
    assert_ne!(root(1), next);
}

fn release(criterion: &mut Criterion) {
    let next = Publication::of(
        2,
        Publication::new(1).targets,
        sign(statement("desktop", 2, &["A", "B"]), kit::DESKTOP),
        Publication::new(1).server,
    );
    let ready = || {
        let mut verifier = holding(&Publication::new(1));
        for (role, bytes) in [
            (RoleName::Timestamp, &next.timestamp),
            (RoleName::Snapshot, &next.snapshot),
        ] {
            let admission = verifier.admit(&role, bytes, NOW).expect("it is newer");
            verifier.apply(admission);
        }
        verifier
    };
    let mut group = criterion.benchmark_group("statement of a line");
    group.bench_function("limit: 2 signatures", |b| {
        b.iter(bare(2, next.desktop.len()));
    });
    group.bench_function("admit", |b| {
        b.iter_batched_ref(
            ready,
            |verifier| {
                verifier
                    .admit(&line("desktop"), &next.desktop, NOW)
                    .expect("it is newer")
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, timestamp, rotation, release);
criterion_main!(benches);
