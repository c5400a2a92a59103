//! The listed releases and their indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::ContentId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_trust::release::Release;
use patchmesh_trust::verified::Verified;

use crate::limits::CONTENTS_MAX;
use crate::message::DocumentRef;

/// Listed releases, by content.
pub type Listed = BTreeMap<ContentId, Verified<Release>>;

/// What is listed, and which of it is at hand.
#[derive(Debug, Default)]
pub struct Indexes {
    listed: Listed,
    open: BTreeMap<ContentId, Arc<Verified<ReleaseIndex>>>,
    /// From the store, until a listed release says what they must be.
    stored: BTreeMap<ContentId, Arc<[u8]>>,
    dropped: BTreeSet<ContentId>,
}

impl Indexes {
    /// With what the store kept. `dropped` are the contents that a user gave up.
    pub fn new(stored: Vec<(ContentId, Arc<[u8]>)>, dropped: BTreeSet<ContentId>) -> Self {
        Self {
            stored: stored.into_iter().collect(),
            dropped,
            ..Self::default()
        }
    }

    /// Takes over what the metadata lists. While newer metadata is incomplete,
    /// releases are added but none vanishes. Returns whether anything changed.
    pub fn list(&mut self, releases: Vec<Verified<Release>>, complete: bool) -> bool {
        let before = self.listed.clone();
        if complete {
            let named: BTreeSet<_> = releases.iter().map(|release| release.content).collect();
            self.listed.retain(|content, _| named.contains(content));
            self.open.retain(|content, _| named.contains(content));
            self.dropped.retain(|content| named.contains(content));
        }
        for release in releases {
            let known = self.listed.contains_key(&release.content);
            if known || self.listed.len() < CONTENTS_MAX {
                self.listed.insert(release.content, release);
            }
        }
        self.listed != before
    }

    /// The listed releases.
    pub fn listed(&self) -> &Listed {
        &self.listed
    }

    /// The index of a content, if it is at hand.
    pub fn open(&self, content: &ContentId) -> Option<&Arc<Verified<ReleaseIndex>>> {
        self.open.get(content)
    }

    /// Listed releases whose index is missing and was not given up.
    pub fn missing(&self) -> impl Iterator<Item = &Verified<Release>> {
        let missing = |content: &ContentId| {
            !self.open.contains_key(content) && !self.dropped.contains(content)
        };
        let listed = self.listed.iter();
        listed
            .filter(move |(content, _)| missing(content))
            .map(|(_, release)| release)
    }

    /// Bytes of a missing index that the store kept; they are given once.
    pub fn take_stored(&mut self, content: &ContentId) -> Option<Arc<[u8]>> {
        self.stored.remove(content)
    }

    /// Takes a verified index over.
    pub fn insert(&mut self, content: ContentId, index: Arc<Verified<ReleaseIndex>>) {
        self.open.insert(content, index);
    }

    /// Gives an index up, by a user's wish.
    pub fn drop_content(&mut self, content: ContentId) {
        self.open.remove(&content);
        self.stored.remove(&content);
        self.dropped.insert(content);
    }

    /// A given-up index is wanted again.
    pub fn want(&mut self, content: &ContentId) {
        self.dropped.remove(content);
    }

    /// The content of an open index by the SHA-256 of its bytes.
    pub fn by_sha256(&self, sha256: &[u8; 32]) -> Option<ContentId> {
        let mut open = self.open.keys();
        let named = |content: &&ContentId| {
            let release = self.listed.get(content);
            release.is_some_and(|release| release.sha256 == *sha256)
        };
        open.find(named).copied()
    }

    /// The listed release of an index request.
    pub fn release(&self, sha256: &[u8; 32]) -> Option<&Verified<Release>> {
        let mut listed = self.listed.values();
        listed.find(|release| release.sha256 == *sha256)
    }
}

/// How the index of a release is asked for.
pub fn reference(release: &Release) -> DocumentRef {
    DocumentRef::Index {
        sha256: release.sha256,
        name: format!("{}/{}", release.line, release.id),
    }
}
