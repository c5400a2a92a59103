//! Nodes that find each other without being told an address.

use patchmesh_net::{Event, address};

use crate::harness::{Node, config};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a network interface that passes multicast, which not every container has"]
async fn two_nodes_find_each_other_by_multicast() {
    let mut nodes = vec![];
    for seed in [1, 2] {
        let mut config = config(seed);
        config.listen = vec!["/ip4/0.0.0.0/tcp/0".to_owned()];
        config.mdns = true;
        nodes.push(Node::with(config).await);
    }
    let other = nodes[1].peer();
    let addresses = nodes[0]
        .wait(|event| match event {
            Event::Discovered { peer, addresses } if *peer == other => Some(addresses.clone()),
            _ => None,
        })
        .await;
    assert!(!addresses.is_empty());
    for address in addresses {
        let socket = address::socket(&address);
        assert!(
            socket.is_some(),
            "{:?} is no socket",
            address::text(&address)
        );
    }
}
