//! A modelled store: records are durable when they are committed, chunks only
//! after a while; a crash loses what is younger.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_content::id::{ChunkId, ContentId};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::record::{Record, ReleaseState, Restored, StoredStops, Witnessed};
use patchmesh_core::time::{Duration, Time};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::role::RoleName;

/// Chunks are durable at the latest after this time, as in the daemon.
const FLUSH: Duration = Duration::secs(2);

/// What one node has on disk.
#[derive(Debug, Clone)]
pub struct Store {
    documents: BTreeMap<(RoleName, u64), Arc<[u8]>>,
    floors: Option<Vec<u8>>,
    proofs: BTreeMap<RoleName, Arc<[u8]>>,
    annexes: BTreeMap<AnnexName, Arc<[u8]>>,
    log: BTreeMap<u64, Arc<[u8]>>,
    witnessed: Option<Witnessed>,
    cosignatures: BTreeMap<[u8; 32], Arc<[u8]>>,
    stops: BTreeMap<[u8; 32], Arc<[u8]>>,
    stop_list: Option<Arc<[u8]>>,
    indexes: BTreeMap<ContentId, (Arc<[u8]>, Arc<ReleaseIndex>)>,
    releases: BTreeMap<ContentId, ReleaseState>,
    chunks: BTreeMap<ChunkId, Time>,
}

impl Default for Store {
    /// The disk of a node whose key was just made.
    fn default() -> Self {
        Self {
            documents: BTreeMap::new(),
            floors: None,
            proofs: BTreeMap::new(),
            annexes: BTreeMap::new(),
            log: BTreeMap::new(),
            witnessed: Some(Witnessed::default()),
            cosignatures: BTreeMap::new(),
            stops: BTreeMap::new(),
            stop_list: None,
            indexes: BTreeMap::new(),
            releases: BTreeMap::new(),
            chunks: BTreeMap::new(),
        }
    }
}

impl Store {
    /// Makes a record durable.
    pub fn commit(&mut self, record: Record) {
        match record {
            Record::Document {
                role,
                version,
                bytes,
                floors,
            } => {
                if role != RoleName::Root {
                    self.documents.retain(|(other, _), _| *other != role);
                }
                self.documents.insert((role, version), bytes);
                self.floors = Some(floors);
            }
            Record::Log { tile, hashes } => {
                self.log.insert(tile, hashes);
            }
            Record::Proof { role, bytes } => {
                self.proofs.insert(role, bytes);
            }
            Record::Annex { name, bytes } => {
                self.annexes.insert(name, bytes);
            }
            Record::Witnessed(witnessed) => self.witnessed = Some(witnessed),
            Record::Cosignature { witness, bytes } => {
                match bytes {
                    Some(bytes) => self.cosignatures.insert(witness, bytes),
                    None => self.cosignatures.remove(&witness),
                };
            }
            Record::Stop { name, bytes } => {
                match bytes {
                    Some(bytes) => self.stops.insert(name, bytes),
                    None => self.stops.remove(&name),
                };
            }
            Record::StopList { bytes } => self.stop_list = Some(bytes),
            Record::Index { content, bytes } => {
                let index = ReleaseIndex::decode(&bytes).expect("the engine verified it");
                self.indexes.insert(content, (bytes, Arc::new(index)));
            }
            Record::Release { content, state } => {
                self.releases.insert(content, state);
            }
            Record::Forget { content } => {
                self.releases.remove(&content);
                self.indexes.remove(&content);
            }
        }
    }

    /// Writes a chunk.
    pub fn insert(&mut self, chunk: ChunkId, now: Time) {
        self.chunks.entry(chunk).or_insert(now);
    }

    /// Whether a chunk was written.
    pub fn contains(&self, chunk: &ChunkId) -> bool {
        self.chunks.contains_key(chunk)
    }

    /// A stored index.
    pub fn index(&self, content: &ContentId) -> Option<&(Arc<[u8]>, Arc<ReleaseIndex>)> {
        self.indexes.get(content)
    }

    /// Whether every chunk of a content is there.
    pub fn is_whole(&self, content: &ContentId) -> bool {
        let index = self.indexes.get(content);
        index.is_some_and(|(_, index)| index.chunks.iter().all(|chunk| self.contains(&chunk.id)))
    }

    /// State of a release.
    pub fn release(&self, content: &ContentId) -> Option<ReleaseState> {
        self.releases.get(content).copied()
    }

    /// Highest stored version of a role; 0 for none.
    pub fn version(&self, role: &RoleName) -> u64 {
        let versions = self.documents.keys();
        let versions = versions.filter(|(other, _)| other == role);
        versions.map(|(_, version)| *version).max().unwrap_or(0)
    }

    /// Stored cosignatures.
    pub fn cosignatures(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        self.cosignatures.values()
    }

    /// Power fails: chunks younger than the flush time are gone.
    pub fn crash(&mut self, now: Time) {
        self.chunks
            .retain(|_, written| now.since(*written) >= FLUSH);
    }

    /// What a start gives back.
    pub fn restore(&self) -> Restored {
        let documents = self.documents.iter();
        let indexes = self.indexes.iter();
        Restored {
            documents: documents
                .map(|((role, _), bytes)| (role.clone(), Arc::clone(bytes)))
                .collect(),
            floors: self.floors.clone(),
            proofs: self.proofs.values().cloned().collect(),
            annexes: self.annexes.clone().into_iter().collect(),
            log: self.log.values().flat_map(|tile| tile.to_vec()).collect(),
            witnessed: self.witnessed,
            cosignatures: self.cosignatures.values().cloned().collect(),
            stops: StoredStops {
                list: self.stop_list.clone(),
                outstanding: self.stops.values().cloned().collect(),
            },
            indexes: indexes
                .map(|(content, (bytes, _))| (*content, Arc::clone(bytes)))
                .collect(),
            releases: self.releases.clone().into_iter().collect(),
            chunks: self.chunks.keys().copied().collect(),
        }
    }
}
