//! The stops that a node knows: those that single keys signed, and those that
//! the threshold has taken into its list. Whatever the order in which they
//! come, the set is the same; only the list makes it smaller (T-28).

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::{PeerId, hex};
use patchmesh_content::text::safe;

use serde::{Deserialize, Serialize};

use crate::annex::revocations::Revocations;
use crate::key::{PublicKey, sha256};
use crate::refusal::Refusal;
use crate::stop::signed::{SignedStop, Stop, Subject, key_id};
use crate::time::UtcTime;

/// Stops of one key that are not in the list yet. A key that has as many stops
/// every installation: what it signs beyond is not kept.
pub const STOPS_PER_KEY_MAX: usize = 256;

/// The list that the threshold signed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// Its version; 0 before there is one.
    pub version: u64,
    /// Signed parts of the stops that stand.
    pub standing: Vec<Vec<u8>>,
    /// Single stops that it replaces or ends.
    pub settled: BTreeSet<[u8; 16]>,
}

impl From<&Revocations> for List {
    fn from(list: &Revocations) -> Self {
        Self {
            version: list.version,
            standing: list.standing.clone(),
            settled: list.folded.iter().chain(&list.lifted).copied().collect(),
        }
    }
}

/// Which stops a node knows, for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Version of the list.
    pub version: u64,
    /// SHA-256 over the names of the outstanding stops; `None` without any.
    pub digest: Option<[u8; 32]>,
}

/// A stop that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it says.
    pub stop: Stop,
    /// Who signed it alone; `None` once the threshold has.
    pub key: Option<[u8; 32]>,
}

impl Standing {
    /// One line for people, foreign text escaped: what is stopped, why, by whom
    /// and when.
    pub fn text(&self) -> String {
        let Stop {
            id, issued, reason, ..
        } = &self.stop;
        let at = issued
            .format()
            .unwrap_or_else(|| "at an impossible time".to_owned());
        let by = match &self.key {
            Some(key) => format!("key {}", &hex(key)[..12]),
            None => "the threshold of membership".to_owned(),
        };
        let reason = if reason.is_empty() {
            "no reason is given".to_owned()
        } else {
            safe(reason)
        };
        format!(
            "{} stopped: {reason} (stop {}, signed by {by}, {at})",
            self.stop.subject,
            hex(id)
        )
    }
}

/// What a change of the set asks of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gone {
    /// Names of stops that are no longer kept.
    pub names: Vec<[u8; 32]>,
}

/// The set.
#[derive(Debug, Clone)]
pub struct Stops {
    mesh_id: [u8; 32],
    keys: Option<Vec<PublicKey>>,
    list: List,
    standing: Vec<Stop>,
    outstanding: BTreeMap<[u8; 32], (SignedStop, Stop)>,
}

impl Stops {
    /// With what the store kept: it was verified before it was stored, and the
    /// keys that verified it may not be at hand yet.
    pub fn restore(mesh_id: [u8; 32], list: List, stored: &[SignedStop]) -> Self {
        let mut stops = Self {
            mesh_id,
            keys: None,
            list: List::default(),
            standing: Vec::new(),
            outstanding: BTreeMap::new(),
        };
        stops.adopt(list);
        for signed in stored {
            if let Ok(stop) = Stop::read(&signed.payload)
                && stop.mesh_id == mesh_id
                && !stops.list.settled.contains(&stop.id)
            {
                let kept = (signed.clone(), stop);
                stops.outstanding.insert(signed.name(), kept);
            }
        }
        stops
    }

    /// Of what the store kept, stops that these keys did not sign although they
    /// name one of them: the disk has altered them. Empty once keys were taken.
    pub fn damaged(&self, keys: &[PublicKey]) -> Vec<[u8; 32]> {
        if self.keys.is_some() {
            return Vec::new();
        }
        let kept = self.outstanding.iter();
        let damaged = kept.filter(|(_, (signed, _))| {
            signed.verify(keys, &self.mesh_id) == Err(Refusal::BadSignature)
        });
        damaged.map(|(name, _)| *name).collect()
    }

    /// Lets go of stops with these names.
    pub fn drop_damaged(&mut self, names: &[[u8; 32]]) -> Gone {
        self.retain(|signed, _| !names.contains(&signed.name()))
    }

    /// Takes the revocation keys of now. Stops of keys that are not among them
    /// end: who removes a thief's key removes what it said, and keeps what
    /// should stay by taking it into the list.
    pub fn set_keys(&mut self, keys: Vec<PublicKey>) -> Gone {
        let known: BTreeSet<_> = keys.iter().map(key_id).collect();
        self.keys = Some(keys);
        self.retain(|signed, _| known.contains(&signed.key))
    }

    /// Takes a newer list.
    ///
    /// # Errors
    /// `Rollback` for a version below the held one; nothing has changed then.
    pub fn set_list(&mut self, list: List) -> Result<Gone, Refusal> {
        if list.version < self.list.version {
            return Err(Refusal::Rollback);
        }
        self.adopt(list);
        let settled = self.list.settled.clone();
        Ok(self.retain(|_, stop| !settled.contains(&stop.id)))
    }

    /// Checks a stop; `None` if nothing new follows from it.
    ///
    /// # Errors
    /// `Pending` before the revocation keys are known; as [`SignedStop::verify`].
    pub fn admit(&self, signed: &SignedStop) -> Result<Option<Stop>, Refusal> {
        if self.outstanding.contains_key(&signed.name()) {
            return Ok(None);
        }
        let keys = self.keys.as_ref().ok_or(Refusal::Pending)?;
        let stop = signed.verify(keys, &self.mesh_id)?;
        let settled = self.list.settled.contains(&stop.id);
        let above = self.of_key(&signed.key);
        // The 256 with the lowest names stay, in whatever order they came.
        let kept = above.count() < STOPS_PER_KEY_MAX
            || self.of_key(&signed.key).any(|name| *name > signed.name());
        Ok((kept && !settled).then_some(stop))
    }

    /// Takes a stop that was admitted; what no longer has a place goes.
    pub fn insert(&mut self, signed: SignedStop, stop: Stop) -> Gone {
        let key = signed.key;
        self.outstanding.insert(signed.name(), (signed, stop));
        let mut names = Vec::new();
        if self.of_key(&key).count() > STOPS_PER_KEY_MAX {
            let last = self.of_key(&key).max().copied();
            names.extend(last);
        }
        for name in &names {
            self.outstanding.remove(name);
        }
        Gone { names }
    }

    /// What is compared with others.
    pub fn mark(&self) -> Mark {
        let names: Vec<u8> = self.outstanding.keys().flatten().copied().collect();
        Mark {
            version: self.list.version,
            digest: (!names.is_empty()).then(|| sha256(&names)),
        }
    }

    /// Stops that single keys signed, as they travel.
    pub fn outstanding(&self) -> impl Iterator<Item = &SignedStop> {
        self.outstanding.values().map(|(signed, _)| signed)
    }

    /// Every stop in force.
    pub fn standing(&self) -> Vec<Standing> {
        let listed = self.standing.iter().map(|stop| Standing {
            stop: stop.clone(),
            key: None,
        });
        let alone = self.outstanding.values().map(|(signed, stop)| Standing {
            stop: stop.clone(),
            key: Some(signed.key),
        });
        listed.chain(alone).chain(self.full()).collect()
    }

    /// What stops this release, if anything does.
    pub fn release(&self, line: &str, id: &str) -> Option<Standing> {
        let mut standing = self.standing().into_iter();
        standing.find(|one| one.stop.covers(line, id))
    }

    /// What stops every installation, if anything does.
    pub fn all_installs(&self) -> Option<Standing> {
        let mut standing = self.standing().into_iter();
        standing.find(|one| one.stop.subject == Subject::AllInstalls)
    }

    /// Nodes that are no members any more.
    pub fn nodes(&self) -> BTreeSet<PeerId> {
        let standing = self.standing().into_iter();
        let nodes = standing.filter_map(|one| match one.stop.subject {
            Subject::Nodes(nodes) => Some(nodes),
            Subject::AllInstalls
            | Subject::EpochFloor(_)
            | Subject::Releases(_)
            | Subject::Serials(_) => None,
        });
        nodes.flatten().collect()
    }

    fn of_key<'a>(&'a self, key: &'a [u8; 32]) -> impl Iterator<Item = &'a [u8; 32]> {
        let all = self.outstanding.iter();
        let own = all.filter(move |(_, (signed, _))| signed.key == *key);
        own.map(|(name, _)| name)
    }

    /// A key with as many stops as are kept stops all, since some may be lost.
    fn full(&self) -> impl Iterator<Item = Standing> {
        let mut counts: BTreeMap<[u8; 32], usize> = BTreeMap::new();
        for (signed, _) in self.outstanding.values() {
            *counts.entry(signed.key).or_default() += 1;
        }
        let full = counts.into_iter();
        let full = full.filter(|(_, count)| *count >= STOPS_PER_KEY_MAX);
        let mesh_id = self.mesh_id;
        full.map(move |(key, _)| Standing {
            stop: everything(mesh_id, "256 stops of one key are outstanding"),
            key: Some(key),
        })
    }

    fn adopt(&mut self, list: List) {
        let mesh_id = self.mesh_id;
        // What this version cannot read may mean anything: then nothing starts.
        let read = |payload: &Vec<u8>| {
            let stop = Stop::read(payload).ok();
            let own = stop.filter(|stop| stop.mesh_id == mesh_id);
            own.unwrap_or_else(|| everything(mesh_id, "a stop that this version cannot read"))
        };
        self.standing = list.standing.iter().map(read).collect();
        self.list = list;
    }

    fn retain(&mut self, keep: impl Fn(&SignedStop, &Stop) -> bool) -> Gone {
        let all = self.outstanding.iter();
        let gone = all.filter(|(_, (signed, stop))| !keep(signed, stop));
        let names: Vec<_> = gone.map(|(name, _)| *name).collect();
        for name in &names {
            self.outstanding.remove(name);
        }
        Gone { names }
    }
}

fn everything(mesh_id: [u8; 32], reason: &str) -> Stop {
    Stop {
        mesh_id,
        id: [0; 16],
        subject: Subject::AllInstalls,
        issued: UtcTime(0),
        reason: reason.to_owned(),
    }
}
