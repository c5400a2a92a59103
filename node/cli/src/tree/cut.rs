//! Cuts a tree into chunks and compresses them on all cores. The order of the
//! pack never depends on the number of cores.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_pack::compress::compress;
use patchmesh_pack::pack::{Pack, PackWriter};
use patchmesh_pack::plan::{ChunkSink, NewChunk, PlanError, Planned, Planner, ReleaseFacts};

use crate::failure::Failure;
use crate::tree::progress::Progress;
use crate::tree::walk::{self, Entry, Kind};

/// Chunks under way for each core: enough that no core waits for the reader.
/// With 512 KiB chunks it bounds the memory to 4 MiB for each core.
const CHUNKS_PER_CORE: usize = 4;

type Compressed = (u32, io::Result<Vec<u8>>);

/// Cuts, compresses and writes the pack.
pub(crate) fn build(
    entries: &[Entry],
    facts: ReleaseFacts,
    level: i32,
    pack: impl Write,
    progress: &mut Progress<'_>,
) -> anyhow::Result<ReleaseIndex> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let under_way_max = cores * CHUNKS_PER_CORE;
    let (work, to_do) = sync_channel::<NewChunk>(under_way_max);
    let (hand_in, done) = sync_channel::<Compressed>(under_way_max);
    let to_do = Mutex::new(to_do);
    thread::scope(|scope| {
        for _ in 0..cores {
            let hand_in = hand_in.clone();
            let to_do = &to_do;
            scope.spawn(move || work_off(to_do, &hand_in, level));
        }
        drop(hand_in);
        let line = Line {
            work: Some(work),
            done,
            waiting: BTreeMap::new(),
            under_way: 0,
            under_way_max,
            next: 0,
            writer: PackWriter::new(pack),
        };
        let (planned, pack) = plan(entries, facts, line, progress)?;
        let index = planned.index(pack);
        index.map_err(|error| {
            let message = format!("the tree cannot be released: {error}");
            Failure::failed("E_TREE_NAME", message).into()
        })
    })
}

fn plan<W: Write>(
    entries: &[Entry],
    facts: ReleaseFacts,
    mut line: Line<W>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<(Planned, Pack)> {
    let mut tree_plan = Planner::new(facts);
    for entry in entries {
        match &entry.kind {
            Kind::Directory => tree_plan.directory(&entry.path, entry.mode).map_err(tree)?,
            Kind::File {
                place,
                len,
                identity,
            } => {
                let file = walk::open(place, *identity)?;
                let mut counted = Counted { file, read: 0 };
                tree_plan
                    .file(&entry.path, entry.mode, &mut counted, &mut line)
                    .map_err(tree)?;
                if counted.read != *len {
                    let message = format!("{} changed while it was read", place.display());
                    return Err(Failure::failed("E_TREE_CHANGED", message).into());
                }
                progress.add(*len);
            }
            Kind::Link(target) => tree_plan
                .link(&entry.path, entry.mode, target)
                .map_err(tree)?,
        }
    }
    let planned = tree_plan.finish(&mut line).map_err(tree)?;
    let pack = line.finish().context("failed to write the pack")?;
    Ok((planned, pack))
}

fn tree(error: PlanError) -> anyhow::Error {
    let id = match &error {
        PlanError::Mode { .. } => "E_TREE_MODE",
        PlanError::Order { .. } | PlanError::Path { .. } => "E_TREE_NAME",
        PlanError::TooManyChunks => "E_TREE_TOO_LARGE",
        PlanError::Read { .. } | PlanError::Sink(_) => return error.into(),
    };
    Failure::failed(id, error.to_string()).into()
}

/// What one core does until there is no more work.
fn work_off(to_do: &Mutex<Receiver<NewChunk>>, hand_in: &SyncSender<Compressed>, level: i32) {
    loop {
        let next = to_do.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else { return };
        let frame = compress(&chunk.plain, level).map_err(io::Error::other);
        if hand_in.send((chunk.chunk.0, frame)).is_err() {
            return;
        }
    }
}

/// Chunks on their way through the cores, back in order at the end.
struct Line<W> {
    work: Option<SyncSender<NewChunk>>,
    done: Receiver<Compressed>,
    waiting: BTreeMap<u32, Vec<u8>>,
    /// Handed out and not yet written; both channels have room for as many, so
    /// neither side ever waits for the other in a circle.
    under_way: usize,
    under_way_max: usize,
    next: u32,
    writer: PackWriter<W>,
}

impl<W: Write> Line<W> {
    fn collect_one(&mut self) -> io::Result<()> {
        let gone = |_| io::Error::other("the compressing threads ended");
        let (number, frame) = self.done.recv().map_err(gone)?;
        self.waiting.insert(number, frame?);
        while let Some(frame) = self.waiting.remove(&self.next) {
            self.writer.append(&frame)?;
            self.next += 1;
            self.under_way -= 1;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Pack> {
        self.work = None;
        while self.under_way > 0 {
            self.collect_one()?;
        }
        let (_, pack) = self.writer.finish()?;
        Ok(pack)
    }
}

impl<W: Write> ChunkSink for Line<W> {
    fn take(&mut self, chunk: NewChunk) -> io::Result<()> {
        while self.under_way >= self.under_way_max {
            self.collect_one()?;
        }
        let work = self.work.as_ref().expect("work ends only with finish");
        work.send(chunk)
            .map_err(|_| io::Error::other("the compressing threads ended"))?;
        self.under_way += 1;
        Ok(())
    }
}

/// Counts what is read, to notice a file that grows or shrinks meanwhile.
struct Counted<R> {
    file: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
