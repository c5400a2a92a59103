//! A value that passed the verifier; nothing else can make one.

use std::ops::Deref;

/// A checked value. There is no public constructor and no `Deserialize`: the
/// only way to one is through the verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
