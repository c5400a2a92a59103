//! Who comes in, and what an outsider gets to see.

use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::Multiaddr;
use patchmesh_core::message::Message;
use patchmesh_core::peer::{Down, Member, Path, PeerId, PeerRefusal};
use patchmesh_net::{Command, Event, StartError, address, start};
use patchmesh_proto::limits::HELLO_LEN_MAX;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout};

use crate::harness::{BOUND, Node, config, connect, connect_at};
use crate::liar::{Liar, drive, hello_bytes, open, outsider, read_frame};
use crate::traffic::Proxy;

async fn dial(from: &Node, to: &Node) {
    from.send(Command::Dial {
        peer: to.peer(),
        addresses: vec![to.address.clone()],
    })
    .await;
}

async fn dial_failed(node: &mut Node) {
    node.wait(|event| matches!(event, Event::DialFailed { .. }).then_some(()))
        .await;
}

fn saw_hello(node: &Node) -> bool {
    node.seen
        .iter()
        .any(|event| matches!(event, Event::Hello { .. }))
}

/// M-12.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_show_each_other_who_they_are() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    a.send(Command::SetHead([7, 8, 9])).await;
    dial(&a, &b).await;
    let of_a = b.verdict(Ok(Path::Lan)).await;
    let of_b = a.verdict(Ok(Path::Lan)).await;
    let (a_peer, b_peer) = (a.peer(), b.peer());
    tokio::join!(a.up(b_peer), b.up(a_peer));

    assert_eq!(of_a.peer, a_peer);
    assert_eq!(of_a.certificate, [1; 100]);
    assert_eq!(of_a.signature, [1; 64]);
    assert_eq!(of_a.head, [7, 8, 9]);
    assert_eq!(of_b.peer, b_peer);
    assert_eq!(of_b.protocol, (1, 1));
    assert_eq!(of_b.head, [1, 2, 3]);
    assert_eq!(of_b.addresses, [b.address.clone()]);
}

/// M-16.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_dialer_learns_nothing_about_the_node() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    dial(&a, &b).await;
    b.verdict(Err(PeerRefusal::WrongNetwork)).await;
    dial_failed(&mut a).await;
    assert!(!saw_hello(&a), "the refusing node showed its certificate");
    // That it was turned away, and not unreachable, it sees from the connection.
    let turned = Event::TurnedAway { peer: b.peer() };
    assert!(a.seen.contains(&turned), "{:?}", a.seen);

    // Being refused once is no bar to coming in later.
    connect(&mut a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_the_dialer_refuses_is_not_connected() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    let mut c = Node::new(3).await;
    dial(&a, &b).await;
    b.verdict(Ok(Path::Lan)).await;
    a.verdict(Err(PeerRefusal::BadCertificate)).await;
    dial_failed(&mut a).await;
    let turned = Event::TurnedAway { peer: b.peer() };
    assert!(!a.seen.contains(&turned), "it is this side that refused");
    connect(&mut c, &mut b).await;
    let up = Event::PeerUp { peer: a.peer() };
    assert!(!b.seen.contains(&up), "one verdict was enough");
}

/// M-03.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_another_peer_at_the_dialled_address() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    let c = Node::new(3).await;
    a.send(Command::Dial {
        peer: c.peer(),
        addresses: vec![b.address.clone()],
    })
    .await;
    dial_failed(&mut a).await;
    connect(&mut a, &mut b).await;
    assert!(!saw_hello(&b), "the dialer said hello to the wrong peer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_hello_is_closed_and_never_shown() {
    let mut node = Node::new(1).await;
    let (_, mut muxer) = outsider(9, &node).await;
    let mut stream = open(&mut muxer).await;
    let len = HELLO_LEN_MAX + 1;
    // 4,097 as a varint.
    assert_eq!(len, 4097);
    let prefix = [0x81, 0x20];
    let closed = drive(&mut muxer, async {
        stream.write_all(&prefix).await.unwrap();
        stream.write_all(&vec![0; len]).await.unwrap();
        stream.flush().await.unwrap();
        stream.read_to_end(&mut vec![]).await
    });
    // Either the connection or the stream ends; no byte comes back.
    let end = timeout(BOUND, closed).await.expect("it was not closed");
    assert!(!matches!(end, Some(Ok(1..))), "the node answered");
    let mut other = Node::new(2).await;
    connect(&mut other, &mut node).await;
    assert!(!saw_hello(&node), "the oversized hello was shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_outsiders_are_closed_when_the_time_of_a_hello_is_over() {
    let mut config = config(1);
    config.timing.hello = Duration::from_millis(400);
    let mut node = Node::with(config).await;

    // Silent on TCP.
    let start = Instant::now();
    let socket = address::socket(&node.address).unwrap();
    let mut stream = tokio::net::TcpStream::connect(socket).await.unwrap();
    // The node may begin its side of the negotiation; then the end must come.
    drop(
        timeout(BOUND, stream.read_to_end(&mut vec![]))
            .await
            .unwrap(),
    );
    assert!(start.elapsed() >= Duration::from_millis(390), "too early");

    // Silent on an encrypted connection.
    let start = Instant::now();
    let (_, mut muxer) = outsider(9, &node).await;
    let silence = drive(&mut muxer, std::future::pending::<()>());
    assert_eq!(timeout(BOUND, silence).await.unwrap(), None);
    assert!(start.elapsed() >= Duration::from_millis(390), "too early");

    // A verdict that comes too late lets nobody in.
    let (_, mut muxer) = outsider(9, &node).await;
    let mut stream = open(&mut muxer).await;
    let unanswered = drive(&mut muxer, async {
        stream.write_all(&hello_bytes(9)).await.unwrap();
        stream.flush().await.unwrap();
        read_frame(&mut stream).await.map_err(|_| ())
    });
    let answer = timeout(BOUND, unanswered).await.unwrap();
    assert!(matches!(answer, None | Some(Err(()))), "{answer:?}");
    let proof = node.verdict(Ok(Path::Lan)).await;
    let mut other = Node::new(2).await;
    connect(&mut other, &mut node).await;
    let up = Event::PeerUp { peer: proof.peer };
    assert!(!node.seen.contains(&up), "a late verdict let it in");
    let bytes = node.handle.traffic.read().unadmitted;
    assert!(bytes > 0, "bytes of outsiders are counted apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_lost_its_connection_comes_back_as_a_new_session() {
    let mut config_a = config(1);
    config_a.timing.both_dialled = Duration::ZERO;
    let mut a = Node::with(config_a).await;
    let mut b = Node::new(2).await;
    let proxy = Proxy::start(address::socket(&a.address).unwrap()).await;
    connect_at(&mut b, &mut a, proxy.address(), Path::Lan).await;
    proxy.freeze();
    b.handle.task.abort();

    let mut again = Node::new(2).await;
    dial(&again, &a).await;
    let peer = again.peer();
    let is_session = |event: &Event| {
        matches!(event, Event::Hello { .. } | Event::PeerDown { .. }).then(|| event.clone())
    };
    let first = a.wait(is_session).await;
    let why = Down::Closed;
    assert_eq!(first, Event::PeerDown { peer, why });
    a.verdict(Ok(Path::Lan)).await;
    again.verdict(Ok(Path::Lan)).await;
    a.up(peer).await;
    again.up(a.peer()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_dial_each_other_at_once_are_one_session() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    let (a_peer, b_peer) = (a.peer(), b.peer());
    tokio::join!(dial(&a, &b), dial(&b, &a));
    tokio::join!(
        admit_until_up(&mut a, b_peer),
        admit_until_up(&mut b, a_peer)
    );
    for version in 0..200 {
        let message = Box::new(Message::Head([version, 0, 0]));
        a.send(Command::Send {
            to: b_peer,
            message,
        })
        .await;
    }
    for version in 0..200 {
        let found = b
            .wait(|event| match event {
                Event::Message { message, .. } => Some((**message).clone()),
                _ => None,
            })
            .await;
        assert_eq!(found, Message::Head([version, 0, 0]));
    }
    a.send(Command::Disconnect {
        peer: b_peer,
        why: PeerRefusal::Refused,
    })
    .await;
    tokio::join!(a.down(b_peer), b.down(a_peer));
    for (node, peer) in [(&a, b_peer), (&b, a_peer)] {
        let up = Event::PeerUp { peer };
        assert!(!node.seen.contains(&up), "a second session was reported");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_let_in_before_a_disconnect_does_not_outlive_it() {
    let mut node = Node::new(1).await;
    let (peer, mut slow) = outsider(2, &node).await;
    let mut stream = open(&mut slow).await;
    let hello = drive(&mut slow, async {
        stream.write_all(&hello_bytes(2)).await.unwrap();
        stream.flush().await.unwrap();
        read_frame(&mut stream).await.unwrap();
    });
    let (said, _) = tokio::join!(hello, node.verdict(Ok(Path::Lan)));
    said.expect("the node closed the connection");

    let fast = Liar::start(&mut node, 2).await;
    assert_eq!(fast.peer, peer);
    node.send(Command::Disconnect {
        peer,
        why: PeerRefusal::Refused,
    })
    .await;
    assert_eq!(node.down(peer).await, Down::Local);

    let end = drive(&mut slow, async {
        stream.write_all(&[1]).await.unwrap();
        stream.flush().await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(timeout(BOUND, end).await.expect("it was kept"), None);
    let up = Event::PeerUp { peer };
    assert!(!node.seen.contains(&up), "the disconnect was not the end");
}

/// Admits every hello that comes before the session stands.
async fn admit_until_up(node: &mut Node, peer: PeerId) {
    loop {
        let hello = node
            .wait(|event| match event {
                Event::Hello { hello, proof, .. } => Some(Some((*hello, proof.peer))),
                Event::PeerUp { peer: up } if *up == peer => Some(None),
                _ => None,
            })
            .await;
        let Some((hello, peer)) = hello else { return };
        let member = Member {
            peer,
            site: "home".to_owned(),
            origin: false,
            addresses: vec![],
        };
        let verdict = Ok(Box::new((member, Path::Lan)));
        node.send(Command::Admit { hello, verdict }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_common_libp2p_node_gets_neither_identify_nor_ping() {
    let mut node = Node::new(1).await;
    let address = Multiaddr::try_from(node.address.clone()).unwrap();
    let (_, mut muxer) = outsider(9, &node).await;
    // What such a node sends first: a ping, a common protocol since ever.
    let mut stream = open(&mut muxer).await;
    let answer = drive(&mut muxer, async {
        stream
            .write_all(b"\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n")
            .await
            .unwrap();
        stream.flush().await.unwrap();
        stream.read_to_end(&mut vec![]).await
    });
    let answer = timeout(BOUND, answer).await.expect("it was not closed");
    assert!(!matches!(answer, Some(Ok(1..))), "{address} answered");
    let mut other = Node::new(2).await;
    connect(&mut other, &mut node).await;
    assert!(!saw_hello(&node), "a ping was taken for a hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_silent_outsiders_is_closed_and_members_come_in_after_it() {
    let mut config = config(1);
    config.timing.hello = Duration::from_millis(300);
    let mut node = Node::with(config).await;
    let socket = address::socket(&node.address).unwrap();
    let mut crowd = vec![];
    for _ in 0..200 {
        crowd.push(tokio::net::TcpStream::connect(socket).await.unwrap());
    }
    for mut stream in crowd {
        let end = timeout(BOUND, stream.read_to_end(&mut vec![])).await;
        drop(end.expect("an outsider was kept"));
    }
    let mut other = Node::new(2).await;
    connect(&mut other, &mut node).await;
    assert!(!saw_hello(&node), "silence was taken for a hello");
}

#[tokio::test]
async fn no_second_node_listens_where_one_does() {
    let first = Node::new(1).await;
    let mut second = config(2);
    second.listen = vec![address::text(&first.address).unwrap()];
    let Err(StartError::Listen { source, .. }) = start(second) else {
        panic!("the port is shared");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
}
