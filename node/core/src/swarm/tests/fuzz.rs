//! One machine under arbitrary events: no panic, every request answered once,
//! every bound kept.

use proptest::prelude::*;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};

use crate::config::{Config, Mode};
use crate::ids::{FetchId, ServeId};
use crate::input::Fetched;
use crate::limits::FETCHES_MAX;
use crate::message::{Decline, DeclineReason, Message, Want};
use crate::peer::{Member, Path};
use crate::rng::{Rng, Seed};
use crate::swarm::action::Action;
use crate::swarm::event::Event;
use crate::swarm::machine::Swarm;
use crate::time::{Duration, Time};

const CHUNKS: u32 = 70;

fn peer(n: u8) -> PeerId {
    PeerId([n; 32])
}

fn content(n: u8) -> ContentId {
    ContentId([n; 32])
}

/// An event from seven small numbers; most values are in range, some are not.
fn event(serve: u64, kind: u8, (a, b): (u8, u8), (x, y): (u32, u64), list: &[FetchId]) -> Event {
    let from = peer(a % 6);
    let name = content(b % 3);
    let chunk = ChunkIndex(x % (CHUNKS + 3));
    let span = SpanIndex(if b == 255 { u32::MAX } else { x % 6 });
    let holders = vec![(peer(b % 6), vec![vec![b]])];
    let unreachable = y % 2 == 1;
    match kind % 18 {
        0 | 1 => Event::PeerUp {
            member: Box::new(Member {
                peer: from,
                site: format!("s{}", a % 3),
                origin: a % 6 == 5,
                addresses: vec![vec![a]],
            }),
            path: [Path::Lan, Path::Site, Path::Wan][usize::from(b % 3)],
        },
        2 => Event::PeerDown { peer: from },
        3 => Event::Add {
            content: name,
            wire_lens: (0..CHUNKS).map(|n| 1000 * (n + 1)).collect(),
            held: Box::new(Bitfield::empty(CHUNKS)),
            wanted: a > 20,
        },
        4 => Event::Damaged {
            content: name,
            chunk,
        },
        5 => Event::Discovered {
            peer: from,
            addresses: vec![vec![b]],
        },
        6 | 7 => Event::Fetched {
            fetch: *list
                .get(usize::from(a) % list.len().max(1))
                .unwrap_or(&FetchId(y)),
            outcome: outcome(x, b, y, holders),
        },
        8 => Event::Gained {
            content: name,
            chunk,
        },
        9 | 10 => Event::Message {
            from,
            message: Box::new(message(x, b, y, (name, span), holders)),
        },
        11 => Event::Room(a < 200),
        12 | 13 => Event::Requested {
            serve: ServeId(serve),
            from,
            want: Want {
                content: name,
                chunk,
                unreachable,
            },
        },
        14 => Event::Served {
            serve: ServeId(u64::from(x) % (serve + 1)),
            bytes: y % 3,
        },
        15 => Event::Want {
            content: name,
            wanted: a > 40,
        },
        16 => defer(name, chunk, content(a % 3)),
        _ if a < 20 => Event::Remove { content: name },
        _ => Event::Tick,
    }
}

fn defer(content: ContentId, chunk: ChunkIndex, other: ContentId) -> Event {
    let to = [(chunk, (other, chunk))].into();
    Event::Defer { content, to }
}

type Holders = Vec<(PeerId, Vec<Vec<u8>>)>;

fn outcome(x: u32, b: u8, y: u64, holders: Holders) -> Fetched {
    let reason = [
        DeclineReason::Busy,
        DeclineReason::Gone,
        DeclineReason::HeldBySite,
        DeclineReason::Leased,
        DeclineReason::Refused,
    ][usize::from(b % 5)];
    let retry_after = Duration(y);
    let decline = Decline {
        reason,
        retry_after,
        holders,
    };
    match x % 8 {
        0 => Fetched::Corrupt,
        1 | 2 => Fetched::Declined(Box::new(decline)),
        3 => Fetched::NoRoom,
        4 => Fetched::Stalled,
        _ => Fetched::Held,
    }
}

fn message(x: u32, b: u8, y: u64, place: (ContentId, SpanIndex), holders: Holders) -> Message {
    let (content, span) = place;
    match x % 7 {
        0 => Message::Have {
            content,
            all: true,
            words: Vec::new(),
        },
        1 | 2 => Message::Have {
            content,
            all: false,
            words: vec![(u32::from(b % 4), y), (x % 4, !y), (x, y)],
        },
        3 => Message::Claim {
            holder: (b > 8).then(|| peer(b % 8)),
            content,
            span,
            duration: Duration(y),
        },
        4 => Message::Interest { content },
        5 => Message::Introduce(holders),
        _ => Message::Release { content, span },
    }
}

fn run(mode: Mode, inputs: &[Step]) {
    let config = Config {
        peer: peer(0),
        site: "s0".to_owned(),
        lines: Vec::new(),
        automatic: true,
        mode,
        weight: 1,
        bootstrap: vec![(peer(5), vec![vec![5]])],
    };
    let mut swarm = Swarm::new(&config, Rng::new(Seed([3; 32])));
    let mut now = Time(1);
    let mut open: Vec<FetchId> = Vec::new();
    for (serve, &(kind, names, numbers, wait)) in (0..).zip(inputs) {
        now = now.plus(Duration(u64::from(wait)));
        let event = event(serve, kind, names, numbers, &open);
        let asked = matches!(event, Event::Requested { .. });
        if let Event::Fetched { fetch, .. } = &event {
            open.retain(|id| id != fetch);
        }
        let mut out = Vec::new();
        swarm.handle(event, now, &mut out);
        let answers = out
            .iter()
            .filter(|action| matches!(action, Action::Serve { .. } | Action::Decline { .. }));
        assert_eq!(answers.count(), usize::from(asked));
        for action in &out {
            if let Action::Fetch { fetch, by, .. } = action {
                assert!(!open.contains(fetch) && *by > now);
                open.push(*fetch);
            }
        }
        assert!(open.len() <= FETCHES_MAX);
        assert_eq!(swarm.unanswered().0.len(), open.len());
        assert!(
            swarm.wake().is_none_or(|(at, _)| at > now),
            "a wake in the past"
        );
        for content in swarm.contents.values() {
            let views = &content.views.0;
            let holders = |chunk| {
                let count = views
                    .values()
                    .filter(|v| v.counted && v.bits.contains(chunk));
                u16::try_from(count.count()).unwrap()
            };
            content.chunks.check(holders);
        }
    }
}

type Step = (u8, (u8, u8), (u32, u64), u32);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        any::<u8>(),
        (any::<u8>(), any::<u8>()),
        (any::<u32>(), any::<u64>()),
        0u32..2_000_000,
    );
    prop::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(96)
    })]

    #[test]
    fn an_endpoint_takes_any_events(inputs in steps()) {
        run(Mode::Endpoint, &inputs);
    }

    #[test]
    fn an_endpoint_with_http_takes_any_events(inputs in steps()) {
        run(Mode::EndpointWithHttp, &inputs);
    }

    #[test]
    fn an_origin_takes_any_events(inputs in steps()) {
        run(Mode::Origin, &inputs);
    }
}
