//! A disk in memory that can fail any call, be killed with the process, or lose
//! its power: then a name or a 4 KiB block that was not synced is there or not,
//! each by its own chance.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::disk::{Disk, DiskFile};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails.
    Eio,
    /// A write finds the disk full.
    Full,
    /// A write is interrupted before the first byte.
    Interrupted,
    /// A write takes half of the bytes.
    Short,
    /// The power goes: this call and all later ones fail.
    Cut,
}

impl Fault {
    /// Whether only writes are counted.
    fn is_for_writes(self) -> bool {
        matches!(self, Self::Full | Self::Interrupted | Self::Short)
    }
}

/// The disk; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<World>>);

#[derive(Debug, Clone, Default)]
struct World {
    /// By path; comparing paths part by part would take most of the time.
    dirs: BTreeMap<OsString, Dir>,
    files: Vec<Versions<Vec<u8>>>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    /// Files in bad sectors.
    bad: BTreeSet<OsString>,
    is_off: bool,
}

#[derive(Debug, Clone, Default)]
struct Dir {
    names: Versions<BTreeMap<String, usize>>,
    is_durable: bool,
}

/// What reads show, and what a power cut leaves for sure.
#[derive(Debug, Clone, Default)]
struct Versions<T> {
    now: T,
    durable: T,
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl SimDisk {
    /// A disk with one empty folder.
    pub(crate) fn new(dir: &Path) -> Self {
        let disk = Self::default();
        let is_durable = true;
        let names = Versions::default();
        let root = Dir { names, is_durable };
        disk.world().dirs.insert(dir.into(), root);
        disk
    }

    /// The call of this number from now, counted from 1, meets a fault.
    pub(crate) fn fail(&self, call: u64, fault: Fault) {
        let mut world = self.world();
        world.calls = 0;
        world.fault = Some((call, fault));
    }

    /// Reading this file fails from now on.
    pub(crate) fn spoil(&self, path: &Path) {
        self.world().bad.insert(path.into());
    }

    /// Whether the fault still waits for its call.
    pub(crate) fn is_waiting(&self) -> bool {
        self.world().fault.is_some()
    }

    /// The disk as the next process finds it after kill -9.
    pub(crate) fn after_kill(&self) -> Self {
        let mut world = self.world().clone();
        world.fault = None;
        world.is_off = false;
        Self(Arc::new(Mutex::new(world)))
    }

    /// The disk as the next process finds it after a power cut.
    pub(crate) fn after_cut(&self, seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let disk = self.after_kill();
        let mut world = disk.world();
        world.dirs.retain(|_, dir| dir.is_durable || chance.half());
        for dir in world.dirs.values_mut() {
            dir.names.tear(&mut chance);
            dir.is_durable = true;
        }
        for file in &mut world.files {
            file.tear(&mut chance);
        }
        drop(world);
        disk
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Counts a call that is not a write.
    fn call(&self) -> io::Result<MutexGuard<'_, World>> {
        let mut world = self.world();
        world.step(false)?;
        Ok(world)
    }
}

impl World {
    fn step(&mut self, is_write: bool) -> io::Result<Option<Fault>> {
        if is_write || !self.fault.is_some_and(|(_, fault)| fault.is_for_writes()) {
            self.calls += 1;
        }
        let due = self.fault.take_if(|(call, _)| *call == self.calls);
        let fault = due.map(|(_, fault)| fault);
        self.is_off |= fault == Some(Fault::Cut);
        match fault {
            _ if self.is_off => Err(io::Error::from_raw_os_error(EIO)),
            Some(Fault::Eio) => Err(io::Error::from_raw_os_error(EIO)),
            Some(Fault::Full) => Err(io::Error::from_raw_os_error(ENOSPC)),
            other => Ok(other),
        }
    }

    fn dir(&mut self, path: &Path) -> io::Result<&mut Dir> {
        self.dirs.get_mut(path.as_os_str()).ok_or_else(not_found)
    }

    fn file(&mut self, path: &Path) -> io::Result<usize> {
        let (dir, name) = split(path);
        let names = &self.dir(dir)?.names.now;
        names.get(&name).copied().ok_or_else(not_found)
    }
}

impl Disk for SimDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.call()?.dirs.entry(path.into()).or_default();
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.call()?;
        let file = if let Ok(file) = world.file(path) {
            file
        } else {
            world.files.push(Versions::default());
            let file = world.files.len() - 1;
            let (dir, name) = split(path);
            world.dir(dir)?.names.now.insert(name, file);
            file
        };
        world.files[file].now.clear();
        let disk = self.clone();
        Ok(Box::new(SimFile { disk, file }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.call()?.file(path)?;
        let disk = self.clone();
        Ok(Box::new(SimFile { disk, file }))
    }

    fn read(&self, path: &Path, len_max: usize) -> io::Result<Vec<u8>> {
        let mut world = self.call()?;
        if world.bad.contains(path.as_os_str()) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        let file = world.file(path)?;
        let bytes = world.files[file].now.clone();
        if bytes.len() > len_max {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(bytes)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let mut world = self.call()?;
        let file = world.file(path)?;
        Ok(world.files[file].now.len() as u64)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let names = self.call()?.dir(path)?.names.now.clone();
        Ok(names.into_keys().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.call()?;
        let file = world.file(from)?;
        let (dir, name) = split(to);
        world.dir(dir)?.names.now.insert(name, file);
        let (dir, name) = split(from);
        world.dir(dir)?.names.now.remove(&name);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.call()?;
        world.file(path)?;
        let (dir, name) = split(path);
        world.dir(dir)?.names.now.remove(&name);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.call()?;
        let names = &mut world.dir(path)?.names;
        names.durable = names.now.clone();
        let mut inside = path.as_os_str().to_owned();
        inside.push("/");
        let behind = world.dirs.range_mut(inside.clone()..);
        for (child, dir) in behind {
            let child = child.as_encoded_bytes();
            let Some(name) = child.strip_prefix(inside.as_encoded_bytes()) else {
                break;
            };
            dir.is_durable |= !name.contains(&b'/');
        }
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> Option<u64> {
        None
    }
}

impl DiskFile for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut world = self.disk.world();
        let count = match world.step(true)? {
            Some(Fault::Interrupted) => return Err(io::ErrorKind::Interrupted.into()),
            Some(Fault::Short) => bytes.len().div_ceil(2),
            _ => bytes.len(),
        };
        world.files[self.file]
            .now
            .extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut world = self.disk.call()?;
        let file = &mut world.files[self.file];
        file.durable = file.now.clone();
        Ok(())
    }
}

/// Chance from a seed (xorshift).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn half(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 & 0x100 != 0
    }
}

impl Versions<BTreeMap<String, usize>> {
    /// Each name that changed is the old one or the new one.
    fn tear(&mut self, chance: &mut Chance) {
        let mut after = self.durable.clone();
        let both = self.now.keys().chain(self.durable.keys());
        for name in both.cloned().collect::<Vec<_>>() {
            if self.now.get(&name) != self.durable.get(&name) && chance.half() {
                match self.now.get(&name) {
                    Some(file) => after.insert(name, *file),
                    None => after.remove(&name),
                };
            }
        }
        self.now.clone_from(&after);
        self.durable = after;
    }
}

impl Versions<Vec<u8>> {
    /// Each block that changed is the old one or the new one; so is the length.
    fn tear(&mut self, chance: &mut Chance) {
        if self.now == self.durable {
            return;
        }
        let mut after = self.durable.clone();
        if chance.half() {
            after.resize(self.now.len(), 0);
        }
        for (at, block) in after.chunks_mut(4096).enumerate() {
            let written = self.now.iter().skip(at * 4096);
            if chance.half() {
                block
                    .iter_mut()
                    .zip(written)
                    .for_each(|(old, new)| *old = *new);
            }
        }
        self.now.clone_from(&after);
        self.durable = after;
    }
}

fn split(path: &Path) -> (&Path, String) {
    let name = path.file_name().unwrap().to_str().unwrap();
    (path.parent().unwrap(), name.to_owned())
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}
