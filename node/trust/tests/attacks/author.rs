//! The signing side: who is missing, what cannot be signed, and that whatever
//! is assembled a node takes. T-01, T-25, T-50.

use patchmesh_trust::author::{
    AuthorError, Authority, Draft, LinePlan, RootPlan, TargetsPlan, assemble,
};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::kit::{
    DESKTOP, NOW, Publication, ROOT, SNAPSHOT, TARGETS, edit, give, holding, key, keys, line,
    listed, object, release, root, root_plan, sign, statement, targets_plan,
};

/// A copy of the draft with one signature.
fn copy(draft: &Draft, seed: u8) -> Draft {
    let mut copy = Draft::read(draft.role(), &draft.bytes()).unwrap();
    let key = key(seed);
    let signature = key.sign(&copy.signing_bytes());
    copy.add_signature(&key.public_key().key_id(), &signature)
        .unwrap();
    copy
}

#[test]
fn signatures_come_together_in_any_order_and_the_missing_are_named() {
    let draft = statement("desktop", 2, &["KB-2"]);
    let (root, published) = (root(1), Publication::new(1));
    let authority = Authority {
        root: Some(&root),
        targets: Some(&published.targets),
        previous: Some(&published.desktop),
    };
    let one = copy(&draft, 31);
    let Err(AuthorError::Missing(missing)) = assemble(&[draft.clone(), one], &authority, NOW)
    else {
        panic!("one of two signatures is not enough");
    };
    let [missing] = &missing[..] else {
        panic!("{missing:?}");
    };
    assert_eq!((missing.have, missing.threshold), (1, 2));
    assert_eq!(missing.of, "release/desktop");
    assert_eq!(missing.signed, [key(31).public_key().key_id()]);
    assert_eq!(missing.missing, [key(30).public_key().key_id()]);
    assert!(missing.to_string().contains("1 of 2"));

    let a = assemble(&[copy(&draft, 30), copy(&draft, 31)], &authority, NOW).unwrap();
    let b = assemble(
        &[copy(&draft, 31), draft.clone(), copy(&draft, 30)],
        &authority,
        NOW,
    );
    assert_eq!(Ok(&a), b.as_ref());
    let newer = Publication::of(2, published.targets.clone(), a, published.server.clone());
    let mut verifier = holding(&published);
    for (role, bytes) in newer.documents() {
        give(&mut verifier, &role, &bytes).unwrap();
    }
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

#[test]
fn worthless_signatures_and_other_copies_are_named() {
    let draft = statement("desktop", 1, &["KB-1"]);
    let (root, published) = (root(1), Publication::new(1));
    let authority = Authority {
        root: Some(&root),
        targets: Some(&published.targets),
        previous: None,
    };
    let id = |seed: u8| key(seed).public_key().key_id();
    let stranger = assemble(&[copy(&draft, 99)], &authority, NOW);
    assert_eq!(stranger, Err(AuthorError::UnknownKey { key_id: id(99) }));
    let mut bad = draft.clone();
    bad.add_signature(&id(30), &[0; 64]).unwrap();
    let bad = assemble(&[bad], &authority, NOW);
    assert_eq!(bad, Err(AuthorError::BadSignature { key_id: id(30) }));
    let other = copy(&statement("desktop", 1, &["KB-9"]), 31);
    let mixed = assemble(&[copy(&draft, 30), other], &authority, NOW);
    assert_eq!(mixed, Err(AuthorError::OtherStatement));
    assert!(matches!(
        assemble(&[], &authority, NOW),
        Err(AuthorError::BadPlan(_))
    ));
}

#[test]
fn a_node_would_refuse_it_and_so_does_the_tool() {
    let (root, published) = (root(1), Publication::new(2));
    let authority = Authority {
        root: Some(&root),
        targets: Some(&published.targets),
        previous: Some(&published.desktop),
    };
    let both = |draft: &Draft| [copy(draft, 30), copy(draft, 31)];
    for version in [1, 2] {
        let old = statement("desktop", version, &["KB-1"]);
        let verdict = assemble(&both(&old), &authority, NOW);
        assert_eq!(verdict, Err(AuthorError::Refused(Refusal::Rollback)));
    }
    let draft = statement("desktop", 3, &["KB-3"]);
    let verdict = assemble(&both(&draft), &authority, NOW.plus_days(91));
    assert_eq!(verdict, Err(AuthorError::Refused(Refusal::Expired)));
    let undelegated = statement("mobile", 1, &["KB-1"]);
    let verdict = assemble(&both(&undelegated), &authority, NOW);
    assert_eq!(verdict, Err(AuthorError::Refused(Refusal::NotDelegated)));
    // A statement made by another tool, with a path that a node leaves out.
    let odd = edit(&sign(draft, &[]), DESKTOP, |signed| {
        let targets = object(signed, &["targets"]);
        let entry = targets["release/desktop/KB-3"].clone();
        targets.insert("release/server/KB-3".to_owned(), entry);
    });
    let odd = Draft::read(&line("desktop"), &odd).unwrap();
    let path = "release/server/KB-3".to_owned();
    let verdict = assemble(&[odd], &authority, NOW);
    assert_eq!(verdict, Err(AuthorError::LostPath { path }));
}

/// The online roles pass the same gate: nothing vanishes, nothing sinks.
#[test]
fn a_snapshot_that_nodes_would_refuse_is_not_assembled() {
    let (root, before) = (root(1), Publication::new(2));
    let of = |role: RoleName, bytes: &[u8], previous: &[u8]| {
        let authority = Authority {
            root: Some(&root),
            targets: None,
            previous: Some(previous),
        };
        let draft = Draft::read(&role, bytes).unwrap();
        assemble(&[draft], &authority, NOW).map(|assembled| assert_eq!(assembled, bytes))
    };
    let next = Publication::new(3);
    assert_eq!(
        of(RoleName::Snapshot, &next.snapshot, &before.snapshot),
        Ok(())
    );
    assert_eq!(
        of(RoleName::Timestamp, &next.timestamp, &before.timestamp),
        Ok(())
    );
    let vanished = edit(&next.snapshot, SNAPSHOT, |signed| {
        object(signed, &["meta"]).remove("release/server.json");
    });
    let older = Publication::new(1);
    let sunk = Publication::of(
        3,
        before.targets.clone(),
        older.desktop,
        before.server.clone(),
    );
    let rollback = Err(AuthorError::Refused(Refusal::Rollback));
    for snapshot in [vanished, sunk.snapshot] {
        assert_eq!(
            of(RoleName::Snapshot, &snapshot, &before.snapshot),
            rollback
        );
    }
    let back = crate::kit::timestamp(3, &older.snapshot);
    assert_eq!(of(RoleName::Timestamp, &back, &before.timestamp), rollback);
}

/// T-01: three active releases pass, four do not, and no flag lifts it.
#[test]
fn statement_too_large_names_the_byte_count() {
    let plan = |count: usize| LinePlan {
        line: "desktop".to_owned(),
        version: 1,
        expires: NOW.plus_days(90),
        releases: (0..count)
            .map(|n| release(&format!("KB-2026-{n:02}")))
            .collect(),
    };
    let three = plan(3).build().unwrap();
    assert!(three.signing_bytes().len() <= 1024);
    let Err(AuthorError::StatementTooLarge { bytes }) = plan(4).build() else {
        panic!("four releases exceed the limit");
    };
    assert!(bytes > 1024, "{bytes}");
    // Nor does a draft that another tool built get through.
    let mut extra = plan(3);
    for entry in &mut extra.releases {
        entry.severity = "x".repeat(200);
    }
    let Err(AuthorError::StatementTooLarge { bytes }) = extra.build() else {
        panic!("a long severity exceeds the limit");
    };
    assert!(bytes > 1024, "{bytes}");
}

#[test]
fn a_root_rotation_asks_both_lists() {
    let before = root(1);
    let mut plan = root_plan(2);
    plan.root = keys(&[4, 5], 2);
    let draft = plan.build().unwrap();
    let authority = Authority {
        root: Some(&before),
        ..Authority::default()
    };
    let of = |seeds: &[u8]| {
        let copies: Vec<_> = seeds.iter().map(|&seed| copy(&draft, seed)).collect();
        assemble(&copies, &authority, NOW)
    };
    let missing = |verdict| match verdict {
        Err(AuthorError::Missing(missing)) => {
            let of: Vec<String> = missing.into_iter().map(|list| list.of).collect();
            of.join(", ")
        }
        other => panic!("not missing: {other:?}"),
    };
    assert_eq!(missing(of(&[1, 4, 5])), "root 1");
    assert_eq!(missing(of(&[1, 2, 4])), "root 2");
    assert_eq!(missing(of(&[1, 4])), "root 1, root 2");
    let bytes = of(&[1, 2, 4, 5]).unwrap();
    let mut verifier = holding(&Publication::new(1));
    give(&mut verifier, &RoleName::Root, &bytes).unwrap();
    // The very first root has none before it; no other may do without.
    let first = root_plan(1).build().unwrap();
    let alone = Authority::default();
    let copies = [copy(&first, 1), copy(&first, 2)];
    assert_eq!(assemble(&copies, &alone, NOW), Ok(sign(first, &ROOT[..2])));
    let verdict = assemble(&[copy(&draft, 1)], &alone, NOW);
    assert!(matches!(verdict, Err(AuthorError::BadPlan(_))));
}

#[test]
fn plans_read_back_from_their_documents() {
    let plan = root_plan(3);
    assert_eq!(RootPlan::read(&sign(plan.build().unwrap(), ROOT)), Ok(plan));
    let plan = targets_plan(3);
    assert_eq!(
        TargetsPlan::read(&sign(plan.build().unwrap(), TARGETS)),
        Ok(plan)
    );
    let plan = LinePlan {
        line: "desktop".to_owned(),
        version: 3,
        expires: NOW.plus_days(90),
        releases: vec![release("KB-1"), release("KB-2")],
    };
    let draft = plan.build().unwrap();
    assert_eq!(draft.version(), 3);
    assert_eq!(draft.expires(), NOW.plus_days(90));
    assert_eq!(LinePlan::read("desktop", &draft.bytes()), Ok(plan));
}

#[test]
fn plans_that_no_document_can_state_are_refused() {
    let mut plan = root_plan(0);
    assert!(matches!(plan.build(), Err(AuthorError::BadPlan(_))));
    plan.version = u64::MAX;
    assert!(matches!(plan.build(), Err(AuthorError::BadPlan(_))));
    let mut targets = targets_plan(1);
    targets.lines[1].line = "desktop".to_owned();
    assert!(targets.build().is_err());
    targets.lines[1].line = "Desktop".to_owned();
    assert!(targets.build().is_err());
    for ids in [&["a/b"][..], &["KB-1", "KB-1"], &[""], &["../x"]] {
        let plan = LinePlan {
            line: "desktop".to_owned(),
            version: 1,
            expires: NOW,
            releases: ids.iter().map(|id| release(id)).collect(),
        };
        assert!(
            matches!(plan.build(), Err(AuthorError::BadPlan(_))),
            "{ids:?}"
        );
    }
}
