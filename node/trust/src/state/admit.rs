//! The checks of one document against the chain, in the order of T-15: size,
//! form, type, signatures, version, pin, expiry.

use crate::document::{Held, Pin, Root, Snapshot, Targets, Timestamp};
use crate::envelope::Envelope;
use crate::limits::Profile;
use crate::log::head::Leaves;
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::state::chain::{Chain, Step, lists_all};
use crate::threshold::RoleKeys;
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
            RoleName::Timestamp => self.admit_timestamp(bytes, source, Leaves::NONE),
            RoleName::Snapshot => self.admit_snapshot(bytes, source),
            RoleName::Targets => self.admit_targets(bytes, source),
            RoleName::Line(_) | RoleName::Rollout | RoleName::Membership => {
                self.admit_statement(role, bytes, source)
            }
            // Only a look-up knows with whose keys such a role must speak.
            RoleName::Delegated(_) => Err(Refusal::NotDelegated),
        }
    }

    /// From version N to exactly N + 1, signed by the thresholds of both. An
    /// expired root may be passed through on the way to a newer one (T-17).
    fn admit_root(&self, bytes: &[u8]) -> Result<Step, Refusal> {
        let role = RoleName::Root;
        let envelope = Envelope::open_any(self.profile, &role, bytes)?;
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

    pub(crate) fn admit_timestamp(
        &self,
        bytes: &[u8],
        source: Source,
        leaves: Leaves<'_>,
    ) -> Result<Step, Refusal> {
        let role = RoleName::Timestamp;
        if self.root.version < self.floors.version("root") {
            return Err(Refusal::Pending);
        }
        let held = self.timestamp.as_ref();
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = Envelope::open_any(self.profile, &role, bytes)?;
        let keys = &self.root.body.timestamp;
        let next = Held::<Timestamp>::verify(&envelope, bytes, keys)?;
        let checked = self.floors.check("timestamp", next.version, &next.digest);
        // The specification keeps the first of two and goes on; a mesh refuses
        // the second by name, so that somebody hears of it.
        let is_other = checked == Err(Refusal::Contradiction) && held.is_some();
        if is_other && self.profile == Profile::Foreign {
            return Ok(Step::Same);
        }
        checked?;
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
        self.check_expiry(&role, &next, source)?;
        self.timestamp_step(next, source, leaves)
    }

    fn admit_snapshot(&self, bytes: &[u8], source: Source) -> Result<Step, Refusal> {
        let role = RoleName::Snapshot;
        let pin = self.snapshot_pin().ok_or(Refusal::Pending)?;
        let held = self.snapshot.as_ref();
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        let envelope = self.open_pinned(&role, bytes, pin, source)?;
        let next = Held::<Snapshot>::verify(&envelope, bytes, &self.root.body.snapshot)?;
        if is_same(held, &next, pin) {
            return Ok(Step::Same);
        }
        self.check_pinned(&role, pin, &next, source)?;
        if source != Source::Store && !lists_all(&next.body, &self.floors) {
            return Err(Refusal::Rollback);
        }
        self.check_expiry(&role, &next, source)?;
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
        let envelope = self.open_pinned(&role, bytes, pin, source)?;
        let next = Held::<Targets>::verify(&envelope, bytes, &self.root.body.targets)?;
        if is_same(held, &next, pin) {
            return Ok(Step::Same);
        }
        self.check_pinned(&role, pin, &next, source)?;
        self.check_expiry(&role, &next, source)?;
        Ok(Step::Targets(Box::new(next)))
    }

    fn admit_statement(
        &self,
        role: &RoleName,
        bytes: &[u8],
        source: Source,
    ) -> Result<Step, Refusal> {
        if !self.load.takes(role) {
            return Err(Refusal::NotDelegated);
        }
        let targets = match source {
            Source::Foreign(_) => self.current_targets(),
            Source::Store => self.targets.as_ref(),
        };
        let targets = &targets.ok_or(Refusal::Pending)?.body;
        let delegation = targets.delegation(&role.to_string());
        let delegation = delegation.ok_or(Refusal::NotDelegated)?;
        let held = self.delegated.get(&role.to_string());
        if held.is_some_and(|held| *held.bytes == *bytes) {
            return Ok(Step::Same);
        }
        self.admit_delegated(role, &delegation.keys, bytes, source)
    }

    /// The document of a delegated role, by the keys of its delegator.
    pub(crate) fn admit_delegated(
        &self,
        role: &RoleName,
        keys: &RoleKeys,
        bytes: &[u8],
        source: Source,
    ) -> Result<Step, Refusal> {
        let name = role.to_string();
        let pin = self.pin(role).ok_or(Refusal::Pending)?;
        let held = self.delegated.get(&name);
        let envelope = self.open_pinned(role, bytes, pin, source)?;
        let next = Held::<Targets>::verify(&envelope, bytes, keys)?;
        if is_same(held, &next, pin) && self.profile == Profile::Mesh {
            return Ok(Step::Same);
        }
        self.check_pinned(role, pin, &next, source)?;
        self.check_expiry(role, &next, source)?;
        Ok(Step::Delegated(name, Box::new(next), keys.clone()))
    }

    /// Size, form and type of a document that another one pins.
    fn open_pinned(
        &self,
        role: &RoleName,
        bytes: &[u8],
        pin: &Pin,
        source: Source,
    ) -> Result<Envelope, Refusal> {
        let len_max = len_max(self.profile, role, pin, source);
        Envelope::open(self.profile, role, bytes, len_max)
    }

    /// A document must not have expired. Where the specification is followed to
    /// the letter, nor must those above it, whatever order they come in; a mesh
    /// takes what is newer and says that it is stale.
    fn check_expiry<T>(
        &self,
        role: &RoleName,
        next: &Held<T>,
        source: Source,
    ) -> Result<(), Refusal> {
        let Source::Foreign(utc) = source else {
            return Ok(());
        };
        let above = self.profile == Profile::Foreign && self.is_expired_above(role, utc);
        if above || next.is_expired(utc) {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }

    fn is_expired_above(&self, role: &RoleName, utc: UtcTime) -> bool {
        fn is<T>(held: Option<&Held<T>>, utc: UtcTime) -> bool {
            held.is_some_and(|held| held.is_expired(utc))
        }
        let depth = match role {
            RoleName::Root => 0,
            RoleName::Timestamp => 1,
            RoleName::Snapshot => 2,
            RoleName::Targets => 3,
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => 4,
        };
        let above = [
            self.root.is_expired(utc),
            is(self.timestamp.as_ref(), utc),
            is(self.snapshot.as_ref(), utc),
            is(self.targets.as_ref(), utc),
        ];
        above[..depth].contains(&true)
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
pub(crate) fn len_max(profile: Profile, role: &RoleName, pin: &Pin, source: Source) -> usize {
    let cap = profile.document_len_max(role);
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
