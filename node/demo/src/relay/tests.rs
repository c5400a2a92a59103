//! A link as its two sides see it: what goes in comes out, and is counted.

use super::*;

const RATES: Rates = Rates {
    down: 100_000_000,
    up: 50_000_000,
};

#[tokio::test]
async fn a_link_carries_and_counts_streams() {
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = Relay::open(origin.local_addr().unwrap(), RATES)
        .await
        .unwrap();
    let mut site = TcpStream::connect(link.address).await.unwrap();
    let (mut far, _) = origin.accept().await.unwrap();
    site.write_all(&vec![7; 30_000]).await.unwrap();
    let mut taken = vec![0; 30_000];
    far.read_exact(&mut taken).await.unwrap();
    assert!(taken.iter().all(|byte| *byte == 7));
    far.write_all(&vec![8; 90_000]).await.unwrap();
    let mut taken = vec![0; 90_000];
    site.read_exact(&mut taken).await.unwrap();
    assert_eq!((link.up_bytes(), link.down_bytes()), (30_000, 90_000));
}

#[tokio::test]
async fn a_link_carries_and_counts_packets_of_every_address_apart() {
    let origin = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let unused = origin.local_addr().unwrap();
    let mut link = Relay::open(unused, RATES).await.unwrap();
    link.carry_udp(unused).await.unwrap();
    let mut total = 0;
    let mut seen = Vec::new();
    let mut buffer = [0; 2000];
    for number in 1..=3u8 {
        let site = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        site.connect(link.address).await.unwrap();
        let packet = vec![number; 100 * usize::from(number)];
        site.send(&packet).await.unwrap();
        let (length, from) = origin.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], packet);
        assert!(!seen.contains(&from), "one socket for each address");
        seen.push(from);
        origin.send_to(&packet, from).await.unwrap();
        let length = site.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], packet);
        total += packet.len() as u64;
    }
    assert_eq!((link.up_bytes(), link.down_bytes()), (total, total));
}
