//! A compact form for what a recording holds. Reading is total: any bytes give
//! a value or `None`, and nothing is allocated beyond the bytes that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::blake3;

/// Bytes being written, and the digests of the documents written so far.
#[derive(Debug, Default)]
pub struct Writer {
    /// What was written since it was taken last.
    pub bytes: Vec<u8>,
    blobs: BTreeSet<[u8; 32]>,
}

/// Bytes being read, and the documents read so far.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    blobs: &'a mut BTreeMap<[u8; 32], Arc<[u8]>>,
}

/// Has a recorded form.
pub trait Form: Sized {
    /// Appends the form.
    fn put(&self, to: &mut Writer);
    /// Reads the form.
    fn take(from: &mut Reader<'_>) -> Option<Self>;
}

impl<'a> Reader<'a> {
    /// Reads from these bytes; documents are found in `blobs` and added to it.
    pub fn new(rest: &'a [u8], blobs: &'a mut BTreeMap<[u8; 32], Arc<[u8]>>) -> Self {
        Self { rest, blobs }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next bytes.
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }
}

impl Form for u8 {
    fn put(&self, to: &mut Writer) {
        to.bytes.push(*self);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.bytes(1).map(|bytes| bytes[0])
    }
}

impl Form for u64 {
    fn put(&self, to: &mut Writer) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.bytes.push(0x80 | rest.to_le_bytes()[0]);
            rest >>= 7;
        }
        to.bytes.push(rest.to_le_bytes()[0]);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let mut value = 0;
        for at in 0..10 {
            let byte = u8::take(from)?;
            value |= Self::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Form for u32 {
    fn put(&self, to: &mut Writer) {
        u64::from(*self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        u64::take(from)?.try_into().ok()
    }
}

impl Form for i64 {
    fn put(&self, to: &mut Writer) {
        to.bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let bytes = from.bytes(8)?;
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
}

impl Form for bool {
    fn put(&self, to: &mut Writer) {
        u8::from(*self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Form for String {
    fn put(&self, to: &mut Writer) {
        (self.len() as u64).put(to);
        to.bytes.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Self::from_utf8(Vec::take(from)?).ok()
    }
}

impl Form for [u8; 32] {
    fn put(&self, to: &mut Writer) {
        to.bytes.extend_from_slice(self);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.bytes(32)?.try_into().ok()
    }
}

impl Form for [u64; 3] {
    fn put(&self, to: &mut Writer) {
        for number in self {
            number.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some([u64::take(from)?, u64::take(from)?, u64::take(from)?])
    }
}

impl Form for Arc<[u8]> {
    fn put(&self, to: &mut Writer) {
        let digest = blake3(self);
        digest.put(to);
        let new = to.blobs.insert(digest);
        new.put(to);
        if new {
            (self.len() as u64).put(to);
            to.bytes.extend_from_slice(self);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let digest = <[u8; 32]>::take(from)?;
        if !bool::take(from)? {
            return from.blobs.get(&digest).cloned();
        }
        let len = usize::try_from(u64::take(from)?).ok()?;
        let blob: Self = from.bytes(len)?.into();
        from.blobs.insert(digest, Self::clone(&blob));
        Some(blob)
    }
}

impl<T: Form> Form for Vec<T> {
    fn put(&self, to: &mut Writer) {
        (self.len() as u64).put(to);
        for item in self {
            item.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let len = u64::take(from)?;
        // Grown as items are read: the stated length is not believed.
        let mut items = Self::new();
        for _ in 0..len {
            items.push(T::take(from)?);
        }
        Some(items)
    }
}

impl<T: Form> Form for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(item) = self {
            item.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        if bool::take(from)? {
            T::take(from).map(Some)
        } else {
            Some(None)
        }
    }
}

impl<T: Form> Form for Box<T> {
    fn put(&self, to: &mut Writer) {
        (**self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        T::take(from).map(Self::new)
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}
