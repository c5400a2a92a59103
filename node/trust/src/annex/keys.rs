//! `membership/keys`: keys that may do one thing each, and what is asked of
//! members.

use std::collections::BTreeSet;

use patchmesh_proto::{Message as _, v1};

use crate::annex::form::{FORMAT, at_most, decode_exact};
use crate::annex::name::AnnexName;
use crate::key::PublicKey;
use crate::member::is_site;
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Keys that may stop.
pub const REVOCATION_KEYS_MAX: usize = 32;
/// Keys that may enrol, retired ones included.
pub const ENROLLERS_MAX: usize = 256;
/// Witnesses.
pub const WITNESSES_MAX: usize = 256;

/// Keys of a network that no TUF document lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Each alone may stop, and none may start.
    pub revocation: Vec<PublicKey>,
    /// Who may let nodes in.
    pub enrollers: Vec<Enroller>,
    /// Who may sign the log.
    pub witnesses: Vec<Witness>,
    /// How many witnesses must have signed the log before anything is applied;
    /// `None` where no cosignature is asked for.
    pub cosignatures: Option<Cosignatures>,
    /// Lowest protocol version that members speak with each other; 0 for any.
    pub protocol_min: u32,
}

/// A key that may let nodes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enroller {
    /// The key.
    pub key: PublicKey,
    /// Since when it issues nothing more; `None` while it is active.
    pub retired: Option<UtcTime>,
}

/// A key that may sign the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The key.
    pub key: PublicKey,
    /// Where it stands.
    pub site: String,
}

/// How many witnesses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignatures {
    /// Distinct witnesses; at least 1.
    pub keys: u32,
    /// Distinct sites that they stand in; at least 1.
    pub sites: u32,
}

impl Witness {
    /// Its key as bytes; `None` for a key that signs no cosignature.
    pub fn node(&self) -> Option<[u8; 32]> {
        self.key.ed25519_bytes()
    }
}

impl Keys {
    /// Reads the bytes of the keys.
    ///
    /// # Errors
    /// As [`crate::annex::body::AnnexBody::read`]; `Malformed` also if one key stands
    /// in two places, if a witness has a key that is no node's, or if the witnesses
    /// could never be enough.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::MembershipKeys = decode_exact(AnnexName::Keys, bytes)?;
        at_most(wire.revocation.len(), REVOCATION_KEYS_MAX)?;
        at_most(wire.enrollers.len(), ENROLLERS_MAX)?;
        at_most(wire.witnesses.len(), WITNESSES_MAX)?;
        if wire.format != FORMAT {
            return Err(Refusal::Malformed);
        }
        let revocation = wire.revocation.iter().map(key);
        let enrollers = wire.enrollers.iter().map(|one| {
            let retired = i64::try_from(one.retired).map_err(|_| Refusal::Malformed)?;
            Ok(Enroller {
                key: some_key(one.key.as_ref())?,
                retired: (retired > 0).then_some(UtcTime(retired)),
            })
        });
        let witnesses = wire.witnesses.iter().map(|one| {
            Ok(Witness {
                key: some_key(one.key.as_ref())?,
                site: one.site.clone(),
            })
        });
        let keys = Self {
            revocation: revocation.collect::<Result<_, _>>()?,
            enrollers: enrollers.collect::<Result<_, _>>()?,
            witnesses: witnesses.collect::<Result<_, _>>()?,
            cosignatures: wire.cosignatures.map(|asked| Cosignatures {
                keys: asked.keys,
                sites: asked.sites,
            }),
            protocol_min: wire.protocol_min,
        };
        keys.check()?;
        Ok(keys)
    }

    /// The bytes of the keys.
    ///
    /// # Errors
    /// `Malformed` and `TooLarge` if no node would read them.
    pub fn write(&self) -> Result<Vec<u8>, Refusal> {
        let enrollers = self.enrollers.iter().map(|one| v1::Enroller {
            key: Some(wire(&one.key)),
            retired: one.retired.map_or(0, |time| time.0.unsigned_abs()),
        });
        let witnesses = self.witnesses.iter().map(|one| v1::Witness {
            key: Some(wire(&one.key)),
            site: one.site.clone(),
        });
        let message = v1::MembershipKeys {
            format: FORMAT,
            revocation: self.revocation.iter().map(wire).collect(),
            enrollers: enrollers.collect(),
            witnesses: witnesses.collect(),
            cosignatures: self.cosignatures.map(|asked| v1::Cosignatures {
                keys: asked.keys,
                sites: asked.sites,
            }),
            protocol_min: self.protocol_min,
        };
        let bytes = message.encode_to_vec();
        Self::read(&bytes)?;
        Ok(bytes)
    }

    fn check(&self) -> Result<(), Refusal> {
        let enrollers = self.enrollers.iter().map(|one| &one.key);
        let witnesses = self.witnesses.iter().map(|one| &one.key);
        let all: Vec<_> = self
            .revocation
            .iter()
            .chain(enrollers)
            .chain(witnesses)
            .collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        let sites: BTreeSet<_> = self.witnesses.iter().map(|one| &one.site).collect();
        let named = sites.iter().all(|site| is_site(site));
        let nodes = self.witnesses.iter().all(|one| one.node().is_some());
        let enough = |asked: u32, have: usize| asked > 0 && asked as usize <= have;
        let possible = self.cosignatures.is_none_or(|asked| {
            enough(asked.keys, self.witnesses.len()) && enough(asked.sites, sites.len())
        });
        if distinct.len() == all.len() && named && nodes && possible {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }
}

fn some_key(wire: Option<&v1::Key>) -> Result<PublicKey, Refusal> {
    key(wire.ok_or(Refusal::Malformed)?)
}

fn key(wire: &v1::Key) -> Result<PublicKey, Refusal> {
    use v1::key::Kind;
    match Kind::try_from(wire.kind) {
        Ok(Kind::Ed25519) => {
            let bytes = wire.public.as_slice().try_into();
            PublicKey::ed25519(bytes.map_err(|_| Refusal::Malformed)?)
        }
        Ok(Kind::P256) => PublicKey::p256_point(&wire.public),
        Ok(Kind::Unspecified) | Err(_) => Err(Refusal::Malformed),
    }
}

fn wire(key: &PublicKey) -> v1::Key {
    use v1::key::Kind;
    let (kind, public) = match key.point() {
        Some((true, point)) => (Kind::Ed25519, point),
        Some((false, point)) => (Kind::P256, point),
        None => (Kind::Unspecified, &[][..]),
    };
    v1::Key {
        kind: kind.into(),
        public: public.to_vec(),
    }
}
