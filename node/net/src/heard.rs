//! When bytes last came: over a connection, or of any chunk of a peer. All chunks of
//! a peer share its connection, so that one that waits behind another is not silent.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures::AsyncRead;
use tokio::time::Instant;

/// The moment, shared by those that read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    /// When bytes last came, if any did.
    pub(crate) fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// A stream that notes when bytes come.
#[derive(Debug)]
pub(crate) struct Noted<'a, T> {
    inner: &'a mut T,
    heard: Heard,
}

impl<'a, T> Noted<'a, T> {
    pub(crate) fn new(inner: &'a mut T, heard: Heard) -> Self {
        Self { inner, heard }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Noted<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = ready!(Pin::new(&mut *self.inner).poll_read(context, buffer));
        if matches!(read, Ok(1..)) {
            self.heard.note();
        }
        Poll::Ready(read)
    }
}
