//! An attacker that speaks gossipsub by hand: no queue, no duplicate cache and
//! no score of its own stands between it and the node.

use std::time::Duration;

use patchmesh_core::message::Announcement;
use patchmesh_core::peer::PeerId;
use patchmesh_demo::fleet::Daemon;
use patchmesh_trust::key::NodeKey;
use tokio::runtime::Runtime;

use crate::bench::address;
use crate::hostile::Guise;
use crate::raw::{End, Link, connect, enter, keep, pour, stream};
use crate::until::until;

const PROTOCOL: &str = "/meshsub/1.1.0";
/// How long the connection is driven between two looks.
const MOMENT: Duration = Duration::from_millis(5);

/// A connection on which gossip is poured; it ends when dropped.
pub struct Pourer {
    /// Its key.
    pub peer: PeerId,
    link: Link,
    runtime: Runtime,
    topic: String,
}

impl std::fmt::Debug for Pourer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pourer")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Pourer {
    /// Connects to a node and is let in.
    ///
    /// # Panics
    /// If it is not.
    pub fn enter(node: &Daemon, guise: &Guise) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let to = address(node);
        let link = runtime.block_on(async {
            let mut link = connect(guise.seed, &to).await;
            assert!(enter(&mut link, guise).await, "the attacker is not let in");
            link
        });
        let mesh = patchmesh_content::id::hex(&guise.mesh_id[..8]);
        Self {
            peer: PeerId(NodeKey::from_seed([guise.seed; 32]).public()),
            link,
            runtime,
            topic: format!("patchmesh/{mesh}/head"),
        }
    }

    /// Sends these frames one after another on one stream; gives their bytes,
    /// or `None` where the node did not take them all within this time.
    pub fn pour(&mut self, frames: &[Vec<u8>], within: Duration) -> Option<u64> {
        let bytes = frames.concat();
        let poured = pour(&mut self.link, PROTOCOL, &bytes, within);
        let taken = self.runtime.block_on(poured);
        taken.then_some(bytes.len() as u64)
    }

    /// Opens a stream of this protocol, sends bytes on it, and waits until the node
    /// has ended it.
    pub fn say(&mut self, protocol: &str, bytes: &[u8]) -> End {
        let said = stream(&mut self.link, protocol, bytes);
        self.runtime.block_on(said)
    }

    /// Keeps the connection moving until something is seen.
    ///
    /// # Panics
    /// If it is not seen within this time.
    pub fn until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> T {
        until(what, within, || {
            let found = look();
            if found.is_none() {
                self.runtime.block_on(keep(&mut self.link, MOMENT));
            }
            found
        })
    }

    /// A frame with one message of the topic.
    pub fn message(&self, data: &[u8]) -> Vec<u8> {
        let message = [field(2, data), field(4, self.topic.as_bytes())].concat();
        framed(&field(2, &message))
    }

    /// A frame with one timestamp, said with this version of the root.
    pub fn timestamp(&self, root_version: u64, timestamp: &[u8]) -> Vec<u8> {
        let announcement = Announcement {
            root_version,
            timestamp: timestamp.to_vec(),
            log_from: 0,
            leaves: Vec::new(),
        };
        self.message(&announcement.encode())
    }
}

/// A frame that grafts these topics.
pub fn grafts(topics: impl Iterator<Item = String>) -> Vec<u8> {
    let grafts = topics.map(|topic| field(3, &field(1, topic.as_bytes())));
    framed(&field(3, &grafts.collect::<Vec<_>>().concat()))
}

/// A field of a protocol buffer with bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], framed(bytes)].concat()
}

/// Bytes with their length before them.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(bytes.len() + 5);
    let mut len = bytes.len();
    loop {
        let low = u8::try_from(len & 0x7f).expect("seven bits");
        len >>= 7;
        framed.push(if len > 0 { low | 0x80 } else { low });
        if len == 0 {
            break;
        }
    }
    framed.extend_from_slice(bytes);
    framed
}
