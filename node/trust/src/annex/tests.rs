//! Forms and bounds of annexes.

use patchmesh_content::id::blake3;

use crate::annex::body::{Annex, AnnexBody};
use crate::annex::keys::{Cosignatures, Enroller, Keys, Witness};
use crate::annex::name::AnnexName;
use crate::annex::policy::{Approval, Hold, HoldScope, Policy, Ring};
use crate::annex::revocations::Revocations;
use crate::key::SecretKey;
use crate::refusal::Refusal;
use crate::time::UtcTime;

fn public(seed: u8) -> crate::key::PublicKey {
    SecretKey::from_seed([seed; 32]).public_key()
}

fn policy() -> Policy {
    Policy {
        rings: vec![ring("first", 50), ring("rest", 950)],
        approvals: vec![Approval {
            line: "desktop".to_owned(),
            id: "KB-1".to_owned(),
            sha256: [7; 32],
            rings: vec!["first".to_owned()],
            from: Some(UtcTime(10)),
            until: Some(UtcTime(20)),
        }],
        holds: vec![Hold {
            scope: HoldScope::Line("server".to_owned()),
            reason: "not before the audit".to_owned(),
        }],
    }
}

fn ring(name: &str, share: u32) -> Ring {
    Ring {
        name: name.to_owned(),
        share,
    }
}

fn keys() -> Keys {
    let witness = |seed, site: &str| Witness {
        key: public(seed),
        site: site.to_owned(),
    };
    Keys {
        revocation: vec![public(1)],
        enrollers: vec![Enroller {
            key: public(2),
            retired: Some(UtcTime(5)),
        }],
        witnesses: vec![witness(3, "paris"), witness(4, "oslo")],
        cosignatures: Some(Cosignatures { keys: 2, sites: 2 }),
        protocol_min: 1,
    }
}

fn revocations() -> Revocations {
    Revocations {
        version: 3,
        standing: vec![b"any stop".to_vec()],
        folded: vec![[1; 16], [2; 16]],
        lifted: vec![[3; 16]],
    }
}

fn all() -> [(AnnexName, Vec<u8>); 3] {
    [
        (AnnexName::Policy, policy().write().unwrap()),
        (AnnexName::Keys, keys().write().unwrap()),
        (AnnexName::Revocations, revocations().write().unwrap()),
    ]
}

/// T-61.
#[test]
fn an_annex_has_one_form_and_is_read_as_it_was_written() {
    let [(_, policy_bytes), (_, keys_bytes), (_, list)] = all();
    assert_eq!(Policy::read(&policy_bytes), Ok(policy()));
    assert_eq!(Keys::read(&keys_bytes), Ok(keys()));
    assert_eq!(Revocations::read(&list), Ok(revocations()));
    for (name, bytes) in all() {
        let unknown = [&bytes[..], &[0xf8, 0x01, 0x01]].concat();
        assert_eq!(AnnexBody::read(name, &unknown), Err(Refusal::Malformed));
        let default = [&bytes[..], &[0x08, 0x01]].concat();
        assert_eq!(AnnexBody::read(name, &default), Err(Refusal::Malformed));
        for at in 0..bytes.len() {
            assert_ne!(
                AnnexBody::read(name, &bytes[..at]).ok(),
                AnnexBody::read(name, &bytes).ok()
            );
        }
        let long = vec![0; name.len_max() + 1];
        assert_eq!(AnnexBody::read(name, &long), Err(Refusal::TooLarge));
    }
}

/// T-23: other bytes are told apart from a statement that contradicts itself.
#[test]
fn only_the_bytes_that_are_named_open() {
    for (name, bytes) in all() {
        let annex = Annex::of(name, &bytes);
        assert!(annex.open(&bytes).is_ok());
        let mut other = bytes.clone();
        other[0] ^= 1;
        assert_eq!(annex.open(&other), Err(Refusal::HashMismatch));
        assert_eq!(annex.open(&bytes[1..]), Err(Refusal::HashMismatch));
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(annex.open(&longer), Err(Refusal::TooLarge));
        let b3 = [0; 32];
        let lying = Annex { b3, ..annex };
        assert_eq!(lying.open(&bytes), Err(Refusal::Contradiction));
    }
}

#[test]
fn a_policy_that_says_two_things_or_nothing_is_refused() {
    let refused = |change: fn(&mut Policy)| {
        let mut policy = policy();
        change(&mut policy);
        assert!(policy.write().is_err(), "{policy:?}");
    };
    refused(|policy| policy.rings[0].share = 51);
    refused(|policy| policy.rings[1].name = "first".to_owned());
    refused(|policy| policy.rings[0].name = "First".to_owned());
    refused(|policy| policy.approvals[0].rings.push("nobody".to_owned()));
    refused(|policy| policy.approvals[0].rings.push("first".to_owned()));
    refused(|policy| policy.approvals[0].until = Some(UtcTime(10)));
    refused(|policy| policy.approvals[0].line = "../x".to_owned());
    refused(|policy| policy.approvals.push(policy.approvals[0].clone()));
    refused(|policy| policy.approvals = vec![policy.approvals[0].clone(); 2_000]);
    refused(|policy| policy.holds[0].reason = "x".repeat(257));
    refused(|policy| {
        policy.holds[0].scope = HoldScope::Release {
            line: String::new(),
            id: "KB-1".to_owned(),
        }
    });
}

#[test]
fn a_key_in_two_places_and_impossible_cosignatures_are_refused() {
    let refused = |change: fn(&mut Keys)| {
        let mut keys = keys();
        change(&mut keys);
        assert!(keys.write().is_err(), "{keys:?}");
    };
    refused(|keys| keys.enrollers[0].key = public(1));
    refused(|keys| keys.witnesses[0].key = public(4));
    refused(|keys| keys.witnesses[0].site = String::new());
    refused(|keys| keys.cosignatures = Some(Cosignatures { keys: 3, sites: 1 }));
    refused(|keys| keys.cosignatures = Some(Cosignatures { keys: 0, sites: 0 }));
    refused(|keys| keys.witnesses[1].site = "paris".to_owned());
}

/// T-63.
#[test]
fn a_ring_has_its_share_of_the_nodes_and_is_another_one_for_the_next_release() {
    let policy = policy();
    let node = |number: u32| blake3(&number.to_be_bytes());
    let is_first =
        |release: [u8; 32], number| policy.ring(&release, &node(number)).unwrap().name == "first";
    let count = (0..20_000).filter(|n| is_first([7; 32], *n)).count();
    assert!((900..1_100).contains(&count), "{count} of 20,000 for 5 %");
    let both = (0..20_000).filter(|n| is_first([7; 32], *n) && is_first([8; 32], *n));
    assert!(both.count() < 100, "first twice");
    assert_eq!(Policy::default().ring(&[7; 32], &node(1)), None);
}
