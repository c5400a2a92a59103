//! The checks of one document against the chain, in the order of T-15: size,
//! form, type, signatures, version, pin, expiry.

use crate::document::{Held, Pin, Root, Snapshot, Targets, Timestamp};
use crate::envelope::Envelope;
use crate::limits::document_len_max;
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::state::chain::{Chain, Step, lists_all};
use crate::time::UtcTime;

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From anyone, at this time.
    Foreign(UtcTime),
    /// From the own store: it was verified before, so it may have expired
    /// since, and a newer document may already name its successor (T-22).
    Store,
}

impl Chain {
    pub(crate) fn admit(
        &self,
        role: &RoleName,
        bytes: &[u8],
        source: Source,
    ) -> Result<Step, Refusal> {
        match role {
            RoleName::Root => self.admit_root(bytes),
            RoleName::Timestamp => self.admit_timestamp(bytes, source),
            RoleName::Snapshot => self.admit_snapshot(bytes, source),
            RoleName::Targets => self.admit_targets(bytes, source),
            RoleName::Line(line) => self.admit_line(role, line, bytes, source),
        }
    }

    /// From version N to exactly N + 1, signed by the thresholds of both. An
    /// expired root may be passed through on the way to a newer one (T-17).
    fn admit_root(&self, bytes: &[u8]) -> Result<Step, Refusal> {
        let role = RoleName::Root;
        let envelope = Envelope::open(&role, bytes, document_len_max(&role))?;
        let held = &self.root;
        let version = envelope.version();
        if version < held.version {
            let known = self.roots.get(&version);
            let same = known.is_some_and(|known| **known == *bytes);
            return if same {
                Ok(Step::Same)
            } else {
                Err(Refusal::Rollback)
            };
        }
        if version == held.version {
            if envelope.digest() == held.digest {
                return Ok(Step::Same);
            }
            held.body.root.check(&envelope)?;
            return Err(Refusal::Contradiction);
        }
        if version != held.version + 1 {
            return Err(Refusal::Pending);
        }
        let next = Held::<Root>::verify(&envelope, bytes, &held.body.root)?;
        next.body.root.check(&envelope)?;
        Ok(Step::Root(Box::new(next)))
    }

    fn admit_timestamp(&self, bytes: &[u8], source: Source) -> Result<Step, Refusal> {
        let role = RoleName::Timestamp;
        if self.root.version < self.floors.version("root") {
            return Err(Refusal::Pending);
        }
        let held = self.timestamp.as_ref();
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = Envelope::open(&role, bytes, document_len_max(&role))?;
        let keys = &self.root.body.timestamp;
        let next = Held::<Timestamp>::verify(&envelope, bytes, keys)?;
        self.floors.check("timestamp", next.version, &next.digest)?;
        if held.is_some_and(|held| held.digest == next.digest) {
            return Ok(Step::Same);
        }
        if next.body.snapshot.version < self.floors.version("snapshot") {
            return Err(Refusal::Rollback);
        }
        if let Source::Foreign(utc) = source
            && self.root.is_expired(utc)
        {
            return Err(Refusal::Expired);
        }
        check_expiry(&next, source)?;
        Ok(Step::Timestamp(Box::new(next)))
    }

    fn admit_snapshot(&self, bytes: &[u8], source: Source) -> Result<Step, Refusal> {
        let role = RoleName::Snapshot;
        let pin = self.snapshot_pin().ok_or(Refusal::Pending)?;
        let held = self.snapshot.as_ref();
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = Envelope::open(&role, bytes, len_max(&role, pin, source))?;
        let next = Held::<Snapshot>::verify(&envelope, bytes, &self.root.body.snapshot)?;
        if is_same(held, &next, pin) {
            return Ok(Step::Same);
        }
        self.check_pinned(&role, pin, &next, source)?;
        if source != Source::Store && !lists_all(&next.body, &self.floors) {
            return Err(Refusal::Rollback);
        }
        check_expiry(&next, source)?;
        Ok(Step::Snapshot(Box::new(next)))
    }

    fn admit_targets(&self, bytes: &[u8], source: Source) -> Result<Step, Refusal> {
        let role = RoleName::Targets;
        if source != Source::Store {
            self.current_snapshot().ok_or(Refusal::Pending)?;
        }
        let pin = self.pin(&role).ok_or(Refusal::Pending)?;
        let held = self.targets.as_ref();
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = Envelope::open(&role, bytes, len_max(&role, pin, source))?;
        let next = Held::<Targets>::verify(&envelope, bytes, &self.root.body.targets)?;
        if is_same(held, &next, pin) {
            return Ok(Step::Same);
        }
        self.check_pinned(&role, pin, &next, source)?;
        check_expiry(&next, source)?;
        Ok(Step::Targets(Box::new(next)))
    }

    fn admit_line(
        &self,
        role: &RoleName,
        line: &str,
        bytes: &[u8],
        source: Source,
    ) -> Result<Step, Refusal> {
        if !self.load.takes(line) {
            return Err(Refusal::NotDelegated);
        }
        let targets = match source {
            Source::Foreign(_) => self.current_targets(),
            Source::Store => self.targets.as_ref(),
        };
        let targets = &targets.ok_or(Refusal::Pending)?.body;
        let delegation = targets.delegation(&role.to_string());
        let delegation = delegation.ok_or(Refusal::NotDelegated)?;
        let pin = self.pin(role).ok_or(Refusal::Pending)?;
        let held = self.lines.get(line);
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = Envelope::open(role, bytes, len_max(role, pin, source))?;
        let next = Held::<Targets>::verify(&envelope, bytes, &delegation.keys)?;
        if is_same(held, &next, pin) {
            return Ok(Step::Same);
        }
        self.check_pinned(role, pin, &next, source)?;
        check_expiry(&next, source)?;
        Ok(Step::Line(line.to_owned(), Box::new(next)))
    }

    /// Version and hash must be the pinned ones, and not below the floor.
    fn check_pinned<T>(
        &self,
        role: &RoleName,
        pin: &Pin,
        next: &Held<T>,
        source: Source,
    ) -> Result<(), Refusal> {
        if next.version > pin.version {
            return Err(Refusal::Pending);
        }
        if source == Source::Store {
            return Ok(());
        }
        if next.version < pin.version {
            return Err(Refusal::Rollback);
        }
        self.floors
            .check(&role.to_string(), next.version, &next.digest)?;
        if pin.fits(next) {
            Ok(())
        } else {
            Err(Refusal::HashMismatch)
        }
    }
}

/// The smaller of the cap and the pinned length (T-13).
pub(crate) fn len_max(role: &RoleName, pin: &Pin, source: Source) -> usize {
    let cap = document_len_max(role);
    let pinned = pin.len.and_then(|len| usize::try_from(len).ok());
    match (source, pinned) {
        (Source::Foreign(_), Some(pinned)) => pinned.min(cap),
        (Source::Foreign(_), None) | (Source::Store, _) => cap,
    }
}

/// Whether the statement is held and pinned as it is. One that only carries
/// other signatures is taken if the pin asks for exactly those bytes.
fn is_same<T>(held: Option<&Held<T>>, next: &Held<T>, pin: &Pin) -> bool {
    held.is_some_and(|held| held.digest == next.digest && (pin.fits(held) || !pin.fits(next)))
}

fn check_expiry<T>(next: &Held<T>, source: Source) -> Result<(), Refusal> {
    match source {
        Source::Foreign(utc) if next.is_expired(utc) => Err(Refusal::Expired),
        Source::Foreign(_) | Source::Store => Ok(()),
    }
}
