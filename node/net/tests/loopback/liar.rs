//! A peer built by hand on raw streams: it can say what no honest node says.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse, Transport as _};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, noise, tcp, yamux};
use patchmesh_core::peer::{Path, PeerId};
use patchmesh_proto::Message as _;
use patchmesh_proto::v1;
use tokio::sync::{Mutex, mpsc};

use crate::harness::Node;

/// Noise and Yamux to a node, and nothing said yet.
pub(crate) async fn outsider(seed: u8, node: &Node) -> (PeerId, StreamMuxerBox) {
    let keys = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    let public = keys.public().try_into_ed25519().unwrap();
    let address = Multiaddr::try_from(node.address.clone()).unwrap();
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let (_, muxer) = tcp::tokio::Transport::default()
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&keys).unwrap())
        .multiplex(yamux::Config::default())
        .boxed()
        .dial(address, options)
        .unwrap()
        .await
        .unwrap();
    (PeerId(public.to_bytes()), muxer)
}

/// Runs an exchange while the connection moves; `None` if the other side
/// closes the connection first.
pub(crate) async fn drive<T>(
    muxer: &mut StreamMuxerBox,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        match muxer.poll_unpin(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(None),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Opens a stream.
pub(crate) async fn open(muxer: &mut StreamMuxerBox) -> SubstreamBox {
    poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await.unwrap()
}

/// A hello as the schema wants it.
pub(crate) fn hello_bytes(seed: u8) -> Vec<u8> {
    v1::Hello {
        certificate: Some(v1::SignedCertificate {
            payload: vec![seed; 100],
            signature: vec![seed; 64],
        }),
        protocol_min: 1,
        protocol_max: 1,
        head: None,
        addresses: vec![],
        revoked: None,
    }
    .encode_length_delimited_to_vec()
}

/// Reads a length-prefixed frame of less than 16 KiB.
pub(crate) async fn read_frame(io: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
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

/// An admitted liar.
pub(crate) struct Liar {
    pub(crate) peer: PeerId,
    claims: mpsc::Sender<u32>,
    frames: mpsc::Sender<Vec<u8>>,
}

impl Liar {
    /// Says a proper hello and is admitted.
    pub(crate) async fn start(node: &mut Node, seed: u8) -> Self {
        let (peer, mut muxer) = outsider(seed, node).await;
        let mut stream = open(&mut muxer).await;
        let hello = drive(&mut muxer, async {
            stream.write_all(&hello_bytes(seed)).await.unwrap();
            stream.flush().await.unwrap();
            read_frame(&mut stream).await.unwrap();
            stream.write_all(&[1]).await.unwrap();
            stream.close().await.unwrap();
        });
        let (said, _) = tokio::join!(hello, node.verdict(Ok(Path::Lan)));
        said.expect("the node closed the connection");
        let (claims, receiver) = mpsc::channel(1);
        let (frames, frame_receiver) = mpsc::channel(1);
        let claims_receiver = Arc::new(Mutex::new(receiver));
        tokio::spawn(run(muxer, claims_receiver, frame_receiver));
        node.up(peer).await;
        Self {
            peer,
            claims,
            frames,
        }
    }

    /// Sends these bytes as a control frame, length prefix and all.
    pub(crate) async fn control_frame(&self, bytes: Vec<u8>) {
        self.frames.send(bytes).await.unwrap();
    }

    /// Answers the next chunk request with a frame that is said to be this long.
    pub(crate) async fn claim_chunk(&self, wire_length: u32) {
        self.claims.send(wire_length).await.unwrap();
    }
}

const HEADER: &[u8] = b"/multistream/1.0.0\n";

type Claims = Arc<Mutex<mpsc::Receiver<u32>>>;

async fn run(mut muxer: StreamMuxerBox, claims: Claims, mut frames: mpsc::Receiver<Vec<u8>>) {
    loop {
        let next = poll_fn(|cx| {
            if let Poll::Ready(Some(frame)) = frames.poll_recv(cx) {
                return Poll::Ready(Some(Next::Send(frame)));
            }
            if let Poll::Ready(stream) = muxer.poll_inbound_unpin(cx) {
                return Poll::Ready(stream.ok().map(Next::Answer));
            }
            match muxer.poll_unpin(cx) {
                Poll::Ready(Err(_)) => Poll::Ready(None),
                Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
            }
        });
        match next.await {
            Some(Next::Answer(stream)) => drop(tokio::spawn(answer(stream, claims.clone()))),
            Some(Next::Send(frame)) => {
                let stream = open(&mut muxer).await;
                tokio::spawn(send(stream, frame));
            }
            None => return,
        }
    }
}

enum Next {
    Answer(SubstreamBox),
    Send(Vec<u8>),
}

async fn send(mut stream: SubstreamBox, frame: Vec<u8>) -> std::io::Result<()> {
    write_frame(&mut stream, HEADER).await?;
    write_frame(&mut stream, b"/patchmesh/control/1\n").await?;
    stream.write_all(&frame).await?;
    stream.flush().await?;
    stream.read_to_end(&mut vec![]).await.map(|_| ())
}

/// Negotiates by hand, then answers pings as they are and chunks as it likes.
async fn answer(mut stream: SubstreamBox, claims: Claims) -> std::io::Result<()> {
    assert_eq!(read_frame(&mut stream).await?, HEADER);
    let protocol = read_frame(&mut stream).await?;
    let known = [&b"/patchmesh/chunk/1\n"[..], b"/ipfs/ping/1.0.0\n"];
    if !known.contains(&&protocol[..]) {
        write_frame(&mut stream, HEADER).await?;
        return write_frame(&mut stream, b"na\n").await;
    }
    write_frame(&mut stream, HEADER).await?;
    write_frame(&mut stream, &protocol).await?;
    if protocol.starts_with(b"/ipfs") {
        loop {
            let mut ping = [0; 32];
            stream.read_exact(&mut ping).await?;
            stream.write_all(&ping).await?;
            stream.flush().await?;
        }
    }
    read_frame(&mut stream).await?;
    let claimed = claims.lock().await.recv().await.unwrap_or(0);
    let body = Some(v1::chunk_answer::Body::WireLength(claimed));
    write_frame(&mut stream, &v1::ChunkAnswer { body }.encode_to_vec()).await?;
    stream.write_all(&vec![0; 1 << 20]).await?;
    stream.close().await
}

async fn write_frame(io: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> std::io::Result<()> {
    io.write_all(&[u8::try_from(frame.len()).unwrap()]).await?;
    io.write_all(frame).await?;
    io.flush().await
}
