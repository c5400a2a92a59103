//! Makes the valid inputs of the corpora, and bad ones out of them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use patchmesh_api::answer::{Answer, Done};
use patchmesh_api::line::encode_answer;
use patchmesh_api::peers::{Path as PeerPath, Peer, Peers};
use patchmesh_api::releases::{Release, ReleaseState, Releases, WaitingOn, Why};
use patchmesh_api::status::ByteCount;
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_core::config::{Config, Mode};
use patchmesh_core::input::Input;
use patchmesh_core::journal::{Recorder, Start};
use patchmesh_core::record::Restored;
use patchmesh_core::rng::Seed;
use patchmesh_core::time::{Now, Time};
use patchmesh_proto::Message as _;
use patchmesh_proto::v1::Proof;
use patchmesh_tests::forge::{LINE, key, keys, sign};
use patchmesh_tests::fuzz::wire::{MESH_ID, NODE_SEED, UTC};
use patchmesh_trust::annex::keys::{Cosignatures, Enroller, Keys, Witness};
use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy, Ring};
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::author::{
    LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::member::{Validity, issue_certificate};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;
use patchmesh_trust::stop::signed::{SignedStop, Stop, Subject, key_id, signing_bytes, write_file};
use patchmesh_trust::time::UtcTime;

#[test]
#[ignore = "writes into the source tree"]
fn makes_the_corpora_again() {
    metadata();
    local();
    let validity = Validity {
        not_before: UtcTime(UTC.0 - 1),
        not_after: UtcTime(UTC.0 + 1_000),
    };
    let node = NodeKey::from_seed(NODE_SEED);
    for (name, site, origin) in [("member", "paris", false), ("origin", "", true)] {
        let made = issue_certificate(&node, &MESH_ID, site, origin, validity);
        write("certificate", name, &made.unwrap().0);
    }
}

fn metadata() {
    let documents = documents();
    let timestamp = documents[4].1.clone();
    write("root", "next", &root(2));
    for (target, bytes) in documents {
        write(target, "valid", &bytes);
        spoil(target, &String::from_utf8(bytes).unwrap());
    }
    write("public_key", "ed25519", &key(1).public_key().to_json());
    let mut verifier = Verifier::new(&root(1), &[LINE.to_owned()]).unwrap();
    write("floors", "first", &verifier.floors());
    let role = RoleName::Timestamp;
    let admission = verifier.admit(&role, &timestamp, UTC).unwrap();
    verifier.apply(admission);
    write("floors", "later", &verifier.floors());
    journal(&root(1));
    proofs();
    annexes();
    stops();
}

/// One annex of each name, and what is none.
fn annexes() {
    let approval = Approval {
        line: LINE.to_owned(),
        id: "release-1".to_owned(),
        sha256: [1; 32],
        rings: vec!["first".to_owned()],
        from: Some(UTC),
        until: Some(UTC.plus_days(1)),
    };
    let ring = |name: &str, share| Ring {
        name: name.to_owned(),
        share,
    };
    let policy = Policy {
        rings: vec![ring("first", 10), ring("rest", 990)],
        approvals: vec![approval],
        holds: vec![Hold {
            scope: HoldScope::Line(LINE.to_owned()),
            reason: "audit".to_owned(),
        }],
    };
    let public = |seed| key(seed).public_key();
    let keys = Keys {
        revocation: vec![public(1)],
        enrollers: vec![Enroller {
            key: public(2),
            retired: Some(UTC),
        }],
        witnesses: vec![Witness {
            key: public(9),
            site: "paris".to_owned(),
        }],
        cosignatures: Some(Cosignatures { keys: 1, sites: 1 }),
        protocol_min: 1,
    };
    let list = Revocations {
        version: 2,
        standing: vec![stop(1, 1).payload],
        folded: vec![[1; 16], [2; 16]],
        lifted: vec![[3; 16]],
    };
    let policy = policy.write().unwrap();
    let mut longer = policy.clone();
    longer.push(0);
    let made = [
        ("policy", policy.clone()),
        ("keys", keys.write().unwrap()),
        ("revocations", list.write().unwrap()),
        ("bad-cut", policy[..policy.len() - 1].to_vec()),
        ("bad-longer", longer),
        ("bad-format", [&[8, 2], &policy[2..]].concat()),
    ];
    for (name, bytes) in made {
        write("annex", name, &bytes);
    }
}

fn stop(number: u8, seed: u8) -> SignedStop {
    let stop = Stop {
        mesh_id: MESH_ID,
        id: [number; 16],
        subject: Subject::Releases([(LINE.to_owned(), "release-1".to_owned())].into()),
        issued: UTC,
        reason: "it deletes files".to_owned(),
    };
    let payload = stop.payload().unwrap();
    SignedStop {
        signature: key(seed).sign(&signing_bytes(&payload)),
        key: key_id(&key(seed).public_key()),
        payload,
    }
}

/// Files of stops.
fn stops() {
    let file = |stops: &[SignedStop]| write_file(stops).unwrap();
    let good = [stop(1, 1), stop(2, 2)];
    let mut altered = stop(1, 1);
    altered.payload[3] ^= 1;
    write("stops", "two", &file(&good));
    write("stops", "none", &file(&[]));
    write("stops", "bad-altered", &file(&[altered]));
    write("stops", "bad-key", &file(&[stop(1, 3)]));
    write("stops", "bad-cut", &file(&good)[..100]);
}

/// Two timestamps of one version; and what is no proof of it.
fn proofs() {
    let snapshot = &documents()[3].1;
    let timestamp = |days| {
        let plan = TimestampPlan {
            version: 6,
            expires: UTC.plus_days(days),
            issued: UTC,
            snapshot,
            log: None,
        };
        sign(plan.build().unwrap(), &[9])
    };
    let proof = |first: &[u8], second: &[u8]| Proof {
        role: "timestamp".to_owned(),
        version: 6,
        roots: vec![root(1)],
        delegator: Vec::new(),
        first: first.to_vec(),
        second: second.to_vec(),
        log: Vec::new(),
    };
    let (one, other) = (timestamp(1), timestamp(2));
    let mut proofs = [proof(&one, &other), proof(&other, &one)];
    let stands = |proof: &Proof| Equivocation::check(&root(1), &proof.encode_to_vec()).is_ok();
    proofs.sort_by_key(|proof| !stands(proof));
    let [valid, turned] = proofs;
    let same = proof(&one, &one);
    let mut of_other_version = valid.clone();
    of_other_version.version = 7;
    let mut with_delegator = valid.clone();
    with_delegator.delegator = root(1);
    for (name, proof) in [
        ("valid", &valid),
        ("bad-order", &turned),
        ("bad-same", &same),
        ("bad-version", &of_other_version),
        ("bad-delegator", &with_delegator),
    ] {
        write("proof", name, &proof.encode_to_vec());
    }
}

fn root(version: u64) -> Vec<u8> {
    let plan = RootPlan {
        version,
        expires: UTC.plus_days(100),
        root: keys(&[1, 2], 2),
        timestamp: keys(&[9], 1),
        snapshot: keys(&[9], 1),
        targets: keys(&[1, 2], 2),
    };
    sign(plan.build().unwrap(), &[1, 2])
}

/// One valid document of each role; the timestamp is the last.
fn documents() -> [(&'static str, Vec<u8>); 5] {
    let expires = UTC.plus_days(100);
    let line = LinePlan {
        line: LINE.to_owned(),
        version: 3,
        expires,
        releases: vec![ReleaseEntry {
            id: "release-1".to_owned(),
            len: 1_000,
            sha256: [1; 32],
            content: ContentId([2; 32]),
            severity: "critical".to_owned(),
        }],
    };
    let line = sign(line.build().unwrap(), &[1, 2]);
    let targets = TargetsPlan {
        version: 4,
        expires,
        lines: vec![LineKeys {
            line: LINE.to_owned(),
            keys: keys(&[1, 2], 2),
        }],
        rollout: None,
        membership: None,
    };
    let targets = sign(targets.build().unwrap(), &[1, 2]);
    let role = RoleName::Line(LINE.to_owned());
    let snapshot = SnapshotPlan {
        version: 5,
        expires,
        documents: vec![(RoleName::Targets, &targets), (role, &line)],
    };
    let snapshot = sign(snapshot.build().unwrap(), &[9]);
    let timestamp = TimestampPlan {
        version: 6,
        expires,
        issued: UTC,
        snapshot: &snapshot,
        log: None,
    };
    let timestamp = sign(timestamp.build().unwrap(), &[9]);
    [
        ("root", root(1)),
        ("line", line),
        ("targets", targets),
        ("snapshot", snapshot),
        ("timestamp", timestamp),
    ]
}

/// Bad copies of a valid document.
fn spoil(target: &str, text: &str) {
    let bad = [
        ("bad-version", "\"version\":", "\"version\":-"),
        ("bad-float", "\"version\":", "\"version\":0."),
        ("bad-threshold", "\"threshold\":", "\"threshold\":0,\"x\":"),
        ("bad-twice", "\"signed\":", "\"signed\":{},\"signed\":"),
        ("bad-expiry", "20", "99"),
    ];
    for (name, from, to) in bad {
        if text.contains(from) {
            write(target, name, text.replace(from, to).as_bytes());
        }
    }
}

fn journal(anchor: &[u8]) {
    let now = |millis| Now {
        mono: Time(millis),
        utc: UTC,
    };
    let start = Start {
        config: Config {
            peer: PeerId([1; 32]),
            site: "paris".to_owned(),
            lines: vec![LINE.to_owned()],
            automatic: true,
            mode: Mode::Endpoint,
            weight: 4,
            bootstrap: vec![(PeerId([2; 32]), vec![vec![4, 127, 0, 0, 1, 6, 0, 80]])],
        },
        anchor: Arc::from(anchor),
        restored: Restored::default(),
        seed: Seed([3; 32]),
        now: now(0),
    };
    let (mut recorder, mut bytes) = Recorder::start(&start);
    write("journal", "start", &bytes);
    for millis in [10, 2_000, 60_000] {
        bytes.extend(recorder.input(&Input::Tick, now(millis)).unwrap());
    }
    let down = Input::PeerUp {
        peer: PeerId([2; 32]),
    };
    bytes.extend(recorder.input(&down, now(70_000)).unwrap());
    write("journal", "inputs", &bytes);
}

fn local() {
    let release = Release {
        line: LINE.to_owned(),
        id: "release-1".to_owned(),
        content: ContentId([7; 32]),
        severity: "critical".to_owned(),
        state: ReleaseState::Fetching,
        chunks_held: 3,
        chunks_total: 9,
        wire_bytes: u64::MAX,
        total_bytes: 10,
        waiting_on: vec![WaitingOn::Chunks { held: 3, total: 9 }, WaitingOn::Disk],
    };
    let peer = Peer {
        peer: PeerId([1; 32]),
        site: "paris".to_owned(),
        origin: false,
        path: PeerPath::Lan,
        connected: true,
        received: ByteCount::default(),
        sent: ByteCount::default(),
        corrupt_chunks: 1,
        stalled: 2,
        refused: false,
    };
    let verb = "refresh".to_owned();
    let answers = [
        ("done", Answer::Done(Done { verb })),
        ("peers", Answer::Peers(Peers { peers: vec![peer] })),
        ("refused", Answer::refused("E_BUSY", "no room", "try later")),
        (
            "why",
            Answer::Why(Box::new(Why::of(release.clone(), vec![]))),
        ),
        (
            "releases",
            Answer::Releases(Releases {
                releases: vec![release],
            }),
        ),
    ];
    for (name, answer) in answers {
        write("answer_line", name, &encode_answer(&answer));
    }
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpora")
        .join(target);
    fs::write(folder.join(name), bytes).unwrap();
}
