//! An attacker on raw streams: it can say what no honest implementation says.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse, Transport as _};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, noise, tcp, yamux};
use patchmesh_proto::Message as _;
use patchmesh_proto::limits::{PROTOCOL_MAX, PROTOCOL_MIN};
use patchmesh_proto::v1;

use crate::hostile::{Guise, certificate};

/// No answer of a node takes longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What became of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The node closed the connection or the stream.
    Closed,
    /// The node went on.
    Open,
}

/// A connection. Streams that the node opens are held and not read: a closed
/// one would make the node hang up.
pub struct Link {
    muxer: StreamMuxerBox,
    held: Vec<SubstreamBox>,
}

/// Noise and Yamux to a node, and nothing said yet.
///
/// # Panics
/// If the node does not take the connection.
pub async fn connect(seed: u8, address: &str) -> Link {
    let keys = Keypair::ed25519_from_bytes([seed; 32]).expect("any seed is a key");
    let address: Multiaddr = address.parse().expect("an address");
    let plain: Multiaddr = address.iter().take(2).collect();
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let transport = tcp::tokio::Transport::default()
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&keys).expect("a key for the channel"))
        .multiplex(yamux::Config::default());
    let dialled = transport.boxed().dial(plain, options);
    let (_, muxer) = dialled
        .expect("an address of TCP")
        .await
        .expect("a connection");
    Link {
        muxer,
        held: Vec::new(),
    }
}

/// The hello of a guise, with its length before it.
pub fn hello(guise: &Guise) -> Vec<u8> {
    let (payload, signature) = certificate(guise);
    hello_of(&payload, &signature)
}

/// The hello with this certificate, with its length before it.
pub fn hello_of(payload: &[u8], signature: &[u8]) -> Vec<u8> {
    v1::Hello {
        certificate: Some(v1::SignedCertificate {
            payload: payload.to_vec(),
            signature: signature.to_vec(),
        }),
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        head: None,
        addresses: vec![],
        revoked: None,
    }
    .encode_length_delimited_to_vec()
}

/// Sends bytes in place of a hello and waits for what comes of it.
pub async fn instead_of_hello(link: &mut Link, bytes: &[u8]) -> End {
    let Some(Ok(mut stream)) = open(link).await else {
        return End::Closed;
    };
    let exchange = async {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        let mut word = [0];
        stream.read_exact(&mut word).await
    };
    ended(drive(link, exchange).await)
}

/// Says a proper hello; whether the node let it in.
pub async fn enter(link: &mut Link, guise: &Guise) -> bool {
    let Some(Ok(mut stream)) = open(link).await else {
        return false;
    };
    let hello = hello(guise);
    let exchange = async {
        stream.write_all(&hello).await?;
        stream.flush().await?;
        read_frame(&mut stream).await?;
        stream.write_all(&[1]).await?;
        stream.close().await
    };
    matches!(drive(link, exchange).await, Some(Ok(())))
}

const HEADER: &[u8] = b"/multistream/1.0.0\n";

/// Opens a stream of a protocol, says these bytes and no more; whether the
/// node took them all within this time. What is left of them leaves as long as
/// the connection is kept ([`keep`]).
pub async fn pour(link: &mut Link, protocol: &str, bytes: &[u8], within: Duration) -> bool {
    let Some(Ok(mut stream)) = open(link).await else {
        return false;
    };
    let name = format!("{protocol}\n");
    let exchange = async {
        write_frame(&mut stream, HEADER).await?;
        write_frame(&mut stream, name.as_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.close().await
    };
    let exchange = async {
        let done = tokio::time::timeout(within, exchange).await;
        done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    matches!(drive(link, exchange).await, Some(Ok(())))
}

/// Keeps a connection alive for a moment.
pub async fn keep(link: &mut Link, moment: Duration) -> End {
    let moment = async {
        tokio::time::sleep(moment).await;
        Ok(())
    };
    ended(drive(link, moment).await)
}

/// Opens a stream of a protocol, sends bytes, and waits for what comes of it.
pub async fn stream(link: &mut Link, protocol: &str, bytes: &[u8]) -> End {
    let Some(Ok(mut stream)) = open(link).await else {
        return End::Closed;
    };
    let name = format!("{protocol}\n");
    let exchange = async {
        write_frame(&mut stream, HEADER).await?;
        write_frame(&mut stream, name.as_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        // The answer to the negotiation, then the one to the bytes.
        read_frame(&mut stream).await?;
        read_frame(&mut stream).await?;
        let mut word = [0];
        stream.read_exact(&mut word).await
    };
    ended(drive(link, exchange).await)
}

fn ended(outcome: Option<io::Result<()>>) -> End {
    match outcome {
        Some(Ok(())) => End::Open,
        Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => End::Open,
        Some(Err(_)) | None => End::Closed,
    }
}

async fn open(link: &mut Link) -> Option<io::Result<SubstreamBox>> {
    let opened = poll_fn(|cx| {
        if let Poll::Ready(stream) = link.muxer.poll_outbound_unpin(cx) {
            return Poll::Ready(Some(stream));
        }
        match link.muxer.poll_unpin(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(None),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    });
    tokio::time::timeout(ANSWER_WITHIN, opened).await.ok()?
}

/// Runs an exchange while the connection moves; `None` if the other side
/// closes it first.
async fn drive<T>(
    link: &mut Link,
    work: impl Future<Output = io::Result<T>>,
) -> Option<io::Result<T>> {
    let work = async {
        let done = tokio::time::timeout(ANSWER_WITHIN, work).await;
        done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        loop {
            match link.muxer.poll_inbound_unpin(cx) {
                Poll::Ready(Ok(stream)) => link.held.push(stream),
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        match link.muxer.poll_unpin(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(None),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Reads a length-prefixed frame of less than 16 KiB.
async fn read_frame(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut len = 0;
    for at in 0..2 {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        len |= usize::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut frame = vec![0; len];
    io.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write_frame(io: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    let len = u8::try_from(frame.len()).expect("a short frame");
    io.write_all(&[len]).await?;
    io.write_all(frame).await
}
