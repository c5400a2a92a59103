//! Floors: the highest versions ever seen, so that a restart or the loss of
//! the documents does not let an older statement back in (T-31, T-32).

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::{hex, unhex32};

use crate::canonical::{Object, Value, parse_up_to};
use crate::document::fields::optional;
use crate::document::log_head;
use crate::envelope::positive;
use crate::key::Material;
use crate::limits::Profile;
use crate::log::head::{LogHead, Replaced};
use crate::refusal::Refusal;
use crate::threshold::RoleKeys;
use crate::time::UtcTime;

/// Format of the stored floors.
const FORMAT: i64 = 1;

/// The lowest acceptable statement of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) version: u64,
    /// Digest of the signed part, if the statement itself was seen and not
    /// only named by another one.
    digest: Option<[u8; 32]>,
}

/// Floors of all roles, by role name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Floors {
    roles: BTreeMap<String, Floor>,
    timestamp_signers: BTreeSet<Material>,
    snapshot_signers: BTreeSet<Material>,
    /// Latest time at which a verified timestamp says it was issued.
    issued: Option<UtcTime>,
    /// They were lost and begun anew: higher versions may have been seen (T-33).
    pub(crate) lost: bool,
    /// Head of the log that the newest timestamp names.
    log: Option<LogHead>,
    /// The head that was known when its signer lost its place, until a timestamp
    /// of the new one is taken.
    former: Option<LogHead>,
    /// The log that a rotation let take the place of the known one.
    replaced: Option<Replaced>,
}

impl Floors {
    pub(crate) fn version(&self, role: &str) -> u64 {
        self.roles.get(role).map_or(0, |floor| floor.version)
    }

    pub(crate) fn issued(&self) -> Option<UtcTime> {
        self.issued
    }

    pub(crate) fn log(&self) -> Option<LogHead> {
        self.log
    }

    pub(crate) fn log_seen(&mut self, log: Option<LogHead>) {
        self.log = log.or(self.log);
        self.former = self.former.filter(|_| log.is_none());
    }

    pub(crate) fn former(&self) -> Option<LogHead> {
        self.former
    }

    pub(crate) fn replaced(&self) -> Option<Replaced> {
        self.replaced
    }

    /// Another log, or none, is in the place of the former one, by a signer that
    /// the root of this version names.
    pub(crate) fn log_replaced(&mut self, log: Option<LogHead>, root_version: u64) {
        self.log = log;
        self.replaced = self.former.take().map(|before| Replaced {
            before,
            after: log,
            root_version,
        });
    }

    /// A newer root than the one that let another log in: who signed it knows.
    pub(crate) fn root_seen(&mut self, version: u64) {
        let standing = |replaced: &Replaced| version <= replaced.root_version;
        self.replaced = self.replaced.filter(standing);
    }

    /// Roles that a snapshot must go on to list, with their lowest versions.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, u64)> {
        let own = |role: &str| matches!(role, "root" | "timestamp" | "snapshot");
        let roles = self.roles.iter().filter(move |(role, _)| !own(role));
        roles.map(|(role, floor)| (role.as_str(), floor.version))
    }

    /// Whether a statement may stand: `Rollback` below the floor,
    /// `Contradiction` if it is another one of the same version (T-44).
    pub(crate) fn check(&self, role: &str, version: u64, digest: &[u8; 32]) -> Result<(), Refusal> {
        let Some(floor) = self.roles.get(role) else {
            return Ok(());
        };
        if version < floor.version {
            return Err(Refusal::Rollback);
        }
        let other = floor.digest.is_some_and(|seen| seen != *digest);
        if version == floor.version && other {
            return Err(Refusal::Contradiction);
        }
        Ok(())
    }

    pub(crate) fn raise(&mut self, role: &str, version: u64, digest: Option<[u8; 32]>) {
        let floor = self
            .roles
            .entry(role.to_owned())
            .or_insert(Floor { version, digest });
        if version > floor.version {
            *floor = Floor { version, digest };
        } else if version == floor.version && floor.digest.is_none() {
            floor.digest = digest;
        }
    }

    pub(crate) fn timestamp_seen(&mut self, signers: &BTreeSet<Material>, issued: Option<UtcTime>) {
        self.timestamp_signers.clone_from(signers);
        self.issued = self.issued.max(issued);
    }

    pub(crate) fn snapshot_seen(&mut self, signers: &BTreeSet<Material>) {
        self.snapshot_signers.clone_from(signers);
    }

    /// Whether the recorded signers still speak for timestamp and snapshot.
    pub(crate) fn stand(&self, timestamp: &RoleKeys, snapshot: &RoleKeys) -> bool {
        let stands = |signers: &BTreeSet<Material>, keys: &RoleKeys| {
            signers.is_empty() || keys.met_by(signers)
        };
        stands(&self.timestamp_signers, timestamp) && stands(&self.snapshot_signers, snapshot)
    }

    /// Forgets all but the root: what was seen was said by keys that no longer
    /// speak, perhaps because they were stolen (T-32).
    pub(crate) fn void(&mut self) {
        self.roles.retain(|role, _| role == "root");
        self.timestamp_signers.clear();
        self.snapshot_signers.clear();
        self.issued = None;
        self.former = self.log.take().or(self.former);
    }

    /// Raises each floor to the other's.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.version("timestamp") < other.version("timestamp") {
            self.timestamp_signers.clone_from(&other.timestamp_signers);
            self.log = other.log.or(self.log);
        }
        if self.version("snapshot") < other.version("snapshot") || self.snapshot_signers.is_empty()
        {
            self.snapshot_signers.clone_from(&other.snapshot_signers);
        }
        for (role, floor) in &other.roles {
            self.raise(role, floor.version, floor.digest);
        }
        self.issued = self.issued.max(other.issued);
        let former = other.former.or(self.former);
        self.former = former.filter(|_| self.log.is_none());
        self.replaced = other.replaced.or(self.replaced);
        self.lost |= other.lost;
    }

    /// The stored form.
    pub(crate) fn write(&self) -> Vec<u8> {
        let signers = |signers: &BTreeSet<Material>| {
            let signers = signers.iter().map(|signer| Value::text(signer.to_hex()));
            Value::List(signers.collect())
        };
        let roles = self.roles.iter().map(|(role, floor)| {
            let mut entry = Object::new();
            entry.insert("version".to_owned(), Value::number(floor.version));
            if let Some(digest) = floor.digest {
                entry.insert("digest".to_owned(), Value::text(hex(&digest)));
            }
            (role.clone(), Value::Object(entry))
        });
        let mut members = vec![
            ("v", Value::Integer(FORMAT)),
            ("roles", Value::Object(roles.collect())),
            ("timestamp_signers", signers(&self.timestamp_signers)),
            ("snapshot_signers", signers(&self.snapshot_signers)),
        ];
        if let Some(issued) = self.issued {
            members.push(("issued", Value::Integer(issued.0)));
        }
        if self.lost {
            members.push(("lost", Value::Bool(true)));
        }
        if let Some(log) = self.log {
            members.push(("log", head(log)));
        }
        if let Some(former) = self.former {
            members.push(("former_log", head(former)));
        }
        if let Some(replaced) = self.replaced {
            let root = Value::number(replaced.root_version);
            let mut of = vec![("before", head(replaced.before)), ("root", root)];
            of.extend(replaced.after.map(|after| ("after", head(after))));
            let of = of.into_iter().map(|(key, value)| (key.to_owned(), value));
            members.push(("replaced_log", Value::Object(of.collect())));
        }
        let members = members.into_iter();
        let object = members
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Value::Object(object).canonical()
    }

    /// Reads the stored form.
    pub(crate) fn read(profile: Profile, bytes: &[u8]) -> Result<Self, Refusal> {
        let limits = profile.limits();
        if bytes.len() > limits.floors_len {
            return Err(Refusal::TooLarge);
        }
        let Value::Object(object) = parse_up_to(bytes, limits.values)? else {
            return Err(Refusal::Malformed);
        };
        if object.get("v") != Some(&Value::Integer(FORMAT)) {
            return Err(Refusal::Malformed);
        }
        let mut roles = BTreeMap::new();
        let stored = object.get("roles").and_then(Value::as_object);
        for (role, entry) in stored.ok_or(Refusal::Malformed)? {
            let entry = entry.as_object().ok_or(Refusal::Malformed)?;
            let digest = entry.get("digest").map(|digest| {
                let digest = digest.as_text().and_then(unhex32);
                digest.ok_or(Refusal::Malformed)
            });
            let floor = Floor {
                version: positive(entry.get("version"))?,
                digest: digest.transpose()?,
            };
            roles.insert(role.clone(), floor);
        }
        let issued = object.get("issued").map(|issued| {
            let issued = issued.as_integer().map(UtcTime);
            issued.ok_or(Refusal::Malformed)
        });
        let keys_max = limits.keys_per_role;
        Ok(Self {
            roles,
            timestamp_signers: signers(object.get("timestamp_signers"), keys_max)?,
            snapshot_signers: signers(object.get("snapshot_signers"), keys_max)?,
            issued: issued.transpose()?,
            lost: object.get("lost") == Some(&Value::Bool(true)),
            log: optional(object.get("log"), log_head)?,
            former: optional(object.get("former_log"), log_head)?,
            replaced: optional(object.get("replaced_log"), read_replaced)?,
        })
    }
}

fn head(LogHead { size, root }: LogHead) -> Value {
    Value::object([
        ("size", Value::number(size)),
        ("root", Value::text(hex(&root))),
    ])
}

fn read_replaced(value: &Value) -> Result<Replaced, Refusal> {
    let of = value.as_object().ok_or(Refusal::Malformed)?;
    let before = of.get("before").ok_or(Refusal::Malformed)?;
    Ok(Replaced {
        before: log_head(before)?,
        after: optional(of.get("after"), log_head)?,
        root_version: positive(of.get("root"))?,
    })
}

fn signers(value: Option<&Value>, count_max: usize) -> Result<BTreeSet<Material>, Refusal> {
    let list = value.and_then(Value::as_list).ok_or(Refusal::Malformed)?;
    if list.len() > count_max {
        return Err(Refusal::TooLarge);
    }
    let signers = list.iter().map(|signer| {
        let signer = signer.as_text().and_then(Material::from_hex);
        signer.ok_or(Refusal::Malformed)
    });
    signers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_floors_read_back_equal_and_damaged_ones_are_refused() {
        let mut floors = Floors::default();
        floors.raise("timestamp", 7, Some([7; 32]));
        floors.raise("release/desktop", 3, None);
        let signer = Material::from_hex("65aa").unwrap();
        floors.timestamp_seen(&[signer].into(), Some(UtcTime(5)));
        floors.lost = true;
        let (size, root) = (9, [3; 32]);
        floors.former = Some(LogHead { size, root });
        floors.log_replaced(Some(LogHead { size: 2, root }), 4);
        assert!(floors.replaced.is_some() && floors.former.is_none());
        floors.former = Some(LogHead { size: 7, root });
        let bytes = floors.write();
        assert_eq!(Floors::read(Profile::Mesh, &bytes), Ok(floors));
        for at in 0..bytes.len() {
            assert!(Floors::read(Profile::Mesh, &bytes[..at]).is_err());
        }
        assert_eq!(
            Floors::read(Profile::Mesh, b"{\"v\":2}"),
            Err(Refusal::Malformed)
        );
    }

    #[test]
    fn a_floor_only_rises_and_keeps_the_first_digest() {
        let mut floors = Floors::default();
        floors.raise("targets", 4, None);
        floors.raise("targets", 4, Some([1; 32]));
        floors.raise("targets", 4, Some([2; 32]));
        floors.raise("targets", 3, Some([3; 32]));
        assert_eq!(floors.check("targets", 4, &[1; 32]), Ok(()));
        assert_eq!(
            floors.check("targets", 4, &[2; 32]),
            Err(Refusal::Contradiction)
        );
        assert_eq!(floors.check("targets", 3, &[3; 32]), Err(Refusal::Rollback));
        assert_eq!(floors.check("targets", 5, &[9; 32]), Ok(()));
    }
}
