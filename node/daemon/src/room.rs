//! A disk or store that takes no more: what lacks, how much, and what to do. A
//! node that lacks room stays up, answers its control socket and goes on by
//! itself as soon as there is room.

use std::error::Error;
use std::io;
use std::path::Path;

use patchmesh_core::record::ReleaseState;
use patchmesh_core::view::ReleaseView;
use patchmesh_store::{CommitError, FullCause, PutError, SyncError, Usage};

use crate::troubles::Found;

/// What troubles of this kind are about.
pub(crate) const ABOUT: &str = "room";
/// Room for this many bytes lets work go on.
pub(crate) const ROOM_BYTES: u64 = 8 * 1024 * 1024;
/// The disk of the state folder is full.
pub(crate) const DISK_FULL: &str = "DiskFull";
/// The store's quota is used up.
pub(crate) const STORE_FULL: &str = "StoreFull";
/// The disk fails in another way.
pub(crate) const DISK_FAILED: &str = "DiskFailed";

/// What lacked when something was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Free space on the disk.
    Disk,
    /// Room below `store.quota`.
    Quota,
    /// A disk that works: what the system said.
    Works(String),
}

impl Lack {
    /// Of a chunk that was not stored.
    pub(crate) fn of_put(error: &PutError) -> Self {
        match error {
            PutError::Full { cause, .. } => match cause {
                FullCause::Disk => Self::Disk,
                FullCause::Quota => Self::Quota,
            },
            PutError::TooLong { .. } | PutError::Io { .. } => Self::Works(chain(error)),
        }
    }

    /// Of a fact that was not made durable.
    pub(crate) fn of_commit(error: &CommitError) -> Self {
        if error.is_full() {
            Self::Disk
        } else {
            Self::Works(chain(error))
        }
    }

    /// Of chunks that were not made durable.
    pub(crate) fn of_sync(error: &SyncError) -> Self {
        if error.is_full() {
            Self::Disk
        } else {
            Self::Works(chain(error))
        }
    }

    /// As a trouble of a node with this state folder and these releases.
    pub(crate) fn found(&self, state: &Path, usage: &Usage, releases: &[ReleaseView]) -> Found {
        let needed = needed(releases);
        let shown = state.display();
        match self {
            Self::Disk => {
                let free = usage.disk_free_bytes.unwrap_or(0);
                let missing = needed.saturating_add(ROOM_BYTES).saturating_sub(free);
                Found {
                    code: DISK_FULL,
                    detail: format!(
                        "the disk of {shown} is full: {} free, {} more needed",
                        mib(free),
                        mib(missing.max(1))
                    ),
                    hint: "free space on that disk; the node goes on by itself within seconds",
                }
            }
            Self::Quota => {
                let (used, quota) = (usage.used_bytes, usage.quota_bytes);
                let chunks = chunks_needed(releases);
                let missing = used.saturating_add(chunks).saturating_sub(quota).max(1);
                Found {
                    code: STORE_FULL,
                    detail: format!(
                        "the store in {shown} is full: {} of store.quota {} used, {} more needed",
                        mib(used),
                        mib(quota),
                        mib(missing)
                    ),
                    hint: "raise `store.quota` and restart the node, or withdraw a release",
                }
            }
            Self::Works(said) => Found {
                code: DISK_FAILED,
                detail: format!("the disk of {shown} fails: {said}"),
                hint: "look at the system's log for this disk, and at the rights of the folder",
            },
        }
    }
}

/// Whether an error of a file call says that the disk is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Bytes that the releases under way still take: missing chunks and the trees
/// that are built of them.
fn needed(releases: &[ReleaseView]) -> u64 {
    let trees = under_way(releases).map(|release| release.total_bytes);
    trees.fold(chunks_needed(releases), u64::saturating_add)
}

fn chunks_needed(releases: &[ReleaseView]) -> u64 {
    let missing = |release: &ReleaseView| {
        let (held, total) = (release.chunks_held, release.chunks_total);
        let product = u128::from(release.wire_bytes) * u128::from(total.saturating_sub(held));
        u64::try_from(product / u128::from(total.max(1))).unwrap_or(u64::MAX)
    };
    let missing = under_way(releases).map(missing);
    missing.fold(0, u64::saturating_add)
}

fn under_way(releases: &[ReleaseView]) -> impl Iterator<Item = &ReleaseView> {
    let fetching = |release: &&ReleaseView| release.state == ReleaseState::Fetching;
    releases.iter().filter(fetching)
}

/// Rounded up to tenths, so that "more needed" is never too little.
fn mib(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(free: u64) -> Usage {
        Usage {
            chunks: 3,
            used_bytes: 3 << 20,
            quota_bytes: 4 << 20,
            pending_bytes: 0,
            disk_free_bytes: Some(free),
        }
    }

    fn fetching() -> ReleaseView {
        ReleaseView {
            line: "desktop".to_owned(),
            id: "one".to_owned(),
            content: patchmesh_content::id::ContentId([1; 32]),
            severity: String::new(),
            state: ReleaseState::Fetching,
            chunks_held: 10,
            chunks_total: 40,
            wire_bytes: 4 << 20,
            total_bytes: 8 << 20,
            waiting_on: Vec::new(),
        }
    }

    #[test]
    fn a_lack_says_where_how_much_and_what_to_do() {
        let of = |lack: &Lack, releases: &[ReleaseView]| {
            lack.found(Path::new("/s"), &usage(1 << 20), releases)
        };
        let full = of(&Lack::Disk, &[fetching()]);
        // 3 MiB of chunks, 8 of files, 8 to go on with, 1 is free.
        let says = "the disk of /s is full: 1.0 MiB free, 18.0 MiB more needed";
        assert_eq!((full.code, full.detail.as_str()), (DISK_FULL, says));
        let quota = of(&Lack::Quota, &[fetching()]);
        assert_eq!(quota.code, STORE_FULL);
        assert!(quota.detail.ends_with("2.0 MiB more needed"), "{quota:?}");
        let mut staged = fetching();
        staged.state = ReleaseState::Staged;
        let idle = of(&Lack::Disk, &[staged]);
        assert!(idle.detail.contains("7.0 MiB more needed"), "{idle:?}");
        let broken = of(&Lack::Works("no".to_owned()), &[]);
        assert!(broken.detail.contains("/s fails: no"), "{broken:?}");
    }

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(mib(0), "0.0 MiB");
        assert_eq!(mib(1), "0.1 MiB");
        assert_eq!(mib(u64::MAX), "17592186044416.0 MiB");
    }
}
