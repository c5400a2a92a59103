//! Nothing is applied before as many witnesses as are asked for have cosigned
//! what it rests on (T-78); this node is one of them.

use patchmesh_trust::annex::keys::{Cosignatures, Keys, Witness};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Approval, Policy};
use patchmesh_trust::author::ReleaseEntry;
use patchmesh_trust::key::{NodeKey, PublicKey};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::tree::Tree;

use super::*;
use crate::fixture::host::WITNESS;
use crate::message::{DocumentRef, Message};
use crate::output::Silent;
use crate::record::Witnessed;

/// Seed of the other witness, in site `b`.
const OTHER: [u8; 32] = [21; 32];

fn key_of(seed: [u8; 32]) -> PublicKey {
    PublicKey::ed25519(&NodeKey::from_seed(seed).public()).unwrap()
}

fn keys(asked: Option<(u32, u32)>) -> Vec<u8> {
    let witness = |seed, site: &str| Witness {
        key: key_of(seed),
        site: site.to_owned(),
    };
    let keys = Keys {
        witnesses: vec![witness(WITNESS, "a"), witness(OTHER, "b")],
        cosignatures: asked.map(|(keys, sites)| Cosignatures { keys, sites }),
        ..Keys::default()
    };
    keys.write().unwrap()
}

/// A network with a log in which `KB-1` is approved.
fn network(asked: Option<(u32, u32)>) -> Publisher {
    let mut publisher = Publisher::new();
    publisher.log.tree = Some(Tree::default());
    publisher.keys = Some(keys(asked));
    let release = index("KB-1", 0, 5);
    let (line, entry) = ReleaseEntry::of_index(&release.encode()).unwrap();
    let policy = Policy {
        approvals: vec![Approval {
            line,
            id: entry.id,
            sha256: entry.sha256,
            rings: vec![],
            from: None,
            until: None,
        }],
        ..Policy::default()
    };
    publisher.policy = Some(policy.write().unwrap());
    publisher.publish(&[release], 90);
    publisher
}

/// The disk of a node whose key was just made.
fn new_store() -> Store {
    let mut store = Store::default();
    store.commit(Record::Witnessed(Witnessed::default()));
    store
}

fn start(publisher: &Publisher, seed: [u8; 32], store: Store, at: u64) -> Host {
    let mut settings = config(Mode::EndpointWithHttp);
    settings.peer = PeerId(NodeKey::from_seed(seed).public());
    settings.bootstrap = vec![(origin(publisher).peer, vec![])];
    Host::start(settings, &publisher.anchor, store, Host::at(at))
}

fn origin(publisher: &Publisher) -> Proof {
    publisher.proof(1, "", [1, 0, 0])
}

fn connect(host: &mut Host, publisher: &Publisher, proof: Proof) -> PeerId {
    let peer = proof.peer;
    let (hello, proof) = (HelloId(u64::from(peer.0[0])), Box::new(proof));
    for input in [Input::Hello { hello, proof }, Input::PeerUp { peer }] {
        host.handle(input);
        host.drain(&publisher.folder);
    }
    peer
}

fn say(host: &mut Host, publisher: &Publisher, from: PeerId, message: Message) {
    let message = Box::new(message);
    host.handle(Input::Message { from, message });
    host.drain(&publisher.folder);
}

fn other(publisher: &Publisher) -> Message {
    let head = publisher.log.head().unwrap();
    let key = NodeKey::from_seed(OTHER);
    Message::Cosignature(Cosignature::sign(&key, &publisher.mesh_id(), head, UTC).unwrap())
}

fn waits(host: &Host) -> Vec<WaitingOn> {
    let releases = host.engine.view(host.now).releases;
    releases[0].waiting_on.clone()
}

/// Until nothing happens for a minute.
fn rest(host: &mut Host, publisher: &Publisher) {
    let end = Time(host.now.mono.0 + 60_000_000);
    assert!(host.run(&publisher.folder, |host| host.now.mono >= end));
}

const fn lacks(keys: u32, sites: u32) -> WaitingOn {
    WaitingOn::Cosignatures {
        keys,
        keys_asked: 2,
        sites,
        sites_asked: 2,
    }
}

fn is_good(host: &Host) -> bool {
    host.applied == ["KB-1"]
}

#[test]
fn a_release_waits_for_as_many_witnesses_as_are_asked_for() {
    let mut publisher = network(Some((2, 2)));
    let mut host = start(&publisher, WITNESS, new_store(), 0);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    rest(&mut host, &publisher);
    assert_eq!(
        host.signed,
        [publisher.log.head().unwrap()],
        "it signs itself"
    );
    assert_eq!(waits(&host), [lacks(1, 1)]);
    let peer = connect(&mut host, &publisher, origin(&publisher));
    say(&mut host, &publisher, peer, other(&publisher));
    assert!(host.run(&publisher.folder, is_good));
    rest(&mut host, &publisher);
    assert_eq!(waits(&host), []);
    // A newer policy is a new leaf: it needs new cosignatures, and withdraws
    // nothing.
    publisher.publish(&[index("KB-1", 0, 5)], 90);
    rest(&mut host, &publisher);
    assert_eq!(host.applied, ["KB-1"]);
    assert_eq!(host.signed.len(), 2);
}

#[test]
fn nothing_is_asked_for_without_a_policy_and_unknown_is_not_nothing() {
    let publisher = network(None);
    let mut host = start(&publisher, [30; 32], new_store(), 0);
    assert!(host.run(&publisher.folder, is_good));
    assert_eq!(host.signed, [], "it is no witness");

    // The statement of membership is here, the annex that it names is not.
    let mut publisher = network(Some((1, 1)));
    publisher.folder.retain(|document, _| match document {
        DocumentRef::Annex { name, .. } => *name != AnnexName::Keys,
        _ => true,
    });
    let mut host = start(&publisher, [30; 32], new_store(), 0);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    rest(&mut host, &publisher);
    assert_eq!(waits(&host), [WaitingOn::Metadata]);
    assert_eq!(host.applied, Vec::<String>::new());
}

/// A kill between the record and the signature, between the signature and its
/// own record, and at every other place: never two roots of a size, and in the
/// end the cosignature is there.
#[test]
fn a_witness_that_is_killed_anywhere_signs_once_more_and_no_other() {
    let publisher = network(Some((1, 1)));
    let whole = |cut: usize, store: Store, at: u64| {
        let mut host = start(&publisher, WITNESS, store, at);
        host.left = cut;
        let done = host.run(&publisher.folder, is_good);
        (done, host)
    };
    let (done, host) = whole(usize::MAX, new_store(), 0);
    assert!(done);
    let head = publisher.log.head().unwrap();
    assert_eq!(host.signed, [head]);
    let mut unsigned = 0;
    for cut in 0..host.executed {
        let (_, crashed) = whole(cut, new_store(), 0);
        let recorded = crashed.store.witnessed == Some(Witnessed { head, utc: UTC });
        assert!(recorded || crashed.signed.is_empty(), "cut at {cut}");
        unsigned += u32::from(recorded && crashed.signed.is_empty());
        let applied = is_good(&crashed);
        let (done, after) = whole(usize::MAX, crashed.store, 1);
        assert!(done || applied, "cut at {cut}");
        assert!(after.signed.iter().all(|signed| *signed == head));
        assert!(after.store.cosignatures.len() == 1, "cut at {cut}");
    }
    assert!(unsigned > 0, "one cut lies between record and signature");
}

#[test]
fn a_witness_that_lost_what_it_signed_asks_before_it_signs() {
    let mut publisher = network(Some((1, 1)));
    let mut host = start(&publisher, WITNESS, new_store(), 0);
    assert!(host.run(&publisher.folder, is_good));
    let mut store = host.store;
    let signed = store.witnessed.take().unwrap();
    let cosignature = std::mem::take(&mut store.cosignatures).into_values().next();
    let cosignature = Cosignature::decode(&cosignature.unwrap()).unwrap();
    publisher.publish(&[index("KB-1", 0, 5)], 90);

    let mut host = start(&publisher, WITNESS, store, 1_000);
    rest(&mut host, &publisher);
    assert_eq!(host.signed, [], "nobody has answered");
    assert_eq!(host.store.witnessed, None);
    let silent = |host: &Host| {
        host.others.iter().rev().find_map(|output| match output {
            Output::Notify(notice) => match &**notice {
                Notice::WitnessSilent(silent) => Some(*silent),
                _ => None,
            },
            _ => None,
        })
    };
    assert_eq!(silent(&host), Some(Some(Silent::Lost)));
    let peer = connect(&mut host, &publisher, origin(&publisher));
    say(
        &mut host,
        &publisher,
        peer,
        Message::Cosignature(cosignature),
    );
    rest(&mut host, &publisher);
    assert_eq!(host.signed, [], "there may be more");
    let told = Message::Cosigned {
        digest: [0; 32],
        asks: false,
    };
    say(&mut host, &publisher, peer, told);
    rest(&mut host, &publisher);
    assert_eq!(host.signed, [publisher.log.head().unwrap()]);
    assert_eq!(silent(&host), Some(None));
    let now = host.store.witnessed.unwrap();
    assert!(now.head.size > signed.head.size && now.utc >= signed.utc);
}
