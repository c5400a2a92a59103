//! What many releases cost: a network of 64 lines with three active releases
//! each, which is as many as statements of our tool hold; and one more release
//! of the 10,000 that such a network lists over the years, one after another.

#![allow(
    clippy::unwrap_used,
    reason = "what a test kit may do, its bench may too"
)]

#[path = "../tests/attacks/kit.rs"]
#[expect(dead_code, reason = "the bench needs a part of it")]
mod kit;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kit::{DESKTOP, NOW, SNAPSHOT, TARGETS, all_lines, keys, line, root, sign, statement};
use patchmesh_trust::author::{LineKeys, SnapshotPlan};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

const LINES: usize = 64;

/// Documents in the order in which a node asks for them.
type Documents = Vec<(RoleName, Vec<u8>)>;

fn name(number: usize) -> String {
    format!("product-{number:02}-linux-x86_64")
}

/// A publication in which the last line is at this version.
fn publication(version: u64) -> Documents {
    let mut plan = kit::targets_plan(1);
    plan.lines = (0..LINES)
        .map(|number| LineKeys {
            line: name(number),
            keys: keys(DESKTOP, 2),
        })
        .collect();
    let targets = sign(plan.build().unwrap(), TARGETS);
    let statements = (0..LINES).map(|number| {
        let of = if number + 1 == LINES { version } else { 1 };
        let ids = [of, of + 1, of + 2].map(|id| format!("2026-11-KB{id:07}"));
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let signed = sign(statement(&name(number), of, &ids), DESKTOP);
        (line(&name(number)), signed)
    });
    let mut all = vec![(RoleName::Targets, targets)];
    all.extend(statements);
    let snapshot = SnapshotPlan {
        version,
        expires: NOW.plus_days(7),
        documents: all
            .iter()
            .map(|(role, bytes)| (role.clone(), &bytes[..]))
            .collect(),
    };
    let snapshot = sign(snapshot.build().unwrap(), SNAPSHOT);
    let mut documents = vec![
        (RoleName::Timestamp, kit::timestamp(version, &snapshot)),
        (RoleName::Snapshot, snapshot),
    ];
    documents.extend(all);
    documents
}

fn take(verifier: &mut Verifier, documents: &[(RoleName, Vec<u8>)]) {
    for (role, bytes) in documents {
        let admission = verifier.admit(role, bytes, NOW).expect("it is signed");
        verifier.apply(admission);
    }
}

fn len(documents: &[(RoleName, Vec<u8>)]) -> u64 {
    documents.iter().map(|(_, bytes)| bytes.len() as u64).sum()
}

fn many(criterion: &mut Criterion) {
    let trusted = root(1);
    let first = publication(1);
    let next = publication(2);
    // What changes with one release: the two heads and one statement.
    let last = next.len() - 1;
    let news = [next[0].clone(), next[1].clone(), next[last].clone()];
    let mut fresh = Verifier::new(&trusted, &all_lines()).unwrap();
    take(&mut fresh, &first);
    assert_eq!(fresh.releases(NOW).len(), 3 * LINES);
    let mut group = criterion.benchmark_group("64 lines");
    group.throughput(Throughput::Bytes(len(&first) + trusted.len() as u64));
    group.bench_function(
        format!("cold start, 192 releases, {} B", len(&first)),
        |b| {
            b.iter(|| {
                let mut verifier = Verifier::new(&trusted, &all_lines()).unwrap();
                take(&mut verifier, &first);
                verifier
            });
        },
    );
    group.throughput(Throughput::Bytes(len(&news)));
    let says = format!(
        "one of 10,000 releases in turn, {} B, of them {} B its statement of three",
        len(&news),
        next[last].1.len()
    );
    group.bench_function(says, |b| {
        b.iter_batched_ref(
            || {
                let mut verifier = Verifier::new(&trusted, &all_lines()).unwrap();
                take(&mut verifier, &first);
                verifier
            },
            |verifier| take(verifier, &news),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, many);
criterion_main!(benches);
