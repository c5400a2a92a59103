//! Plans of documents, and the unsigned documents they make. A plan can also
//! be read from a document, to make the next version of it.

use patchmesh_content::id::{ContentId, hex};
use patchmesh_content::index::ReleaseIndex;

use crate::annex::body::Annex;
use crate::annex::name::AnnexName;
use crate::author::draft::Draft;
use crate::author::error::AuthorError;
use crate::canonical::{Object, Value};
use crate::document::{Body, Held, Root, Targets};
use crate::envelope::{Envelope, type_name};
use crate::key::sha256;
use crate::layout::target_path;
use crate::limits::{Profile, STATEMENT_SIGNED_LEN_MAX};
use crate::log::head::LogHead;
use crate::refusal::Refusal;
use crate::release::{CUSTOM_FORMAT, Release};
use crate::role::{RoleName, is_line, is_release_id};
use crate::threshold::RoleKeys;
use crate::time::UtcTime;

/// A root document: the keys of the four top roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootPlan {
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// Keys of the root role itself.
    pub root: RoleKeys,
    /// Keys of the timestamp.
    pub timestamp: RoleKeys,
    /// Keys of the snapshot.
    pub snapshot: RoleKeys,
    /// Keys of the top targets.
    pub targets: RoleKeys,
}

/// A top targets document: which keys speak for which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetsPlan {
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// Release lines.
    pub lines: Vec<LineKeys>,
    /// Who speaks for `rollout`; `None` where nobody does.
    pub rollout: Option<RoleKeys>,
    /// Who speaks for `membership`; `None` where nobody does.
    pub membership: Option<RoleKeys>,
}

/// One release line and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKeys {
    /// The line, without the `release/` prefix.
    pub line: String,
    /// Who speaks for it.
    pub keys: RoleKeys,
}

/// A statement of a release line: its active releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlan {
    /// The line, without the `release/` prefix.
    pub line: String,
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// Active releases.
    pub releases: Vec<ReleaseEntry>,
}

/// A statement of `rollout` or `membership`: its annexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnexPlan {
    /// The role: `rollout` or `membership`.
    pub role: RoleName,
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// What it names, each annex once.
    pub annexes: Vec<Annex>,
}

/// One active release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseEntry {
    /// Release id within the line.
    pub id: String,
    /// Length of the release index in bytes.
    pub len: u64,
    /// SHA-256 of the release index.
    pub sha256: [u8; 32],
    /// BLAKE3 of the release index.
    pub content: ContentId,
    /// Severity word for people; empty for none.
    pub severity: String,
}

/// A snapshot: the newest versions of all targets documents.
#[derive(Debug, Clone)]
pub struct SnapshotPlan<'a> {
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// The top targets and every statement, signed, byte for byte.
    pub documents: Vec<(RoleName, &'a [u8])>,
}

/// A timestamp: the newest snapshot.
#[derive(Debug, Clone)]
pub struct TimestampPlan<'a> {
    /// Version; the first is 1.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
    /// When it is issued; nodes take it as a lower bound of the time.
    pub issued: UtcTime,
    /// The snapshot, signed, byte for byte.
    pub snapshot: &'a [u8],
    /// Head of the log in which every document but this one is.
    pub log: Option<LogHead>,
}

impl RootPlan {
    /// The unsigned document.
    pub fn build(&self) -> Result<Draft, AuthorError> {
        let roles = [
            ("root", &self.root),
            ("timestamp", &self.timestamp),
            ("snapshot", &self.snapshot),
            ("targets", &self.targets),
        ];
        let keys = key_objects(roles.iter().map(|(_, keys)| *keys));
        let roles = roles.map(|(name, keys)| (name, Value::object(keys.to_members())));
        finish(
            &RoleName::Root,
            self.version,
            self.expires,
            vec![
                ("consistent_snapshot", Value::Bool(true)),
                ("keys", keys),
                ("roles", Value::object(roles)),
            ],
        )
    }

    /// The plan that a document follows. Signatures are not checked.
    pub fn read(document: &[u8]) -> Result<Self, AuthorError> {
        let held: Held<Root> = read(&RoleName::Root, document)?;
        let body = held.body;
        Ok(Self {
            version: held.version,
            expires: held.expires,
            root: body.root,
            timestamp: body.timestamp,
            snapshot: body.snapshot,
            targets: body.targets,
        })
    }
}

impl TargetsPlan {
    /// The unsigned document.
    pub fn build(&self) -> Result<Draft, AuthorError> {
        for line in &self.lines {
            check_line(&line.line)?;
        }
        let delegated = self.delegated();
        let roles = delegated.iter().map(|(role, keys)| delegation(role, keys));
        let delegations = Value::object([
            ("keys", key_objects(delegated.iter().map(|(_, keys)| *keys))),
            ("roles", Value::List(roles.collect())),
        ]);
        let members = vec![
            ("delegations", delegations),
            ("targets", Value::Object(Object::new())),
        ];
        let draft = finish(&RoleName::Targets, self.version, self.expires, members)?;
        // The parser refuses what a node would: two delegations of one name.
        let read = read::<Targets>(&RoleName::Targets, &draft.bytes())?;
        check_separated(&read.body)?;
        Ok(draft)
    }

    /// The roles that it delegates, and their keys.
    pub fn delegated(&self) -> Vec<(RoleName, &RoleKeys)> {
        let lines = self.lines.iter();
        let mut roles: Vec<_> = lines
            .map(|line| (RoleName::Line(line.line.clone()), &line.keys))
            .collect();
        let rollout = self.rollout.iter().map(|keys| (RoleName::Rollout, keys));
        let membership = self.membership.iter();
        let membership = membership.map(|keys| (RoleName::Membership, keys));
        roles.extend(rollout.chain(membership));
        roles
    }

    /// The keys of a role that it delegates.
    pub fn keys_of(&self, role: &RoleName) -> Option<&RoleKeys> {
        let delegated = self.delegated().into_iter();
        let mut found = delegated.filter(|(other, _)| other == role);
        found.next().map(|(_, keys)| keys)
    }

    /// Refuses keys that would let one side install alone (T-12).
    ///
    /// # Errors
    /// `NotSeparated` names the line that shares a key with `rollout`.
    pub fn check_separated(&self) -> Result<(), AuthorError> {
        let rollout = self.rollout.as_ref();
        let shares = |line: &&LineKeys| rollout.is_some_and(|keys| line.keys.shares_with(keys));
        match self.lines.iter().find(shares) {
            None => Ok(()),
            Some(line) => Err(AuthorError::NotSeparated {
                line: line.line.clone(),
            }),
        }
    }

    /// The plan that a document follows; delegations of other roles are left
    /// out. Signatures are not checked.
    pub fn read(document: &[u8]) -> Result<Self, AuthorError> {
        let held: Held<Targets> = read(&RoleName::Targets, document)?;
        let mut plan = Self {
            version: held.version,
            expires: held.expires,
            lines: Vec::new(),
            rollout: None,
            membership: None,
        };
        for role in held.body.delegations {
            let keys = role.keys;
            match role.name.parse() {
                Ok(RoleName::Line(line)) => plan.lines.push(LineKeys { line, keys }),
                Ok(RoleName::Rollout) => plan.rollout = Some(keys),
                Ok(RoleName::Membership) => plan.membership = Some(keys),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(plan)
    }
}

impl LinePlan {
    /// The unsigned statement.
    ///
    /// # Errors
    /// `StatementTooLarge` above 1,024 signed bytes; no flag lifts this (T-01).
    pub fn build(&self) -> Result<Draft, AuthorError> {
        check_line(&self.line)?;
        let mut targets = Object::new();
        for entry in &self.releases {
            if !is_release_id(&entry.id) {
                return Err(AuthorError::BadPlan("a release id of other characters"));
            }
            let path = target_path(&self.line, &entry.id);
            if targets.insert(path, entry.to_value()).is_some() {
                return Err(AuthorError::BadPlan("one release id twice"));
            }
        }
        let role = RoleName::Line(self.line.clone());
        let members = vec![("targets", Value::Object(targets))];
        let draft = finish(&role, self.version, self.expires, members)?;
        check_statement(&draft)?;
        Ok(draft)
    }

    /// The plan that a statement follows; entries that a node would leave out
    /// are left out. Signatures are not checked.
    pub fn read(line: &str, document: &[u8]) -> Result<Self, AuthorError> {
        let held: Held<Targets> = read(&RoleName::Line(line.to_owned()), document)?;
        let targets = held.body.targets.iter();
        let releases = targets.filter_map(|(path, target)| {
            let release = Release::read(line, path, target, held.version)?;
            Some(ReleaseEntry {
                id: release.id,
                len: release.len,
                sha256: release.sha256,
                content: release.content,
                severity: release.severity,
            })
        });
        Ok(Self {
            line: line.to_owned(),
            version: held.version,
            expires: held.expires,
            releases: releases.collect(),
        })
    }
}

impl AnnexPlan {
    /// The unsigned statement.
    ///
    /// # Errors
    /// `BadPlan` for an annex of another role or one named twice;
    /// `StatementTooLarge` above 1,024 signed bytes (T-01).
    pub fn build(&self) -> Result<Draft, AuthorError> {
        let mut targets = Object::new();
        for annex in &self.annexes {
            if annex.name.role() != self.role {
                return Err(AuthorError::BadPlan("an annex of another role"));
            }
            let path = annex.name.path().to_owned();
            if targets.insert(path, annex.to_value()).is_some() {
                return Err(AuthorError::BadPlan("one annex twice"));
            }
        }
        let members = vec![("targets", Value::Object(targets))];
        let draft = finish(&self.role, self.version, self.expires, members)?;
        check_statement(&draft)?;
        Ok(draft)
    }

    /// The plan that a statement follows; entries that a node would leave out
    /// are left out. Signatures are not checked.
    pub fn read(role: &RoleName, document: &[u8]) -> Result<Self, AuthorError> {
        let held: Held<Targets> = read(role, document)?;
        let targets = &held.body.targets;
        let annexes = AnnexName::of(role).filter_map(|name| {
            let target = targets.get(name.path())?;
            Annex::read(name, target)
        });
        Ok(Self {
            role: role.clone(),
            version: held.version,
            expires: held.expires,
            annexes: annexes.collect(),
        })
    }

    /// What it says of an annex.
    pub fn annex(&self, name: AnnexName) -> Option<&Annex> {
        self.annexes.iter().find(|annex| annex.name == name)
    }
}

impl ReleaseEntry {
    /// The entry of a release index; also gives the line that it belongs to.
    pub fn of_index(bytes: &[u8]) -> Result<(String, Self), AuthorError> {
        let index = ReleaseIndex::decode(bytes);
        let index = index.map_err(|_| AuthorError::NotADocument(Refusal::Malformed))?;
        let entry = Self {
            id: index.id,
            len: bytes.len() as u64,
            sha256: sha256(bytes),
            content: ReleaseIndex::content_id(bytes),
            severity: index.severity,
        };
        Ok((index.line, entry))
    }

    fn to_value(&self) -> Value {
        let mut custom: Object = [
            ("v".to_owned(), Value::Integer(CUSTOM_FORMAT)),
            ("b3".to_owned(), Value::text(self.content.to_hex())),
        ]
        .into();
        if !self.severity.is_empty() {
            custom.insert("sev".to_owned(), Value::text(&self.severity));
        }
        Value::object([
            ("length", Value::number(self.len)),
            ("hashes", hashes(&self.sha256)),
            ("custom", Value::Object(custom)),
        ])
    }
}

impl SnapshotPlan<'_> {
    /// The unsigned document.
    pub fn build(&self) -> Result<Draft, AuthorError> {
        let mut meta = Object::new();
        for (role, bytes) in &self.documents {
            if *role != RoleName::Targets && !role.is_delegated() {
                return Err(AuthorError::BadPlan("a snapshot lists targets roles only"));
            }
            let pin = pin(role, bytes)?;
            if meta.insert(format!("{role}.json"), pin).is_some() {
                return Err(AuthorError::BadPlan("one role twice"));
            }
        }
        if !meta.contains_key("targets.json") {
            return Err(AuthorError::BadPlan("a snapshot without the top targets"));
        }
        let members = vec![("meta", Value::Object(meta))];
        finish(&RoleName::Snapshot, self.version, self.expires, members)
    }
}

impl TimestampPlan<'_> {
    /// The unsigned document.
    pub fn build(&self) -> Result<Draft, AuthorError> {
        let pin = pin(&RoleName::Snapshot, self.snapshot)?;
        let mut own: Object = [("issued".to_owned(), Value::Integer(self.issued.0))].into();
        if let Some(LogHead { size, root }) = self.log {
            let head = [
                ("size", Value::number(size)),
                ("root", Value::text(hex(&root))),
            ];
            own.insert("log".to_owned(), Value::object(head));
        }
        let members = vec![
            ("meta", Value::object([("snapshot.json", pin)])),
            ("patchmesh", Value::Object(own)),
        ];
        finish(&RoleName::Timestamp, self.version, self.expires, members)
    }
}

/// Refuses a statement that signing hardware could not take (T-01).
pub(crate) fn check_statement(draft: &Draft) -> Result<(), AuthorError> {
    let bytes = draft.signing_bytes().len();
    match draft.role() {
        RoleName::Line(_) | RoleName::Rollout | RoleName::Membership
            if bytes > STATEMENT_SIGNED_LEN_MAX =>
        {
            Err(AuthorError::StatementTooLarge { bytes })
        }
        RoleName::Line(_)
        | RoleName::Rollout
        | RoleName::Membership
        | RoleName::Root
        | RoleName::Timestamp
        | RoleName::Snapshot
        | RoleName::Targets
        | RoleName::Delegated(_) => Ok(()),
    }
}

/// Reads a document without checking who signed it.
pub(crate) fn read<T: Body>(role: &RoleName, bytes: &[u8]) -> Result<Held<T>, AuthorError> {
    let envelope = Envelope::open_any(Profile::Mesh, role, bytes);
    let held = envelope.and_then(|envelope| Held::read(&envelope, bytes, [].into()));
    held.map_err(AuthorError::NotADocument)
}

fn finish(
    role: &RoleName,
    version: u64,
    expires: UtcTime,
    members: Vec<(&str, Value)>,
) -> Result<Draft, AuthorError> {
    if version == 0 || i64::try_from(version).is_err() {
        return Err(AuthorError::BadPlan("a version outside 1 to 2^63 - 1"));
    }
    let expires = expires.format();
    let expires = expires.ok_or(AuthorError::BadPlan("an expiry outside the calendar"))?;
    let mut signed: Object = members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    signed.insert("_type".to_owned(), Value::text(type_name(role)));
    signed.insert("spec_version".to_owned(), Value::text("1.0.34"));
    signed.insert("version".to_owned(), Value::number(version));
    signed.insert("expires".to_owned(), Value::text(expires));
    Draft::unsigned(role, &Value::Object(signed))
}

fn key_objects<'a>(roles: impl Iterator<Item = &'a RoleKeys>) -> Value {
    let mut keys = Object::new();
    for (key_id, key) in roles.flat_map(RoleKeys::keys) {
        keys.insert(key_id.to_owned(), key.to_value());
    }
    Value::Object(keys)
}

fn pin(role: &RoleName, bytes: &[u8]) -> Result<Value, AuthorError> {
    let version = Draft::read(role, bytes)?.version();
    Ok(Value::object([
        ("version", Value::number(version)),
        ("length", Value::number(bytes.len() as u64)),
        ("hashes", hashes(&sha256(bytes))),
    ]))
}

fn hashes(sha256: &[u8; 32]) -> Value {
    Value::object([("sha256", Value::text(hex(sha256)))])
}

/// A terminating delegation of one path pattern.
fn delegation(role: &RoleName, keys: &RoleKeys) -> Value {
    let members = keys
        .to_members()
        .map(|(name, value)| (name.to_owned(), value));
    let mut object: Object = members.into();
    let paths = Value::List(vec![Value::text(format!("{role}/*"))]);
    object.insert("name".to_owned(), Value::text(role.to_string()));
    object.insert("paths".to_owned(), paths);
    object.insert("terminating".to_owned(), Value::Bool(true));
    Value::Object(object)
}

/// Refuses keys that would let one side install alone (T-12).
pub(crate) fn check_separated(targets: &Targets) -> Result<(), AuthorError> {
    match targets.lines_not_separated().into_iter().next() {
        None => Ok(()),
        Some(line) => Err(AuthorError::NotSeparated { line }),
    }
}

fn check_line(line: &str) -> Result<(), AuthorError> {
    if is_line(line) {
        Ok(())
    } else {
        Err(AuthorError::BadPlan("a release line of other characters"))
    }
}
