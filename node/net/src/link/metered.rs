//! A byte stream that counts what passes, and that can be cut from outside.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};

use crate::traffic::ConnectionMeter;

/// Counts the bytes of `io` for a connection. A cut shows as a failed read or
/// write: a connection whose peer does not read waits to write, and reads nothing
/// meanwhile.
#[derive(Debug)]
pub(crate) struct Metered<T> {
    io: T,
    meter: Arc<ConnectionMeter>,
}

impl<T> Metered<T> {
    pub(crate) fn new(io: T, meter: Arc<ConnectionMeter>) -> Self {
        Self { io, meter }
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        if self.meter.is_cut(cx.waker()) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.meter.received(read);
        Poll::Ready(Ok(read))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.meter.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, buffers))?;
        self.meter.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_close(cx)
    }
}
