//! What the chunk files themselves say: the truth behind the index.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use patchmesh_content::id::ChunkId;

use crate::chunks::CHUNK_FILE_LEN_MAX;
use crate::disk::Disk;
use crate::durable::quarantine;
use crate::index::{Group, Lengths};
use crate::inner::{Chunk, Held, Place};
use crate::layout::{Layout, TEMPORARY, chunk_id};
use crate::options::OpenReport;
use crate::parallel::for_each;
use crate::sealed::{SEAL_LEN, open};
use crate::startup::restore::Failed;

/// Removes files that a crash left unfinished.
pub(crate) fn remove_leftovers(
    disk: &dyn Disk,
    layout: &Layout,
    report: &mut OpenReport,
) -> Result<(), Failed> {
    let mut dirs = layout.dirs();
    dirs.push(layout.dir().to_owned());
    for dir in dirs {
        for name in disk.list(&dir).map_err(failed("listing", &dir))? {
            if name.ends_with(TEMPORARY) {
                let path = dir.join(name);
                disk.remove(&path).map_err(failed("removing", &path))?;
                report.leftovers_removed += 1;
            }
        }
    }
    Ok(())
}

/// Keeps the chunks of an unfinished batch that are complete: after kill -9
/// that is all of them. The others are removed.
pub(crate) fn adopt_incoming(
    disk: &dyn Disk,
    layout: &Layout,
    threads: usize,
    report: &mut OpenReport,
) -> Result<(), Failed> {
    let dir = layout.incoming();
    for name in disk.list(&dir).map_err(failed("listing", &dir))? {
        let path = dir.join(&name);
        let whole = chunk_id(&name).filter(|id| is_whole(disk, &path, id));
        if let Some(id) = whole {
            let kept = disk.open(&path).and_then(|mut file| file.sync());
            kept.and_then(|()| disk.rename(&path, &layout.chunk(&id)))
                .map_err(failed("keeping", &path))?;
            report.adopted += 1;
        } else {
            disk.remove(&path).map_err(failed("removing", &path))?;
            report.leftovers_removed += 1;
        }
    }
    settle(disk, layout, threads)
}

/// Makes the names of all chunks durable: the last process may have ended
/// between a rename and the sync of its folder, and a chunk that opening gives
/// back is never fetched again.
fn settle(disk: &dyn Disk, layout: &Layout, threads: usize) -> Result<(), Failed> {
    let shards = (0..=u8::MAX).map(|shard| layout.shard(shard)).collect();
    let synced = for_each(threads, shards, |path| {
        disk.sync_dir(&path).map_err(failed("syncing", &path))
    });
    synced.into_iter().collect()
}

/// Lists the durable chunks. Lengths come from the index where it knows them,
/// else from the file system. Also gives the groups whose index entry is old.
pub(crate) fn scan(
    disk: &dyn Disk,
    layout: &Layout,
    known: &Lengths,
    report: &mut OpenReport,
) -> Result<(Held, BTreeSet<Group>), Failed> {
    let mut held = Held::default();
    let mut stale = BTreeSet::new();
    for shard in 0..=u8::MAX {
        let dir = layout.shard(shard);
        for name in disk.list(&dir).map_err(failed("listing", &dir))? {
            let id = chunk_id(&name).filter(|id| id.0[0] == shard);
            let in_index = id.and_then(|id| known.get(&id).copied());
            let len = if in_index.is_some() {
                in_index
            } else {
                let path = dir.join(&name);
                plausible_len(disk.len(&path).map_err(failed("reading", &path))?)
            };
            let (Some(id), Some(len)) = (id, len) else {
                let path = dir.join(&name);
                quarantine(disk, layout, &path).map_err(failed("moving away", &path))?;
                report.quarantined.push(path.display().to_string());
                continue;
            };
            if in_index.is_none() {
                stale.insert(Group::of(&id));
            }
            held.used += u64::from(len);
            let place = Place::Durable;
            held.chunks.insert(id, Chunk { len, place });
        }
    }
    let gone = known.keys().filter(|id| !held.chunks.contains_key(id));
    stale.extend(gone.map(Group::of));
    Ok((held, stale))
}

/// A chunk file has a seal, at least one byte, and at most the longest frame.
fn plausible_len(len: u64) -> Option<u32> {
    let len = u32::try_from(len).ok()?;
    let bytes = usize::try_from(len).ok()?;
    (SEAL_LEN..=CHUNK_FILE_LEN_MAX)
        .contains(&bytes)
        .then_some(len)
}

fn is_whole(disk: &dyn Disk, path: &Path, id: &ChunkId) -> bool {
    let file = disk.read(path, CHUNK_FILE_LEN_MAX);
    file.is_ok_and(|file| open(&id.0, file).is_some())
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Failed + 'a {
    move |source| Failed {
        action,
        path: path.to_owned(),
        source,
    }
}
