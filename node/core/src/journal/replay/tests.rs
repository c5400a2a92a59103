//! Hostile recordings, and the form of every input.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};

use crate::config::Mode;
use crate::fixture::publisher::{Publisher, UTC, config};
use crate::ids::{AskId, AskedId, CommandId, FetchId, GossipId, HelloId, InstallId, ServeId};
use crate::input::{Answered, Command, Fetched, HostChange, Input, Installed};
use crate::journal::codec::{Form, Reader, Writer};
use crate::journal::replay::{ReplayError, replay};
use crate::journal::{Recorder, Start};
use crate::message::{Announcement, Decline, DeclineReason, DocumentRef, Message, Want};
use crate::peer::Down;
use crate::record::Restored;
use crate::rng::Seed;
use crate::time::{Duration, Now, Time};

fn messages(peer: PeerId, content: ContentId) -> [Message; 6] {
    [
        Message::Have {
            content,
            all: false,
            words: vec![(3, u64::MAX)],
        },
        Message::Claim {
            holder: Some(peer),
            content,
            span: SpanIndex(4),
            duration: Duration::secs(15),
        },
        Message::Head([1, 2, u64::MAX]),
        Message::Interest { content },
        Message::Introduce(vec![(peer, vec![])]),
        Message::Release {
            content,
            span: SpanIndex(4),
        },
    ]
}

fn of_peers(peer: PeerId, want: Want) -> Vec<Input> {
    vec![
        Input::Gossip {
            id: GossipId(5),
            from: peer,
            announcement: Box::new(Announcement {
                root_version: 6,
                timestamp: b"{}".to_vec(),
                log_from: 0,
                leaves: Vec::new(),
            }),
        },
        Input::Hello {
            hello: HelloId(6),
            proof: Box::new(Publisher::new().proof(1, "a", [1, 0, 0])),
        },
        Input::Host(HostChange::Room(false)),
        Input::Installed {
            install: InstallId(7),
            outcome: Installed::Failed("why".to_owned()),
        },
        Input::PeerDown {
            peer,
            why: Down::TimedOut,
        },
        Input::PeerUp { peer },
        Input::Requested {
            serve: ServeId(8),
            from: peer,
            want: Box::new(want),
        },
        Input::Served {
            serve: ServeId(8),
            bytes: u64::MAX,
        },
        Input::Tick,
    ]
}

fn inputs() -> Vec<Input> {
    let (peer, content) = (PeerId([1; 32]), ContentId([2; 32]));
    let want = Want {
        content,
        chunk: ChunkIndex(70_000),
        unreachable: true,
    };
    let decline = Decline {
        reason: DeclineReason::HeldBySite,
        retry_after: Duration::secs(2),
        holders: vec![(peer, vec![vec![1, 2, 3]])],
    };
    let document: Arc<[u8]> = Arc::from(&b"document"[..]);
    let bytes = || Input::Answered {
        ask: AskId(1),
        outcome: Answered::Bytes(Arc::clone(&document)),
    };
    let mut inputs = vec![
        bytes(),
        bytes(),
        Input::Asked {
            asked: AskedId(2),
            from: peer,
            document: Box::new(DocumentRef::Index {
                sha256: [3; 32],
                name: "a/b".to_owned(),
            }),
        },
        Input::Command {
            id: CommandId(3),
            command: Command::Fetch {
                release: "KB-1".to_owned(),
            },
        },
        Input::Damaged {
            content,
            chunk: ChunkIndex(1),
        },
        Input::Discovered {
            peer,
            addresses: vec![vec![4], vec![]],
        },
        Input::Fetched {
            fetch: FetchId(4),
            outcome: Fetched::Declined(Box::new(decline)),
        },
    ];
    inputs.extend(of_peers(peer, want));
    inputs.extend(messages(peer, content).map(|message| Input::Message {
        from: peer,
        message: Box::new(message),
    }));
    inputs
}

#[test]
fn every_input_is_read_as_it_was_written_and_a_document_stands_once() {
    let mut writer = Writer::default();
    let mut blobs = BTreeMap::new();
    let mut lens = vec![];
    for input in inputs() {
        input.put(&mut writer);
        let bytes = std::mem::take(&mut writer.bytes);
        lens.push(bytes.len());
        for cut in 0..bytes.len() {
            let mut other = blobs.clone();
            assert_eq!(
                Input::take(&mut Reader::new(&bytes[..cut], &mut other)),
                None
            );
        }
        let mut reader = Reader::new(&bytes, &mut blobs);
        assert_eq!(Input::take(&mut reader), Some(input));
        assert!(reader.is_empty());
    }
    assert_eq!(lens[0], lens[1] + 1 + b"document".len());
}

fn recording() -> Vec<u8> {
    let publisher = Publisher::new();
    let start = Start {
        config: config(Mode::Endpoint),
        anchor: publisher.anchor,
        restored: Restored::default(),
        seed: Seed([1; 32]),
        now: Now {
            mono: Time(0),
            utc: UTC,
        },
    };
    let (mut recorder, mut bytes) = Recorder::start(&start);
    bytes.extend(recorder.input(&Input::Tick, start.now).unwrap());
    bytes
}

#[test]
fn other_files_are_refused() {
    assert_eq!(replay(b""), Err(ReplayError::Malformed));
    assert_eq!(replay(b"\x7fELF"), Err(ReplayError::Malformed));
}

/// Also the last record, whose outputs no later one names.
#[test]
fn every_altered_byte_is_noticed_and_a_cut_is_no_alteration() {
    let whole = recording();
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x40;
        assert_eq!(replay(&bent), Err(ReplayError::Malformed), "byte {at}");
    }
    let cut = replay(&whole[..whole.len() - 1]).unwrap();
    assert_eq!((cut.inputs, cut.cut), (0, true));
}

proptest! {
    #[test]
    fn a_bent_recording_never_panics(at in any::<Index>(), with: u8, cut in any::<Index>()) {
        let mut bytes = recording();
        let at = at.index(bytes.len());
        bytes[at] = with;
        bytes.truncate(cut.index(bytes.len() + 1));
        drop(replay(&bytes));
    }
}
