//! Assembling: copies with signatures in, a document that a node will take
//! out, or who is still missing.

use crate::annex::body::Annex;
use crate::annex::name::AnnexName;
use crate::author::build::{check_separated, check_statement, read};
use crate::author::draft::Draft;
use crate::author::error::{AuthorError, Missing};
use crate::delegate::{Edge, Reach, resolve};
use crate::document::{Body, Held, Root, Snapshot, Targets, Timestamp};
use crate::envelope::Envelope;
use crate::limits::Profile;
use crate::refusal::Refusal;
use crate::release::Release;
use crate::role::RoleName;
use crate::state::Verifier;
use crate::threshold::RoleKeys;
use crate::time::UtcTime;

/// The signed documents that say whose signatures a draft needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Authority<'a> {
    /// The trusted root; for a root draft, the one before it. `None` only for
    /// the very first root, which its own keys sign.
    pub root: Option<&'a [u8]>,
    /// The top targets; needed for the statement of a delegated role.
    pub targets: Option<&'a [u8]>,
    /// The newest published document of the same role, if there is one.
    pub previous: Option<&'a [u8]>,
}

/// Merges copies of one draft and checks it as a node would (T-25) (T-50).
///
/// # Errors
/// `Missing` below a threshold; `BadSignature` and `UnknownKey` name the key of
/// a signature that does no good; `LostPath` and `Refused` say what a node
/// would do.
pub fn assemble(
    copies: &[Draft],
    authority: &Authority<'_>,
    utc: UtcTime,
) -> Result<Vec<u8>, AuthorError> {
    let (first, rest) = copies
        .split_first()
        .ok_or(AuthorError::BadPlan("no copy was given"))?;
    let mut draft = first.clone();
    for copy in rest {
        draft.merge(copy)?;
    }
    check_statement(&draft)?;
    let lists = key_lists(&draft, authority)?;
    check_signatures(&draft, &lists)?;
    let bytes = draft.bytes();
    check_as_node(&draft, &bytes, authority, utc)?;
    Ok(bytes)
}

/// The key lists whose thresholds the draft must meet, with their names.
fn key_lists(
    draft: &Draft,
    authority: &Authority<'_>,
) -> Result<Vec<(String, RoleKeys)>, AuthorError> {
    let role = draft.role();
    if *role == RoleName::Root {
        let mut lists = Vec::new();
        if let Some(before) = authority.root {
            let before = trusted_root(before)?;
            lists.push((format!("root {}", before.version), before.body.root));
        } else if draft.version() != 1 {
            return Err(AuthorError::BadPlan(
                "only root version 1 has no root before it",
            ));
        }
        let own: Held<Root> = read(role, &draft.bytes())?;
        lists.push((format!("root {}", own.version), own.body.root));
        return Ok(lists);
    }
    let root = authority.root;
    let root = root.ok_or(AuthorError::BadPlan("the trusted root is not given"))?;
    let keys = trusted_root(root)?.body;
    let keys = match role {
        RoleName::Root | RoleName::Targets => keys.targets,
        RoleName::Timestamp => keys.timestamp,
        RoleName::Snapshot => keys.snapshot,
        RoleName::Line(_) | RoleName::Rollout | RoleName::Membership => {
            let targets = trusted_targets(&keys.targets, authority)?;
            let delegation = targets.body.delegation(&role.to_string());
            let delegation = delegation.ok_or(AuthorError::Refused(Refusal::NotDelegated))?;
            delegation.keys.clone()
        }
        RoleName::Delegated(_) => return Err(AuthorError::Refused(Refusal::NotDelegated)),
    };
    Ok(vec![(role.to_string(), keys)])
}

fn trusted_root(bytes: &[u8]) -> Result<Held<Root>, AuthorError> {
    Verifier::new(bytes, &[]).map_err(AuthorError::NotADocument)?;
    read(&RoleName::Root, bytes)
}

fn trusted_targets(
    keys: &RoleKeys,
    authority: &Authority<'_>,
) -> Result<Held<Targets>, AuthorError> {
    let bytes = authority.targets;
    let bytes = bytes.ok_or(AuthorError::BadPlan("the top targets are not given"))?;
    verify(&RoleName::Targets, bytes, keys).map_err(AuthorError::NotADocument)
}

fn verify<T: Body>(role: &RoleName, bytes: &[u8], keys: &RoleKeys) -> Result<Held<T>, Refusal> {
    let envelope = Envelope::open_any(Profile::Mesh, role, bytes)?;
    Held::verify(&envelope, bytes, keys)
}

fn check_signatures(draft: &Draft, lists: &[(String, RoleKeys)]) -> Result<(), AuthorError> {
    let message = draft.signing_bytes();
    for (key_id, signature) in draft.signatures() {
        let mut listed = lists.iter().flat_map(|(_, keys)| keys.keys());
        let key = listed.find(|(id, _)| *id == key_id);
        let key_id = key_id.to_owned();
        match key {
            None => return Err(AuthorError::UnknownKey { key_id }),
            Some((_, key)) if !key.verify(&message, signature) => {
                return Err(AuthorError::BadSignature { key_id });
            }
            Some(_) => {}
        }
    }
    let missing: Vec<Missing> = lists
        .iter()
        .filter_map(|(of, keys)| missing(draft, of, keys))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(AuthorError::Missing(missing))
    }
}

/// Who could still sign for a key list below its threshold; `None` if it is met.
fn missing(draft: &Draft, of: &str, keys: &RoleKeys) -> Option<Missing> {
    let has_signed = |id: &str| draft.signatures().any(|(signer, _)| signer == id);
    let (signed, missing): (Vec<_>, Vec<_>) = keys.keys().partition(|(id, _)| has_signed(id));
    let mut distinct: Vec<_> = signed.iter().map(|(_, key)| key.material()).collect();
    distinct.sort();
    distinct.dedup();
    let have = distinct.len() as u64;
    let ids = |keys: Vec<(&str, _)>| keys.iter().map(|(id, _)| (*id).to_owned()).collect();
    (have < keys.threshold()).then(|| Missing {
        of: of.to_owned(),
        have,
        threshold: keys.threshold(),
        signed: ids(signed),
        missing: ids(missing),
    })
}

/// The node's own parser and checks on the finished bytes.
fn check_as_node(
    draft: &Draft,
    bytes: &[u8],
    authority: &Authority<'_>,
    utc: UtcTime,
) -> Result<(), AuthorError> {
    let role = draft.role();
    if draft.expires() <= utc {
        return Err(AuthorError::Refused(Refusal::Expired));
    }
    if let Some(previous) = authority.previous
        && Draft::read(role, previous)?.version() >= draft.version()
    {
        return Err(AuthorError::Refused(Refusal::Rollback));
    }
    let refused = AuthorError::Refused;
    let Some(root) = authority.root else {
        Verifier::new(bytes, &[]).map_err(refused)?;
        return Ok(());
    };
    let keys = trusted_root(root)?.body;
    match role {
        RoleName::Root => {
            let verifier = Verifier::new(root, &[]).map_err(refused)?;
            verifier.admit(role, bytes, utc).map_err(refused)?;
        }
        RoleName::Timestamp => {
            let next = verify::<Timestamp>(role, bytes, &keys.timestamp).map_err(refused)?;
            if let Some(previous) = authority.previous {
                let before: Held<Timestamp> = read(role, previous)?;
                if next.body.snapshot.version < before.body.snapshot.version {
                    return Err(AuthorError::Refused(Refusal::Rollback));
                }
            }
        }
        RoleName::Snapshot => {
            let next = verify::<Snapshot>(role, bytes, &keys.snapshot).map_err(refused)?;
            if let Some(previous) = authority.previous {
                let before: Held<Snapshot> = read(role, previous)?;
                check_sinks(&before.body, &next.body)?;
            }
        }
        RoleName::Targets => {
            let held = verify::<Targets>(role, bytes, &keys.targets).map_err(refused)?;
            check_separated(&held.body)?;
        }
        RoleName::Line(_) | RoleName::Rollout | RoleName::Membership => {
            let targets = trusted_targets(&keys.targets, authority)?;
            let delegation = targets.body.delegation(&role.to_string());
            let delegation = delegation.ok_or(AuthorError::Refused(Refusal::NotDelegated))?;
            let held = verify::<Targets>(role, bytes, &delegation.keys).map_err(refused)?;
            check_paths(role, &held, &targets.body)?;
        }
        RoleName::Delegated(_) => return Err(refused(Refusal::NotDelegated)),
    }
    Ok(())
}

/// No role may vanish and none may sink (T-19).
fn check_sinks(before: &Snapshot, next: &Snapshot) -> Result<(), AuthorError> {
    let stands = before.roles.iter().all(|(role, pin)| {
        let next = next.roles.get(role);
        next.is_some_and(|next| next.version >= pin.version)
    });
    if stands {
        Ok(())
    } else {
        Err(AuthorError::Refused(Refusal::Rollback))
    }
}

fn check_paths(role: &RoleName, held: &Held<Targets>, top: &Targets) -> Result<(), AuthorError> {
    let name = role.to_string();
    for (path, target) in &held.body.targets {
        let statement = |edge: &Edge<'_>| {
            let own = edge.role == name;
            own.then_some(&held.body).ok_or(Refusal::Pending)
        };
        let resolved = resolve(path, top, Reach::of(Profile::Mesh), statement);
        let usable = match role {
            RoleName::Line(line) => Release::read(line, path, target, held.version).is_some(),
            RoleName::Root
            | RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => path.parse().is_ok_and(|annex: AnnexName| {
                annex.role() == *role && Annex::read(annex, target).is_some()
            }),
        };
        if !matches!(resolved, Ok(Some(_))) || !usable {
            return Err(AuthorError::LostPath { path: path.clone() });
        }
    }
    Ok(())
}
