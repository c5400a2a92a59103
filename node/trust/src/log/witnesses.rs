//! The witnesses of a network, and the highest head of the log that each of them
//! has cosigned. Only what a listed witness signed takes a place here, one for
//! each witness and kind, so nobody else can fill it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::annex::keys::{Cosignatures, Keys};
use crate::log::checkpoint;
use crate::log::cosignature::Cosignature;
use crate::log::head::{Hash, LogHead};
use crate::log::tree::Tree;
use crate::refusal::Refusal;

/// Witnesses and what they signed.
#[derive(Debug, Clone)]
pub struct Witnesses {
    origin: String,
    /// Listed witnesses, with their sites.
    sites: BTreeMap<Hash, String>,
    /// Heads of the own log.
    kept: BTreeMap<Hash, Cosignature>,
    /// Heads of more leaves than are held.
    ahead: BTreeMap<Hash, Cosignature>,
    /// Heads that the own log does not have: somebody sees another one.
    other: BTreeMap<Hash, Cosignature>,
}

/// What became of a cosignature that is genuine, or known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A higher head of this witness.
    Kept,
    /// Nothing new; it was not checked.
    Known,
    /// It waits until its leaves are held.
    Ahead,
    /// The first of this witness that the own log does not have.
    Other,
}

/// How many have cosigned something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Distinct witnesses.
    pub keys: u32,
    /// Distinct sites that they stand in.
    pub sites: u32,
}

impl Count {
    /// Whether these are as many as are asked for.
    pub fn is_enough(self, asked: Cosignatures) -> bool {
        self.keys >= asked.keys && self.sites >= asked.sites
    }
}

/// One listed witness, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its key.
    pub witness: Hash,
    /// Its site.
    pub site: &'a str,
    /// Its cosignature of the highest head of the own log.
    pub kept: Option<&'a Cosignature>,
    /// A head that it cosigned and that the own log does not have.
    pub other: Option<LogHead>,
}

impl Witnesses {
    /// Nobody, in the network of this id.
    pub fn new(mesh_id: &[u8; 32]) -> Self {
        Self {
            origin: checkpoint::origin(mesh_id),
            sites: BTreeMap::new(),
            kept: BTreeMap::new(),
            ahead: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// Takes over who is a witness. Gives those whose kept cosignatures went with
    /// them.
    pub fn set_keys(&mut self, keys: &Keys) -> Vec<Hash> {
        let listed = keys.witnesses.iter();
        let listed = listed.filter_map(|one| Some((one.node()?, one.site.clone())));
        self.sites = listed.collect();
        let (sites, kept) = (&self.sites, self.kept.keys());
        let gone = kept.filter(|witness| !sites.contains_key(*witness));
        let gone = gone.copied().collect();
        for held in [&mut self.kept, &mut self.ahead, &mut self.other] {
            held.retain(|witness, _| sites.contains_key(witness));
        }
        gone
    }

    /// Whether there is any witness.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Whether this node key is a witness.
    pub fn contains(&self, witness: &Hash) -> bool {
        self.sites.contains_key(witness)
    }

    /// Site of a witness.
    pub fn site(&self, witness: &Hash) -> Option<&str> {
        self.sites.get(witness).map(String::as_str)
    }

    /// The highest head of the own log that this witness cosigned.
    pub fn head(&self, witness: &Hash) -> Option<LogHead> {
        self.kept.get(witness).map(|kept| kept.head)
    }

    /// Judges a cosignature by the leaves that are held. What changes nothing is
    /// not checked.
    ///
    /// # Errors
    /// `UnknownKey` if it is of no witness, `Malformed`, `BadSignature`.
    pub fn take(&mut self, cosignature: Cosignature, tree: &Tree) -> Result<Taken, Refusal> {
        let witness = cosignature.witness;
        if !self.contains(&witness) {
            return Err(Refusal::UnknownKey);
        }
        let place = self.place(&cosignature, tree);
        if place != Taken::Known {
            cosignature.verify(&self.origin)?;
            self.put(place, cosignature);
        }
        Ok(place)
    }

    /// The held log has more leaves than before. Gives what can be judged now.
    pub fn grown(&mut self, tree: &Tree) -> Vec<(Cosignature, Taken)> {
        let size = tree.size();
        let due = self.ahead.extract_if(.., |_, one| one.head.size <= size);
        let due: Vec<Cosignature> = due.map(|(_, one)| one).collect();
        let judged = due.into_iter().map(|one| {
            let place = self.place(&one, tree);
            self.put(place, one.clone());
            (one, place)
        });
        judged.collect()
    }

    /// The held log is another one than before, since its signer's word is void
    /// (T-32). Gives the witnesses whose cosignatures are of the one before.
    pub fn replaced(&mut self, tree: &Tree) -> Vec<Hash> {
        self.other.clear();
        let gone = self.kept.extract_if(.., |_, kept| !tree.has(&kept.head));
        gone.map(|(witness, _)| witness).collect()
    }

    /// How many witnesses have cosigned a head with this leaf.
    pub fn count(&self, leaf: u64) -> Count {
        let signed = self.kept.iter().filter(|(_, kept)| kept.head.size > leaf);
        let signed: Vec<_> = signed.map(|(witness, _)| witness).collect();
        let sites: BTreeSet<_> = signed.iter().filter_map(|one| self.site(one)).collect();
        let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        Count {
            keys: number(signed.len()),
            sites: number(sites.len()),
        }
    }

    /// All that is passed on: what counts, and what shows another log.
    pub fn all(&self) -> impl Iterator<Item = &Cosignature> {
        self.kept.values().chain(self.other.values())
    }

    /// Names what [`Self::all`] gives.
    pub fn digest(&self) -> Hash {
        let mut hasher = Sha256::new();
        for one in self.all() {
            hasher.update(one.witness);
            hasher.update(one.head.size.to_be_bytes());
            hasher.update(one.head.root);
        }
        hasher.finalize().into()
    }

    /// Every witness and what it cosigned, by key.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.sites.iter().map(|(witness, site)| Shown {
            witness: *witness,
            site,
            kept: self.kept.get(witness),
            other: self.other.get(witness).map(|other| other.head),
        })
    }

    /// Where a cosignature belongs.
    fn place(&self, cosignature: &Cosignature, tree: &Tree) -> Taken {
        let Cosignature { witness, head, .. } = cosignature;
        let below =
            |held: Option<&Cosignature>| held.is_some_and(|held| held.head.size >= head.size);
        let (place, known) = match tree.root_at(head.size) {
            None => (Taken::Ahead, below(self.ahead.get(witness))),
            Some(root) if root == head.root => (Taken::Kept, below(self.kept.get(witness))),
            Some(_) => (Taken::Other, self.other.contains_key(witness)),
        };
        if known { Taken::Known } else { place }
    }

    fn put(&mut self, place: Taken, cosignature: Cosignature) {
        let held = match place {
            Taken::Known => return,
            Taken::Kept => &mut self.kept,
            Taken::Ahead => &mut self.ahead,
            Taken::Other => &mut self.other,
        };
        held.insert(cosignature.witness, cosignature);
    }
}

#[cfg(test)]
mod tests;
