//! Which chunks the store has, over all contents: releases share chunks, and a
//! chunk that came in for one need not be fetched for another.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ChunkId, ContentId};
use patchmesh_content::index::ReleaseIndex;

use crate::swarm::event::Elsewhere;

/// A position of a chunk.
pub type Place = (ContentId, ChunkIndex);

/// Chunks of the store and where they occur in the open contents.
#[derive(Debug, Default)]
pub struct Inventory {
    stored: BTreeSet<ChunkId>,
    places: BTreeMap<ChunkId, Vec<Place>>,
    contents: BTreeMap<ContentId, Vec<ChunkId>>,
}

impl Inventory {
    /// Chunks that were in the store at the start.
    pub fn new(stored: Vec<ChunkId>) -> Self {
        Self {
            stored: stored.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes a content in; returns which of its chunks the store has.
    pub fn open(&mut self, content: ContentId, index: &ReleaseIndex) -> Bitfield {
        let ids: Vec<ChunkId> = index.chunks.iter().map(|chunk| chunk.id).collect();
        let mut held = Bitfield::empty(index.chunks_len());
        for (at, id) in (0..).zip(&ids) {
            self.places
                .entry(*id)
                .or_default()
                .push((content, ChunkIndex(at)));
            if self.stored.contains(id) {
                held.insert(ChunkIndex(at));
            }
        }
        self.contents.insert(content, ids);
        held
    }

    /// Notes a chunk that was written; returns where else it occurs.
    pub fn gained(&mut self, place: Place) -> Vec<Place> {
        let Some(id) = self.id(place) else {
            return Vec::new();
        };
        self.stored.insert(id);
        self.others(id, place)
    }

    /// Notes a chunk that is gone from disk; returns where else it occurs.
    pub fn lost(&mut self, place: Place) -> Vec<Place> {
        let Some(id) = self.id(place) else {
            return Vec::new();
        };
        self.stored.remove(&id);
        self.others(id, place)
    }

    /// Which missing chunks of each of these contents come by another of them:
    /// by the one with the smallest name, so that every node decides alike.
    pub fn shared(&self, wanted: &BTreeSet<ContentId>) -> Vec<(ContentId, Elsewhere)> {
        let one = |content: &ContentId| {
            let mut places = Elsewhere::new();
            let ids = self.contents.get(content).into_iter().flatten();
            for (at, id) in (0..).zip(ids) {
                if self.stored.contains(id) {
                    continue;
                }
                let others = self.places.get(id).into_iter().flatten();
                let first = others.filter(|(other, _)| wanted.contains(other)).min();
                if let Some(place) = first.filter(|(other, _)| other < content) {
                    places.insert(ChunkIndex(at), *place);
                }
            }
            (*content, places)
        };
        wanted.iter().map(one).collect()
    }

    /// Lets go of a content. Chunks that no other open content has count as
    /// gone, because the store may sweep them from now on.
    pub fn close(&mut self, content: &ContentId) {
        for id in self.contents.remove(content).unwrap_or_default() {
            let Some(places) = self.places.get_mut(&id) else {
                continue;
            };
            places.retain(|(other, _)| other != content);
            if places.is_empty() {
                self.places.remove(&id);
                self.stored.remove(&id);
            }
        }
    }

    fn id(&self, (content, chunk): Place) -> Option<ChunkId> {
        let ids = self.contents.get(&content)?;
        ids.get(chunk.0 as usize).copied()
    }

    fn others(&self, id: ChunkId, place: Place) -> Vec<Place> {
        let places = self.places.get(&id);
        let others = places.into_iter().flatten().copied();
        others.filter(|other| *other != place).collect()
    }
}
