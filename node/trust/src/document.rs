//! What the four kinds of documents say, read after their signatures held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::unhex32;

use crate::canonical::{Object, Value};
use crate::document::bins::Bins;
use crate::document::fields::{check_name, is_top, object, optional, text};
use crate::document::hashes::Hashes;
use crate::document::scope::Scope;
use crate::envelope::{Envelope, natural, positive};
use crate::key::{Material, sha256};
use crate::limits::{DELEGATIONS_MAX, LOG_LEAVES_MAX, Profile};
use crate::log::head::LogHead;
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::threshold::{RoleKeys, read_keys};
use crate::time::UtcTime;

pub(crate) mod bins;
pub(crate) mod fields;
pub(crate) mod hashes;
pub(crate) mod scope;

/// A verified document: its bytes as received, and what they say.
#[derive(Debug, Clone)]
pub(crate) struct Held<T> {
    pub(crate) bytes: Arc<[u8]>,
    /// SHA-256 of the bytes, by which others pin it.
    pub(crate) sha256: [u8; 32],
    /// SHA-256 of the signed part.
    pub(crate) digest: [u8; 32],
    pub(crate) version: u64,
    pub(crate) expires: UtcTime,
    pub(crate) signers: BTreeSet<Material>,
    pub(crate) body: T,
}

/// What one kind of document says beside version and expiry.
pub(crate) trait Body: Sized {
    fn read(profile: Profile, signed: &Object) -> Result<Self, Refusal>;
}

impl<T: Body> Held<T> {
    /// Checks the signatures against these keys, then reads the signed part.
    pub(crate) fn verify(
        envelope: &Envelope,
        bytes: &[u8],
        keys: &RoleKeys,
    ) -> Result<Self, Refusal> {
        let signers = keys.check(envelope)?;
        Self::read(envelope, bytes, signers)
    }

    /// Reads a document that is signed by keys which it lists itself.
    pub(crate) fn read(
        envelope: &Envelope,
        bytes: &[u8],
        signers: BTreeSet<Material>,
    ) -> Result<Self, Refusal> {
        let signed = envelope.signed();
        let spec = text(signed.get("spec_version"))?;
        if !spec.starts_with("1.") {
            return Err(Refusal::Malformed);
        }
        let expires = text(signed.get("expires"))?;
        Ok(Self {
            bytes: bytes.into(),
            sha256: sha256(bytes),
            digest: envelope.digest(),
            version: envelope.version(),
            expires: UtcTime::parse(expires).ok_or(Refusal::Malformed)?,
            signers,
            body: T::read(envelope.profile(), signed)?,
        })
    }
}

impl<T> Held<T> {
    /// An expiry is the first second at which a document is no longer good.
    pub(crate) fn is_expired(&self, utc: UtcTime) -> bool {
        self.expires <= utc
    }
}

/// Keys of the four top roles.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_field_names,
    reason = "the root document lists a role of its own name"
)]
pub(crate) struct Root {
    pub(crate) root: RoleKeys,
    pub(crate) timestamp: RoleKeys,
    pub(crate) snapshot: RoleKeys,
    pub(crate) targets: RoleKeys,
    /// Whether file names carry versions and hashes.
    pub(crate) consistent_snapshot: bool,
}

impl Body for Root {
    fn read(profile: Profile, signed: &Object) -> Result<Self, Refusal> {
        let keys = read_keys(profile, signed.get("keys"))?;
        let roles = object(signed.get("roles"))?;
        let role = |name: &str| RoleKeys::read(profile, object(roles.get(name))?, &keys);
        let consistent = optional(signed.get("consistent_snapshot"), |value| {
            value.as_bool().ok_or(Refusal::Malformed)
        })?;
        Ok(Self {
            consistent_snapshot: consistent.unwrap_or(false),
            root: role("root")?,
            timestamp: role("timestamp")?,
            snapshot: role("snapshot")?,
            targets: role("targets")?,
        })
    }
}

/// What one document says of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) version: u64,
    pub(crate) len: Option<u64>,
    pub(crate) hashes: Option<Hashes>,
}

impl Pin {
    fn read(profile: Profile, value: &Value) -> Result<Self, Refusal> {
        let pin = object(Some(value))?;
        Ok(Self {
            version: positive(pin.get("version"))?,
            len: optional(pin.get("length"), |value| natural(Some(value)))?,
            hashes: optional(pin.get("hashes"), |value| Hashes::read(profile, value))?,
        })
    }

    /// Whether this document is the pinned one.
    pub(crate) fn fits<T>(&self, held: &Held<T>) -> bool {
        let len = held.bytes.len() as u64;
        self.version == held.version
            && self.len.is_none_or(|pinned| pinned == len)
            && self
                .hashes
                .is_none_or(|pinned| pinned.fit(&held.sha256, &held.bytes))
    }
}

/// Which snapshot is the newest.
#[derive(Debug, Clone)]
pub(crate) struct Timestamp {
    pub(crate) snapshot: Pin,
    pub(crate) issued: Option<UtcTime>,
    /// Head of the log of all documents before this one; in a mesh only.
    pub(crate) log: Option<LogHead>,
}

impl Body for Timestamp {
    fn read(profile: Profile, signed: &Object) -> Result<Self, Refusal> {
        let meta = object(signed.get("meta"))?;
        let snapshot = meta.get("snapshot.json").ok_or(Refusal::Malformed)?;
        let issued = optional(signed.get("patchmesh"), |own| {
            optional(object(Some(own))?.get("issued"), |issued| {
                issued.as_integer().map(UtcTime).ok_or(Refusal::Malformed)
            })
        })?;
        let log = optional(signed.get("patchmesh"), |own| {
            optional(object(Some(own))?.get("log"), log_head)
        });
        Ok(Self {
            snapshot: Pin::read(profile, snapshot)?,
            issued: issued.flatten(),
            log: match profile {
                Profile::Mesh => log?.flatten(),
                Profile::Foreign => None,
            },
        })
    }
}

/// Size and root of a log, as a timestamp and stored floors have them.
pub(crate) fn log_head(value: &Value) -> Result<LogHead, Refusal> {
    let log = object(Some(value))?;
    let size = positive(log.get("size"))?;
    if size > LOG_LEAVES_MAX {
        return Err(Refusal::TooLarge);
    }
    let root = text(log.get("root")).map(unhex32)?;
    let root = root.ok_or(Refusal::Malformed)?;
    Ok(LogHead { size, root })
}

/// Versions of all targets documents, by role name.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) roles: BTreeMap<String, Pin>,
}

impl Body for Snapshot {
    fn read(profile: Profile, signed: &Object) -> Result<Self, Refusal> {
        let meta = object(signed.get("meta"))?;
        if meta.len() > profile.limits().snapshot_roles {
            return Err(Refusal::TooLarge);
        }
        let mut roles = BTreeMap::new();
        for (file, pin) in meta {
            let role = file.strip_suffix(".json").ok_or(Refusal::Malformed)?;
            check_name(role)?;
            // Old repositories list the root here. It is not the snapshot's to
            // say, and must not raise a floor that only a root may raise.
            if !matches!(role, "root" | "timestamp" | "snapshot") {
                roles.insert(role.to_owned(), Pin::read(profile, pin)?);
            }
        }
        if !roles.contains_key("targets") {
            return Err(Refusal::Malformed);
        }
        Ok(Self { roles })
    }
}

/// Targets and delegations of one role.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_field_names,
    reason = "the specification gives the member and its document one name"
)]
pub(crate) struct Targets {
    pub(crate) targets: BTreeMap<String, Target>,
    pub(crate) delegations: Vec<Delegation>,
    /// Hash bins, which stand in place of a list of delegations.
    pub(crate) bins: Option<Bins>,
}

/// One target: what a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) len: u64,
    pub(crate) hashes: Hashes,
    pub(crate) custom: Option<Value>,
}

/// One delegation: who may list targets below which paths.
#[derive(Debug, Clone)]
pub(crate) struct Delegation {
    pub(crate) name: String,
    pub(crate) keys: RoleKeys,
    pub(crate) terminating: bool,
    pub(crate) scope: Scope,
}

impl Body for Targets {
    fn read(profile: Profile, signed: &Object) -> Result<Self, Refusal> {
        let mut targets = BTreeMap::new();
        for (path, value) in object(signed.get("targets"))? {
            check_name(path)?;
            let target = object(Some(value))?;
            let hashes = target.get("hashes").ok_or(Refusal::Malformed)?;
            let read = Target {
                len: natural(target.get("length"))?,
                hashes: Hashes::read(profile, hashes)?,
                custom: target.get("custom").cloned(),
            };
            targets.insert(path.clone(), read);
        }
        let (delegations, bins) = match signed.get("delegations") {
            Some(value) => delegations(profile, value)?,
            None => (Vec::new(), None),
        };
        Ok(Self {
            targets,
            delegations,
            bins,
        })
    }
}

impl Targets {
    /// The delegation of this name.
    pub(crate) fn delegation(&self, name: &str) -> Option<&Delegation> {
        self.delegations.iter().find(|role| role.name == name)
    }

    /// Release lines that share a key with `rollout` (T-12).
    pub(crate) fn lines_not_separated(&self) -> Vec<String> {
        let Some(rollout) = self.delegation(&RoleName::Rollout.to_string()) else {
            return Vec::new();
        };
        let lines = self.delegations.iter().filter_map(|role| {
            let line = role.name.strip_prefix("release/")?;
            role.keys
                .shares_with(&rollout.keys)
                .then(|| line.to_owned())
        });
        lines.collect()
    }
}

fn delegations(
    profile: Profile,
    value: &Value,
) -> Result<(Vec<Delegation>, Option<Bins>), Refusal> {
    let outer = object(Some(value))?;
    let keys = read_keys(profile, outer.get("keys"))?;
    let bins = outer.get("succinct_roles");
    if let (Some(bins), Profile::Foreign) = (bins, profile) {
        if outer.contains_key("roles") {
            return Err(Refusal::Malformed);
        }
        let bins = Bins::read(profile, object(Some(bins))?, &keys)?;
        return Ok((Vec::new(), Some(bins)));
    }
    let roles = outer.get("roles").and_then(Value::as_list);
    let roles = roles.ok_or(Refusal::Malformed)?;
    if roles.len() > DELEGATIONS_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(roles.len());
    for role in roles {
        let role = object(Some(role))?;
        let name = text(role.get("name"))?;
        check_name(name)?;
        if is_top(name) || !names.insert(name) {
            return Err(Refusal::Malformed);
        }
        let terminating = role.get("terminating").and_then(Value::as_bool);
        read.push(Delegation {
            name: name.to_owned(),
            keys: RoleKeys::read(profile, role, &keys)?,
            terminating: terminating.ok_or(Refusal::Malformed)?,
            scope: scope(profile, role)?,
        });
    }
    Ok((read, None))
}

/// Exactly one of path patterns and hash prefixes.
fn scope(profile: Profile, role: &Object) -> Result<Scope, Refusal> {
    let patterns_max = profile.limits().patterns;
    let list = |value: &Value| {
        let list = value.as_list().ok_or(Refusal::Malformed)?;
        if list.len() > patterns_max {
            return Err(Refusal::TooLarge);
        }
        let texts = list.iter().map(|text| {
            let text = text.as_text().ok_or(Refusal::Malformed)?;
            check_name(text).map(|()| text.to_owned())
        });
        texts.collect()
    };
    match (role.get("paths"), role.get("path_hash_prefixes")) {
        (Some(paths), None) => Ok(Scope::Patterns(list(paths)?)),
        (None, Some(prefixes)) => Ok(Scope::HashPrefixes(list(prefixes)?)),
        (None, None) | (Some(_), Some(_)) => Err(Refusal::Malformed),
    }
}
