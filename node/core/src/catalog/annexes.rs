//! The annexes of rollout and membership: what the held statements name, and
//! which of it is at hand. An annex counts only while the held statement names
//! exactly it; what was named before is kept until its successor is here, and
//! says nothing meanwhile (T-62).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_trust::annex::body::{Annex, AnnexBody};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::verified::Verified;

use crate::message::DocumentRef;

/// An annex at hand.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What the statement said of it.
    pub annex: Verified<Annex>,
    /// What it says.
    pub body: Verified<AnnexBody>,
    bytes: Arc<[u8]>,
}

/// What came of bytes that were offered for an annex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// They are the annex, and were not at hand.
    New,
    /// Nobody waits for them.
    Old,
    /// They are what was signed, and no annex: the signers made a mistake.
    Unreadable(Refusal),
}

/// Named annexes and those at hand.
#[derive(Debug, Default)]
pub struct Annexes {
    named: BTreeMap<AnnexName, Verified<Annex>>,
    open: BTreeMap<AnnexName, Opened>,
    /// From the store, until a statement says what they must be.
    stored: BTreeMap<AnnexName, Arc<[u8]>>,
    /// SHA-256 of signed bytes that are no annex: they are not asked for again.
    unreadable: BTreeSet<[u8; 32]>,
}

impl Annexes {
    /// With what the store kept.
    pub fn new(stored: Vec<(AnnexName, Arc<[u8]>)>) -> Self {
        Self {
            stored: stored.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes over what the statements name.
    pub fn list(&mut self, named: Vec<Verified<Annex>>) {
        let named = named.into_iter().map(|annex| (annex.name, annex));
        self.named = named.collect();
        let named: BTreeSet<_> = self.named.values().map(|annex| annex.sha256).collect();
        self.unreadable.retain(|sha256| named.contains(sha256));
    }

    /// The annex that the held statement names, if it is at hand.
    pub fn current(&self, name: AnnexName) -> Option<&Opened> {
        let named = self.named.get(&name)?;
        self.open.get(&name).filter(|open| open.annex == *named)
    }

    /// Whether a held statement names such an annex.
    pub fn is_named(&self, name: AnnexName) -> bool {
        self.named.contains_key(&name)
    }

    /// Named annexes that are not at hand and could be had.
    pub fn missing(&self) -> impl Iterator<Item = &Verified<Annex>> {
        let named = self.named.values();
        named.filter(|annex| {
            self.current(annex.name).is_none() && !self.unreadable.contains(&annex.sha256)
        })
    }

    /// Opens what the store kept of named annexes.
    pub fn open_stored(&mut self) -> bool {
        let missing: Vec<AnnexName> = self.missing().map(|annex| annex.name).collect();
        let mut opened = false;
        for name in missing {
            if let (Some(bytes), Some(annex)) = (self.stored.remove(&name), self.named.get(&name)) {
                let sha256 = annex.sha256;
                opened |= self.take(name, &sha256, bytes) == Ok(Taken::New);
            }
        }
        opened
    }

    /// Takes bytes for an annex of this name and hash.
    ///
    /// # Errors
    /// The refusal of bytes that are not the named ones.
    pub fn take(
        &mut self,
        name: AnnexName,
        sha256: &[u8; 32],
        bytes: Arc<[u8]>,
    ) -> Result<Taken, Refusal> {
        let asked = |annex: &&Verified<Annex>| annex.name == name && annex.sha256 == *sha256;
        let wanted = self.missing().find(asked).cloned();
        let Some(annex) = wanted else {
            return Ok(Taken::Old);
        };
        match annex.open_verified(&bytes) {
            Ok(body) => {
                let opened = Opened { annex, body, bytes };
                self.open.insert(name, opened);
                Ok(Taken::New)
            }
            Err(refusal) if Annex::of(name, &bytes) == *annex => {
                self.unreadable.insert(annex.sha256);
                Ok(Taken::Unreadable(refusal))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The bytes of an annex at hand.
    pub fn bytes(&self, name: AnnexName, sha256: &[u8; 32]) -> Option<Arc<[u8]>> {
        let open = self.open.get(&name);
        let open = open.filter(|open| open.annex.sha256 == *sha256);
        open.map(|open| Arc::clone(&open.bytes))
    }
}

/// How an annex is asked for.
pub fn reference(annex: &Annex) -> DocumentRef {
    DocumentRef::Annex {
        name: annex.name,
        sha256: annex.sha256,
    }
}
