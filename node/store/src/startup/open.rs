//! Opening a store.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use patchmesh_core::record::Restored;

use crate::disk::{Disk, RealDisk};
use crate::error::OpenError;
use crate::index::{Index, IndexError, Lengths, OpenIndex};
use crate::inner::{Gate, Held, Store};
use crate::layout::Layout;
use crate::options::{OpenReport, Options};
use crate::startup::migrate;
use crate::startup::rebuild::{adopt_incoming, remove_leftovers, scan};
use crate::startup::restore::{Failed, Restorer};

/// An open store.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What survived, for the engine.
    pub restored: Restored,
    /// What opening had to repair, for the log.
    pub report: OpenReport,
}

impl Store {
    /// Opens the store in a folder, creating it where there is none.
    pub fn open(dir: &Path, options: Options) -> Result<Opened, OpenError> {
        let layout = Layout::new(dir);
        let disk = RealDisk;
        fs::create_dir_all(dir).map_err(failed("creating", dir))?;
        let lock = lock(&layout)?;
        let mut report = OpenReport::default();
        let restored = prepare(&disk, &layout, &options, &mut report)?;
        let index = open_index(&layout, &options, &mut report);
        let lock = Some(lock);
        finish(
            Arc::new(disk),
            layout,
            options,
            (restored, index, report, lock),
        )
    }

    /// Opens a store on another disk and without an index.
    #[cfg(test)]
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<Opened, OpenError> {
        let layout = Layout::new(dir);
        let mut report = OpenReport::default();
        let restored = prepare(disk.as_ref(), &layout, &options, &mut report)?;
        finish(disk, layout, options, (restored, None, report, None))
    }
}

/// Checks the format, makes the folders, clears up and reads the records.
fn prepare(
    disk: &dyn Disk,
    layout: &Layout,
    options: &Options,
    report: &mut OpenReport,
) -> Result<Restored, OpenError> {
    let is_new = migrate::check(disk, layout)?;
    disk.make_dir(layout.dir())
        .map_err(failed("creating", layout.dir()))?;
    for dir in layout.dirs() {
        disk.make_dir(&dir).map_err(failed("creating", &dir))?;
    }
    for shard in 0..=u8::MAX {
        let dir = layout.shard(shard);
        disk.make_dir(&dir).map_err(failed("creating", &dir))?;
    }
    for dir in [layout.chunks(), layout.trust(), layout.dir().to_owned()] {
        disk.sync_dir(&dir).map_err(failed("syncing", &dir))?;
    }
    if is_new {
        migrate::write(disk, layout).map_err(failed("writing", &layout.format()))?;
    }
    remove_leftovers(disk, layout, report)?;
    adopt_incoming(disk, layout, options.sync_threads, report)?;
    let mut restorer = Restorer {
        disk,
        layout,
        report,
    };
    Ok(restorer.restore()?)
}

/// What the steps before `finish` gave.
type Parts = (Restored, Option<OpenIndex>, OpenReport, Option<File>);

/// Lists the chunks and puts the store together.
fn finish(
    disk: Arc<dyn Disk>,
    layout: Layout,
    options: Options,
    (mut restored, index, mut report, lock): Parts,
) -> Result<Opened, OpenError> {
    let (index, lengths, fresh) = match index {
        Some(open) => (Some(open.index), open.lengths, open.fresh),
        None => (None, Lengths::new(), false),
    };
    let (held, stale) = scan(disk.as_ref(), &layout, &lengths, &mut report)?;
    // An index that is gone was lost, unless there never was anything in it.
    report.index_rebuilt |= fresh && !held.chunks.is_empty();
    restored.chunks = held.chunks.keys().copied().collect();
    let store = assemble(disk, layout, options, (held, index, stale), lock);
    store.update_index(&mut store.gate(), true);
    Ok(Opened {
        store,
        restored,
        report,
    })
}

fn assemble(
    disk: Arc<dyn Disk>,
    layout: Layout,
    options: Options,
    (held, index, stale): (Held, Option<Index>, BTreeSet<crate::index::Group>),
    lock: Option<File>,
) -> Store {
    let gate = Gate {
        index,
        stale,
        batches: 0,
    };
    Store::new(disk, layout, options, (held, gate), lock)
}

/// One process per store: the lock goes with the process, however it ends.
fn lock(layout: &Layout) -> Result<File, OpenError> {
    let path = layout.lock();
    let mut how = OpenOptions::new();
    how.write(true).create(true).truncate(false).mode(0o600);
    let file = how.open(&path).map_err(failed("opening", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Held {
            dir: layout.dir().to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed("locking", &path)(error)),
    }
}

/// Opens the index. One that does not open is put aside and a new one begun; if
/// that fails too, the store works without.
fn open_index(layout: &Layout, options: &Options, report: &mut OpenReport) -> Option<OpenIndex> {
    let dir = layout.index();
    let first = try_index(&dir, options);
    let error = match first {
        Ok(open) => return Some(open),
        Err(error) => error,
    };
    tracing::warn!(%error, "the index of the store does not open; it is built again");
    report.index_rebuilt = true;
    let aside = layout.quarantine().join("index");
    // Only the newest damaged index is kept.
    let moved = remove_tree(&aside).and_then(|()| fs::rename(&dir, &aside));
    if let Err(error) = moved.or_else(|_| remove_tree(&dir)) {
        tracing::warn!(%error, "the damaged index cannot be moved away");
    }
    match try_index(&dir, options) {
        Ok(open) => Some(open),
        Err(error) => {
            tracing::warn!(%error, "the store works without an index");
            report.index_off = true;
            None
        }
    }
}

fn try_index(dir: &Path, options: &Options) -> Result<OpenIndex, IndexError> {
    RealDisk.make_dir(dir)?;
    Index::open(dir, options.index_open_max)
}

fn remove_tree(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> OpenError + 'a {
    move |source| OpenError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

impl From<Failed> for OpenError {
    fn from(failed: Failed) -> Self {
        Self::Io {
            action: failed.action,
            path: failed.path,
            source: failed.source,
        }
    }
}

#[cfg(test)]
mod tests;
