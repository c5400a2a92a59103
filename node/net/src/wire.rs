//! Length-prefixed frames on a stream: the length is checked before a byte of
//! the frame is read or room for it is made.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use patchmesh_proto::frame::FrameRefusal;
use tokio::time::timeout;

/// Read or written at a time.
const STEP: usize = 64 * 1024;
/// Room made before the first byte of a long body has come.
const FIRST_ROOM: usize = 1024 * 1024;
/// Bytes of a length prefix: a varint of 32 bits.
const PREFIX_LEN_MAX: u32 = 5;

/// Writes the length of what follows.
pub(crate) async fn write_len(io: &mut (impl AsyncWrite + Unpin), len: usize) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(PREFIX_LEN_MAX as usize);
    let mut rest = len;
    while rest >= 0x80 {
        bytes.push(low_bits(rest) | 0x80);
        rest >>= 7;
    }
    bytes.push(low_bits(rest));
    io.write_all(&bytes).await
}

fn low_bits(value: usize) -> u8 {
    u8::try_from(value & 0x7f).expect("seven bits fit in a byte")
}

/// Writes a frame.
pub(crate) async fn write_frame(
    io: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
) -> io::Result<()> {
    write_len(io, frame.len()).await?;
    io.write_all(frame).await
}

/// Writes a body of any length; some byte of it must go within the idle time.
pub(crate) async fn write_body(
    io: &mut (impl AsyncWrite + Unpin),
    body: &[u8],
    idle: Duration,
) -> io::Result<()> {
    let mut rest = body;
    while !rest.is_empty() {
        let step = &rest[..rest.len().min(STEP)];
        let written = within(idle, io.write(step)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest = &rest[written..];
    }
    Ok(())
}

/// Reads a length of at most `len_max`.
pub(crate) async fn read_len(
    io: &mut (impl AsyncRead + Unpin),
    len_max: usize,
) -> io::Result<usize> {
    let mut len: u64 = 0;
    for at in 0..PREFIX_LEN_MAX {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        len |= u64::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            return match usize::try_from(len) {
                Ok(len) if len <= len_max => Ok(len),
                _ => Err(refused(FrameRefusal::TooLarge)),
            };
        }
    }
    Err(refused(FrameRefusal::Malformed))
}

/// Reads a frame of at most `len_max` bytes.
pub(crate) async fn read_frame(
    io: &mut (impl AsyncRead + Unpin),
    len_max: usize,
) -> io::Result<Vec<u8>> {
    let len = read_len(io, len_max).await?;
    let mut frame = vec![0; len];
    io.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Reads a body of a length that was checked; some byte of it must come within
/// the idle time, and room is made as bytes come.
pub(crate) async fn read_body(
    io: &mut (impl AsyncRead + Unpin),
    len: usize,
    idle: Duration,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(len.min(FIRST_ROOM));
    let mut filled = 0;
    while filled < len {
        if filled == body.len() {
            body.resize(len.min(filled + STEP), 0);
        }
        let read = within(idle, io.read(&mut body[filled..])).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
    }
    Ok(body)
}

/// Waits for the end of an answer that is complete: a stream that is dropped
/// before its end is reset, and the other side would report a failure.
pub(crate) async fn read_end(io: &mut (impl AsyncRead + Unpin), idle: Duration) -> io::Result<()> {
    match within(idle, io.read(&mut [0])).await? {
        0 => Ok(()),
        _ => Err(refused(FrameRefusal::Malformed)),
    }
}

/// Runs an operation of a stream for at most this long.
pub(crate) async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(limit, operation)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A refusal on its way through an interface that knows I/O errors only.
pub(crate) fn refused(refusal: FrameRefusal) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal)
}

/// The refusal in an error, if it was one.
pub(crate) fn refusal(error: &io::Error) -> Option<FrameRefusal> {
    error.get_ref()?.downcast_ref().copied()
}

/// Keeps a breach of the protocol apart from a broken stream: a request that
/// fails to be read is not reported, one that was read as refused is.
pub(crate) fn apart<T>(read: io::Result<T>) -> io::Result<Result<T, FrameRefusal>> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(error) => refusal(&error).map(Err).ok_or(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_frame_of_full_length_passes_and_one_byte_more_is_refused() {
        for len in [0, 1, 127, 128, 300, 70_000] {
            let frame = vec![5; len];
            let mut sent = Vec::new();
            write_frame(&mut sent, &frame).await.unwrap();
            assert_eq!(read_frame(&mut &sent[..], len).await.unwrap(), frame);
            if len > 0 {
                let error = read_frame(&mut &sent[..], len - 1).await.unwrap_err();
                assert_eq!(refusal(&error), Some(FrameRefusal::TooLarge));
            }
        }
    }

    #[tokio::test]
    async fn a_length_that_does_not_end_is_malformed() {
        let error = read_len(&mut &[0xff; 6][..], usize::MAX).await.unwrap_err();
        assert_eq!(refusal(&error), Some(FrameRefusal::Malformed));
    }

    #[tokio::test]
    async fn the_longest_length_is_refused_without_making_room_for_it() {
        let error = read_len(&mut &[0xff, 0xff, 0xff, 0xff, 0x7f][..], 1000)
            .await
            .unwrap_err();
        assert_eq!(refusal(&error), Some(FrameRefusal::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_a_broken_stream_and_no_breach() {
        let error = read_body(&mut &vec![0; 100_000][..], 100_001, IDLE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(refusal(&error), None);
    }
}
