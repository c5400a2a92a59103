//! What reading an origin has shown, on its way from blocking tasks to the
//! troubles of the node.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::troubles::Found;

/// Things told apart between two looks; a further one is left out.
const NEWS_MAX: usize = 64;

/// What was learnt and not yet told, by what it is about.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<String, Option<Found>>>);

impl Health {
    /// A trouble, or that there is none.
    pub(crate) fn note(&self, about: String, found: Option<Found>) {
        let mut news = self.lock();
        if news.len() < NEWS_MAX || news.contains_key(&about) {
            news.insert(about, found);
        }
    }

    /// Everything since the last call.
    pub(crate) fn take(&self) -> Vec<(String, Option<Found>)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Found>>> {
        // Each change is one insert or a take: valid even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
