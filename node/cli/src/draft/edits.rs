//! Changes of key lists: further keys, keys taken away, other thresholds.

use std::path::Path;

use patchmesh_trust::author::{RootPlan, TargetsPlan};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::threshold::RoleKeys;

use crate::draft::names::Names;
use crate::failure::Failure;
use crate::keys::public::NamedKey;
use crate::text::safe;

/// A change of one role's key list.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// A further key.
    Add(PublicKey),
    /// A key of this id goes.
    Remove(String),
    /// How many must sign.
    Threshold(u32),
}

/// A list of keys that were given one by one.
pub(crate) fn all(keys: &[PublicKey], threshold: u32) -> Result<RoleKeys, Failure> {
    RoleKeys::new(keys, threshold).map_err(|_| {
        Failure::usage("the same public key was given twice, or too few for the threshold")
    })
}

/// Applies changes, in their order but the threshold last, so that a key may
/// go before another comes.
pub(crate) fn apply(role: &str, keys: &RoleKeys, edits: &[Edit]) -> anyhow::Result<RoleKeys> {
    let mut list: Vec<PublicKey> = keys.keys().map(|(_, key)| key.clone()).collect();
    let mut threshold = u32::try_from(keys.threshold()).unwrap_or(u32::MAX);
    for edit in edits {
        match edit {
            Edit::Add(key) if list.contains(key) => {
                return Err(Failure::usage(format!("{role} lists this key already")).into());
            }
            Edit::Add(key) => list.push(key.clone()),
            Edit::Remove(id) => list.retain(|key| key.key_id() != *id),
            Edit::Threshold(count) => threshold = *count,
        }
    }
    RoleKeys::new(&list, threshold).map_err(|_| {
        let message = format!(
            "{threshold} of {} keys is not possible for {role}",
            list.len()
        );
        let hint = "1 <= threshold <= number of keys <= 32";
        Failure::usage(message).hint(hint).into()
    })
}

/// The id of the one key that a person means: by its name, or by the first
/// digits of its id.
pub(crate) fn find(text: &str, keys: &RoleKeys, names: &Names) -> anyhow::Result<Option<String>> {
    const DIGITS_MIN: usize = 8;
    let by_id = |id: &str| text.len() >= DIGITS_MIN && id.starts_with(text);
    let ids = keys.keys().map(|(id, _)| id);
    let found: Vec<&str> = ids.filter(|id| names.is(id, text) || by_id(id)).collect();
    match found[..] {
        [] => Ok(None),
        [id] => Ok(Some(id.to_owned())),
        [..] => {
            let message = format!("{} is the name of several keys", safe(text));
            let hint = "give the first eight digits of the key's id";
            Err(Failure::usage(message).hint(hint).into())
        }
    }
}

/// Nobody has a key that is meant.
pub(crate) fn no_key(text: &str, of: &str) -> Failure {
    let failure = Failure::usage(format!("{of} lists no key {}", safe(text)));
    failure.hint("the name, or eight digits of the id; see `patchmesh root show`")
}

/// Reads the public half of a key and takes up its name.
pub(crate) fn public(path: &Path, names: &mut Names) -> anyhow::Result<PublicKey> {
    let NamedKey { name, key } = NamedKey::read(path)?;
    names.insert(&key.key_id(), &name);
    Ok(key)
}

/// Refuses an online key that people sign with too: whoever breaks into the
/// origin would hold a vote on what is released.
pub(crate) fn refuse_mixed(root: &RootPlan, targets: Option<&TargetsPlan>) -> anyhow::Result<()> {
    let delegated = targets.into_iter().flat_map(TargetsPlan::delegated);
    let delegated = delegated.map(|(role, keys)| (role.to_string(), keys));
    let people = [
        ("root".to_owned(), &root.root),
        ("targets".to_owned(), &root.targets),
    ];
    let online: Vec<&PublicKey> = [&root.snapshot, &root.timestamp]
        .into_iter()
        .flat_map(|keys| keys.keys().map(|(_, key)| key))
        .collect();
    for (role, keys) in people.into_iter().chain(delegated) {
        if let Some((id, _)) = keys.keys().find(|(_, key)| online.contains(key)) {
            let message = format!("key {id} would sign {role} and be an online key");
            let failure = Failure::usage(message);
            let hint = "snapshot and timestamp have keys of their own";
            return Err(failure.hint(hint).into());
        }
    }
    Ok(())
}
