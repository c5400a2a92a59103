//! Roles of two parties: rollout and membership beside the release lines.

use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::author::{
    AnnexPlan, AuthorError, Authority, Draft, LineKeys, SnapshotPlan, assemble,
};
use patchmesh_trust::canonical::Value;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::kit::{
    DESKTOP, NOW, SNAPSHOT, TARGETS, edit, give, keys, line, listed, root, sign, statement,
    targets_plan, timestamp,
};

const OPERATIONS: &[u8] = &[50, 51];
const MEMBERSHIP: &[u8] = &[60, 61];

fn annexes(role: &RoleName, version: u64) -> Draft {
    let annexes = AnnexName::of(role).map(|name| Annex::of(name, name.path().as_bytes()));
    let plan = AnnexPlan {
        role: role.clone(),
        version,
        expires: NOW.plus_days(30),
        annexes: annexes.collect(),
    };
    plan.build().unwrap()
}

fn targets() -> Vec<u8> {
    let mut plan = targets_plan(1);
    plan.rollout = Some(keys(OPERATIONS, 2));
    plan.membership = Some(keys(MEMBERSHIP, 2));
    sign(plan.build().unwrap(), TARGETS)
}

/// A node that loads no line and was given these documents.
fn holding(targets: &[u8], documents: &[(RoleName, Vec<u8>)]) -> Verifier {
    let listed = documents
        .iter()
        .map(|(role, bytes)| (role.clone(), &**bytes));
    let plan = SnapshotPlan {
        version: 1,
        expires: NOW.plus_days(7),
        documents: [(RoleName::Targets, targets)]
            .into_iter()
            .chain(listed)
            .collect(),
    };
    let snapshot = sign(plan.build().unwrap(), SNAPSHOT);
    let mut verifier = Verifier::new(&root(1), &["desktop".to_owned()]).unwrap();
    let top = [
        (RoleName::Timestamp, timestamp(1, &snapshot)),
        (RoleName::Snapshot, snapshot),
        (RoleName::Targets, targets.to_vec()),
    ];
    for (role, bytes) in &top {
        assert_eq!(give(&mut verifier, role, bytes), Ok(()), "{role}");
    }
    verifier
}

/// T-24: what every node needs besides its lines.
#[test]
fn every_node_loads_rollout_and_membership_and_no_other_line() {
    let documents = [
        (
            RoleName::Rollout,
            sign(annexes(&RoleName::Rollout, 1), OPERATIONS),
        ),
        (
            RoleName::Membership,
            sign(annexes(&RoleName::Membership, 1), MEMBERSHIP),
        ),
        (
            line("server"),
            sign(statement("server", 1, &["S-1"]), crate::kit::SERVER),
        ),
    ];
    let mut verifier = holding(&targets(), &documents);
    let wants: Vec<_> = verifier.wants().into_iter().map(|want| want.role).collect();
    assert_eq!(wants, [RoleName::Rollout, RoleName::Membership]);
    assert_eq!(verifier.annexes(NOW), []);
    for (role, bytes) in &documents[..2] {
        assert_eq!(give(&mut verifier, role, bytes), Ok(()), "{role}");
    }
    let named: Vec<_> = verifier
        .annexes(NOW)
        .iter()
        .map(|annex| annex.name)
        .collect();
    assert_eq!(named, AnnexName::ALL);
    assert_eq!(verifier.annexes(NOW.plus_days(31)), [], "expired");
    assert_eq!(verifier.lines_not_separated(), Vec::<String>::new());
}

/// One side's keys sign nothing of the other's, and a line that lists the
/// policy is not heard.
#[test]
fn attack_stolen_line_says_nothing_of_the_rollout() {
    let forged = edit(
        &sign(statement("desktop", 1, &["KB-1"]), DESKTOP),
        DESKTOP,
        |signed| {
            let annex = annexes(&RoleName::Rollout, 1);
            let policy = annex.signed()["targets"].as_object().unwrap()["rollout/policy"].clone();
            let Some(Value::Object(targets)) = signed.get_mut("targets") else {
                panic!("targets");
            };
            targets.insert("rollout/policy".to_owned(), policy);
        },
    );
    let by_line = sign(annexes(&RoleName::Rollout, 1), DESKTOP);
    let documents = [(line("desktop"), forged), (RoleName::Rollout, by_line)];
    let mut verifier = holding(&targets(), &documents);
    assert_eq!(
        give(&mut verifier, &documents[0].0, &documents[0].1),
        Ok(())
    );
    let refused = give(&mut verifier, &documents[1].0, &documents[1].1);
    assert_eq!(refused, Err(Refusal::UnknownKey));
    assert_eq!(verifier.annexes(NOW), []);
    assert_eq!(listed(&verifier), ["desktop/KB-1"]);
}

/// T-12: the tool makes and assembles no such targets, and a node that is given
/// them by another tool says so.
#[test]
fn attack_shared_role_key_is_named_and_never_written() {
    let mut plan = targets_plan(1);
    plan.rollout = Some(keys(&[50, DESKTOP[1]], 2));
    let shared = AuthorError::NotSeparated {
        line: "desktop".to_owned(),
    };
    assert_eq!(plan.build(), Err(shared.clone()));
    assert_eq!(plan.check_separated(), Err(shared.clone()));
    // Another tool writes them: the line gets a key of operations.
    let other = edit(&targets(), TARGETS, |signed| {
        let mut mixed = targets_plan(1);
        mixed.lines = vec![LineKeys {
            line: "desktop".to_owned(),
            keys: keys(&[30, OPERATIONS[0]], 2),
        }];
        let mixed = mixed.build().unwrap();
        let lines = mixed.signed()["delegations"].as_object().unwrap();
        let Some(Value::Object(delegations)) = signed.get_mut("delegations") else {
            panic!("delegations");
        };
        let Some(Value::List(roles)) = delegations.get_mut("roles") else {
            panic!("roles");
        };
        roles[0] = lines["roles"].as_list().unwrap()[0].clone();
    });
    let unsigned = Draft::read(&RoleName::Targets, &other).unwrap();
    let root = root(1);
    let authority = Authority {
        root: Some(&root),
        ..Authority::default()
    };
    assert_eq!(assemble(&[unsigned], &authority, NOW), Err(shared));
    let verifier = holding(&other, &[]);
    assert_eq!(verifier.lines_not_separated(), ["desktop"]);
}

/// T-01 holds for every delegated role, and what is assembled is what a node
/// takes.
#[test]
fn statements_of_rollout_are_assembled_as_a_node_takes_them() {
    let (root, targets) = (root(1), targets());
    let authority = Authority {
        root: Some(&root),
        targets: Some(&targets),
        previous: None,
    };
    let signed = Draft::read(
        &RoleName::Rollout,
        &sign(annexes(&RoleName::Rollout, 1), OPERATIONS),
    );
    assert!(assemble(&[signed.unwrap()], &authority, NOW).is_ok());
    let one = Draft::read(
        &RoleName::Rollout,
        &sign(annexes(&RoleName::Rollout, 1), &OPERATIONS[..1]),
    );
    let missing = assemble(&[one.unwrap()], &authority, NOW);
    assert!(matches!(missing, Err(AuthorError::Missing(_))));
    let long = edit(
        &sign(annexes(&RoleName::Rollout, 1), OPERATIONS),
        OPERATIONS,
        |signed| drop(signed.insert("note".to_owned(), Value::text("x".repeat(1_024)))),
    );
    let long = Draft::read(&RoleName::Rollout, &long).unwrap();
    let refused = assemble(&[long], &authority, NOW);
    assert!(matches!(
        refused,
        Err(AuthorError::StatementTooLarge { .. })
    ));
}
