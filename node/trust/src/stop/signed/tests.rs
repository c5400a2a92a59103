//! Tests of this module.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use proptest::prelude::*;

use super::*;
use crate::key::domain::Domain;
use crate::key::{NodeKey, SecretKey};
use crate::stop::set::{Gone, List, Mark, STOPS_PER_KEY_MAX, Standing, Stops};

const MESH: [u8; 32] = [9; 32];

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn stop(id: u8, subject: Subject) -> Stop {
    Stop {
        mesh_id: MESH,
        id: [id; 16],
        subject,
        issued: UtcTime(1_000),
        reason: "it deletes files".to_owned(),
    }
}

fn release_of(id: &str) -> Subject {
    Subject::Releases([("office".to_owned(), id.to_owned())].into())
}

fn signed(stop: &Stop, by: &SecretKey) -> SignedStop {
    let payload = stop.payload().unwrap();
    SignedStop {
        signature: by.sign(&signing_bytes(&payload)),
        key: key_id(&by.public_key()),
        payload,
    }
}

fn known(seeds: &[u8]) -> Vec<PublicKey> {
    seeds.iter().map(|seed| key(*seed).public_key()).collect()
}

/// A set that knows the keys of these seeds.
fn set(seeds: &[u8]) -> Stops {
    let mut stops = Stops::restore(MESH, List::default(), &[]);
    stops.set_keys(known(seeds));
    stops
}

fn give(stops: &mut Stops, signed: &SignedStop) -> Result<bool, Refusal> {
    let stop = stops.admit(signed)?;
    let new = stop.is_some();
    if let Some(stop) = stop {
        stops.insert(signed.clone(), stop);
    }
    Ok(new)
}

/// T-28.
#[test]
fn every_kind_of_stop_is_read_as_it_was_written() {
    let nodes = Subject::Nodes([PeerId([1; 32]), PeerId([2; 32])].into());
    let kinds = [
        release_of("r-1"),
        nodes,
        Subject::Serials([[7; 16]].into()),
        Subject::EpochFloor(4),
        Subject::AllInstalls,
    ];
    for subject in kinds {
        let stop = stop(1, subject);
        let one = signed(&stop, &key(1));
        let again = SignedStop::decode(&one.encode()).unwrap();
        assert_eq!(again, one);
        assert_eq!(again.verify(&known(&[2, 1]), &MESH), Ok(stop));
        assert!(one.encode().len() <= SignedStop::LEN_MAX);
    }
}

/// T-28: a P-256 key may stop as an Ed25519 key may.
#[test]
fn a_p256_key_stops() {
    let secret = SigningKey::from_slice(&[5; 32]).unwrap();
    let pem = secret.verifying_key().to_public_key_pem(LineEnding::LF);
    let public = PublicKey::p256_pem(&pem.unwrap()).unwrap();
    let payload = stop(1, Subject::AllInstalls).payload().unwrap();
    let signature: DerSignature = secret.sign(&signing_bytes(&payload));
    let mut one = SignedStop {
        payload,
        key: key_id(&public),
        signature: signature.as_bytes().to_vec(),
    };
    assert!(one.verify(std::slice::from_ref(&public), &MESH).is_ok());
    one.payload[40] ^= 1;
    let refused = one.verify(&[public], &MESH);
    assert_eq!(refused, Err(Refusal::BadSignature));
}

/// T-28, M-01: what is altered, of another network, of another key, or signed
/// as something else is refused with its code.
#[test]
fn a_stop_that_is_not_quite_right_is_refused() {
    let good = signed(&stop(1, release_of("r-1")), &key(1));
    let verdict = |one: &SignedStop| one.verify(&known(&[1]), &MESH);
    assert_eq!(
        verdict(&signed(&stop(1, release_of("r-1")), &key(3))),
        Err(Refusal::UnknownKey)
    );
    assert_eq!(good.verify(&[], &MESH), Err(Refusal::UnknownKey));
    assert_eq!(
        good.verify(&known(&[1]), &[8; 32]),
        Err(Refusal::WrongNetwork)
    );
    for at in 0..good.payload.len() {
        let mut altered = good.clone();
        altered.payload[at] ^= 1;
        assert_eq!(verdict(&altered), Err(Refusal::BadSignature), "{at}");
    }
    let mut other_type = good.clone();
    let node = NodeKey::from_seed([1; 32]);
    other_type.signature = node.sign(Domain::Certificate, &good.payload).to_vec();
    assert_eq!(verdict(&other_type), Err(Refusal::BadSignature));
    let mut bare = good.clone();
    bare.signature = key(1).sign(&good.payload);
    assert_eq!(verdict(&bare), Err(Refusal::BadSignature));
}

type Change = fn(&mut v1::Stop);

/// A stop whose fields were changed before signing.
fn changed(change: impl FnOnce(&mut v1::Stop)) -> Vec<u8> {
    let payload = stop(1, release_of("r-1")).payload().unwrap();
    let mut wire = v1::Stop::decode(&payload[..]).unwrap();
    change(&mut wire);
    wire.encode_to_vec()
}

fn wire(change: impl FnOnce(&mut v1::Stop)) -> Result<Stop, Refusal> {
    Stop::read(&changed(change))
}

/// T-28: caps come first, and there is one form.
#[test]
fn caps_and_forms_of_a_stop_are_checked() {
    let names = |count: usize| (0..count).map(|n| format!("office/{n:02}").into_bytes());
    assert!(wire(|stop| stop.subjects = names(STOP_SUBJECTS_MAX).collect()).is_ok());
    let many = wire(|stop| stop.subjects = names(STOP_SUBJECTS_MAX + 1).collect());
    assert_eq!(many, Err(Refusal::TooLarge));
    let long = wire(|stop| stop.reason = "x".repeat(STOP_REASON_LEN_MAX + 1));
    assert_eq!(long, Err(Refusal::TooLarge));
    assert_eq!(
        Stop::read(&vec![0; STOP_LEN_MAX + 1]),
        Err(Refusal::TooLarge)
    );
    let malformed: [Change; 9] = [
        |stop| stop.kind = 99,
        |stop| stop.kind = 0,
        |stop| stop.subjects.clear(),
        |stop| stop.subjects = vec![b"office/b".to_vec(), b"office/a".to_vec()],
        |stop| stop.subjects = vec![b"office/a".to_vec(), b"office/a".to_vec()],
        |stop| stop.subjects = vec![b"office/../a".to_vec()],
        |stop| stop.kind = v1::stop::Kind::Node.into(),
        |stop| stop.kind = v1::stop::Kind::AllInstalls.into(),
        |stop| stop.stop_id.truncate(15),
    ];
    for (number, change) in malformed.into_iter().enumerate() {
        assert_eq!(wire(change), Err(Refusal::Malformed), "{number}");
    }
    let mut payload = stop(1, Subject::AllInstalls).payload().unwrap();
    payload.extend([0x78, 1]);
    assert_eq!(
        Stop::read(&payload),
        Err(Refusal::Malformed),
        "an unknown field"
    );
}

/// T-27: only the list makes the set smaller, and a list never goes back.
#[test]
fn only_the_threshold_lifts_a_stop() {
    let mut stops = set(&[1]);
    let one = signed(&stop(1, release_of("r-1")), &key(1));
    assert_eq!(give(&mut stops, &one), Ok(true));
    assert_eq!(give(&mut stops, &one), Ok(false));
    assert!(stops.release("office", "r-1").is_some());
    assert!(stops.release("office", "r-2").is_none());
    let before = stops.mark();
    let list = List {
        version: 2,
        standing: Vec::new(),
        settled: [[1; 16]].into(),
    };
    let gone = stops.set_list(list).unwrap();
    assert_eq!(gone.names, [one.name()]);
    assert!(stops.release("office", "r-1").is_none());
    assert_ne!(stops.mark(), before);
    assert_eq!(give(&mut stops, &one), Ok(false), "it does not come back");
    let older = List {
        version: 1,
        ..List::default()
    };
    assert_eq!(stops.set_list(older), Err(Refusal::Rollback));
}

/// A stop that the list took in stands without its key, and one that this
/// version cannot read stops everything.
#[test]
fn what_the_list_holds_stands() {
    let mut stops = set(&[1]);
    let one = stop(1, release_of("r-1"));
    give(&mut stops, &signed(&one, &key(1))).unwrap();
    let list = |standing| List {
        version: 1,
        standing,
        settled: [[1; 16]].into(),
    };
    stops.set_list(list(vec![one.payload().unwrap()])).unwrap();
    stops.set_keys(Vec::new());
    assert_eq!(stops.release("office", "r-1").unwrap().key, None);
    assert!(stops.all_installs().is_none());
    stops
        .set_list(list(vec![b"of the future".to_vec()]))
        .unwrap();
    assert!(stops.all_installs().is_some());
}

/// A key that is removed takes with it what only it said.
#[test]
fn stops_of_a_removed_key_end() {
    let mut stops = set(&[1, 2]);
    let one = signed(&stop(1, release_of("r-1")), &key(1));
    let two = signed(&stop(2, release_of("r-2")), &key(2));
    give(&mut stops, &one).unwrap();
    give(&mut stops, &two).unwrap();
    assert_eq!(
        stops.set_keys(known(&[2])),
        Gone {
            names: vec![one.name()]
        }
    );
    assert!(stops.release("office", "r-1").is_none());
    assert!(stops.release("office", "r-2").is_some());
    assert_eq!(give(&mut stops, &one), Err(Refusal::UnknownKey));
}

/// Before its keys are known a node takes none, and keeps what it had.
#[test]
fn a_restored_set_holds_before_its_keys_are_known() {
    let one = signed(&stop(1, release_of("r-1")), &key(1));
    let stops = Stops::restore(MESH, List::default(), std::slice::from_ref(&one));
    assert!(stops.release("office", "r-1").is_some());
    let other = signed(&stop(2, release_of("r-2")), &key(1));
    assert_eq!(stops.admit(&other), Err(Refusal::Pending));
}

fn numbered(count: usize) -> Vec<SignedStop> {
    let number = |n: usize| {
        let mut one = stop(0, release_of("r-1"));
        one.id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        signed(&one, &key(1))
    };
    (0..count).map(number).collect()
}

/// A stolen key fills its own places and no others, and a full key stops all.
#[test]
fn a_key_has_256_places() {
    let mut stops = set(&[1, 2]);
    let all = numbered(STOPS_PER_KEY_MAX + 40);
    for one in &all {
        give(&mut stops, one).unwrap();
    }
    assert_eq!(stops.outstanding().count(), STOPS_PER_KEY_MAX);
    assert!(stops.all_installs().is_some());
    let mut back = set(&[1, 2]);
    for one in all.iter().rev() {
        give(&mut back, one).unwrap();
    }
    assert_eq!(back.mark(), stops.mark());
    let other = signed(&stop(2, release_of("r-2")), &key(2));
    assert_eq!(give(&mut stops, &other), Ok(true));
}

/// What may happen to a set.
#[derive(Debug, Clone)]
enum Step {
    Give(usize),
    List(u64),
    Keys,
}

fn lists(all: &[SignedStop], version: u64) -> List {
    let upto = usize::try_from(version).unwrap() * 2;
    let taken = all.iter().take(upto);
    let ids = taken
        .clone()
        .map(|one| Stop::read(&one.payload).unwrap().id);
    List {
        version,
        settled: ids.collect(),
        standing: taken.step_by(2).map(|one| one.payload.clone()).collect(),
    }
}

fn run(all: &[SignedStop], steps: &[Step]) -> (Mark, Vec<Standing>) {
    let mut known_stops = set(&[1]);
    for step in steps {
        match step {
            Step::Give(one) => drop(give(&mut known_stops, &all[*one]).unwrap()),
            // An older list changes nothing.
            Step::List(version) => drop(known_stops.set_list(lists(all, *version))),
            Step::Keys => drop(known_stops.set_keys(known(&[1]))),
        }
    }
    (known_stops.mark(), known_stops.standing())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// T-28: in whatever order stops and lists come, and however often.
    #[test]
    fn any_order_gives_the_same_stops(
        mut steps in prop::collection::vec(prop_oneof![
            (0..12usize).prop_map(Step::Give),
            (1..5u64).prop_map(Step::List),
            Just(Step::Keys),
        ], 1..24),
        shuffle in any::<u64>(),
    ) {
        let all = numbered(12);
        let first = run(&all, &steps);
        let length = steps.len();
        let mut state = shuffle;
        for at in (1..length).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            steps.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let again: Vec<Step> = steps.iter().chain(&steps).cloned().collect();
        prop_assert_eq!(run(&all, &again), first);
    }
}
