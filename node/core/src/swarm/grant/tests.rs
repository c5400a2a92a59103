//! Leases as a site sees them: one holder, until it is gone.

use super::*;

const START: Time = Time(1_000_000);

fn peer(n: u8) -> PeerId {
    PeerId([n; 32])
}

fn site() -> SiteKey {
    SiteKey::Name("hall".to_owned())
}

fn ask(from: u8, chunk: u32) -> Ask {
    Ask {
        content: ContentId([9; 32]),
        chunk: ChunkIndex(chunk),
        chunks: 40,
        from: peer(from),
        unreachable: false,
    }
}

fn arrived(grants: &mut Grants, from: u8, chunk: u32, now: Time) {
    let has = |other| other == ChunkIndex(chunk);
    grants.arrived((&site(), peer(from)), &ContentId([9; 32]), has, now);
}

fn is_served(grants: &mut Grants, ask: Ask, now: Time) -> bool {
    matches!(grants.ask(&site(), ask, now), Verdict::Serve { .. })
}

fn refusal(grants: &mut Grants, ask: Ask, now: Time) -> (DeclineReason, Vec<PeerId>) {
    match grants.ask(&site(), ask, now) {
        Verdict::Decline {
            reason, holders, ..
        } => (reason, holders),
        Verdict::Serve { .. } => panic!("served"),
    }
}

#[test]
fn the_second_asker_of_a_site_is_sent_to_the_first() {
    let mut grants = Grants::default();
    assert!(is_served(&mut grants, ask(1, 0), START));
    let leased = (DeclineReason::Leased, vec![peer(1)]);
    assert_eq!(refusal(&mut grants, ask(2, 5), START), leased);
    // Another span, another site and a peer outside all sites are free.
    assert!(is_served(&mut grants, ask(2, 16), START));
    let other = SiteKey::Name("yard".to_owned());
    let alone = SiteKey::Peer(peer(4));
    for (key, from) in [(other, 3), (alone, 4)] {
        let verdict = grants.ask(&key, ask(from, 0), START);
        assert_eq!(verdict, Verdict::Serve { split: false });
    }
}

#[test]
fn a_served_chunk_is_named_until_its_holder_is_gone() {
    let mut grants = Grants::default();
    for chunk in 32..40 {
        assert!(is_served(&mut grants, ask(1, chunk), START));
        arrived(&mut grants, 1, chunk, START);
    }
    let held = (DeclineReason::HeldBySite, vec![peer(1)]);
    assert_eq!(refusal(&mut grants, ask(2, 33), START), held);
    // Its own holder may ask again.
    assert!(is_served(&mut grants, ask(1, 33), START));
    grants.peer_down(&site(), &peer(1));
    assert!(is_served(&mut grants, ask(2, 33), START));
}

#[test]
fn a_failed_serve_and_a_release_leave_nothing_behind() {
    let mut grants = Grants::default();
    assert!(is_served(&mut grants, ask(1, 0), START));
    grants.failed(&site(), ask(1, 0), START);
    grants.release(&site(), &ContentId([9; 32]), SpanIndex(0), &peer(1));
    assert!(is_served(&mut grants, ask(2, 0), START));
}

#[test]
fn a_silent_holder_loses_its_lease() {
    let mut grants = Grants::default();
    assert!(is_served(&mut grants, ask(1, 0), START));
    arrived(&mut grants, 1, 0, START);
    let soon = START.plus(Duration::secs(14));
    assert_eq!(
        refusal(&mut grants, ask(2, 1), soon).0,
        DeclineReason::Leased
    );
    let late = START.plus(Duration::secs(15));
    assert!(is_served(&mut grants, ask(2, 1), late));
    // What it got stays its own, as long as it is connected.
    let held = refusal(&mut grants, ask(2, 0), late);
    assert_eq!(held, (DeclineReason::HeldBySite, vec![peer(1)]));
}

#[test]
fn a_holder_that_asks_on_keeps_its_lease() {
    let mut grants = Grants::default();
    for (chunk, secs) in [(0, 0), (1, 10), (2, 20)] {
        let now = START.plus(Duration::secs(secs));
        assert!(is_served(&mut grants, ask(1, chunk), now));
        arrived(&mut grants, 1, chunk, now);
    }
    let soon = START.plus(Duration::secs(34));
    let refused = refusal(&mut grants, ask(2, 3), soon);
    assert_eq!(refused, (DeclineReason::Leased, vec![peer(1)]));
}

#[test]
fn a_delivery_renews_the_lease_and_one_under_way_keeps_it() {
    let mut grants = Grants::default();
    assert!(is_served(&mut grants, ask(1, 0), START));
    let leased = (DeclineReason::Leased, vec![peer(1)]);
    let slow = START.plus(Duration::secs(60));
    assert_eq!(refusal(&mut grants, ask(2, 1), slow), leased);
    arrived(&mut grants, 1, 0, slow);
    let soon = slow.plus(Duration::secs(14));
    assert_eq!(refusal(&mut grants, ask(2, 1), soon), leased);
}

/// What was sent may lie in buffers of a thin line for minutes.
#[test]
fn what_does_not_arrive_in_eight_times_the_usual_time_may_be_had_by_another() {
    let mut grants = Grants::default();
    let at = |secs| START.plus(Duration::secs(secs));
    assert!(is_served(&mut grants, ask(1, 0), START));
    assert!(is_served(&mut grants, ask(1, 1), START));
    let leased = (DeclineReason::Leased, vec![peer(1)]);
    assert_eq!(refusal(&mut grants, ask(2, 1), at(899)), leased);
    arrived(&mut grants, 1, 0, at(899));
    assert_eq!(refusal(&mut grants, ask(2, 1), at(899)), leased);
    assert!(is_served(&mut grants, ask(2, 1), at(1_799)));
    // A site to which chunks take 5 s waits 40 s for one.
    let other = SiteKey::Name("yard".to_owned());
    let quick = |grants: &mut Grants, from, chunk, secs| {
        let verdict = grants.ask(&other, ask(from, chunk), at(secs));
        verdict == Verdict::Serve { split: false }
    };
    assert!(quick(&mut grants, 4, 0, 0));
    assert!(quick(&mut grants, 4, 1, 0));
    let has = |chunk| chunk == ChunkIndex(0);
    grants.arrived((&other, peer(4)), &ContentId([9; 32]), has, at(5));
    assert!(!quick(&mut grants, 5, 1, 39));
    assert!(!quick(&mut grants, 5, 2, 39));
    assert!(quick(&mut grants, 5, 1, 45));
}

#[test]
fn unreachable_is_believed_only_of_holders_that_were_named() {
    let mut grants = Grants::default();
    assert!(is_served(&mut grants, ask(1, 0), START));
    let cut_off = |from| Ask {
        unreachable: true,
        ..ask(from, 1)
    };
    assert_eq!(refusal(&mut grants, cut_off(2), START).1, vec![peer(1)]);
    assert_eq!(refusal(&mut grants, cut_off(3), START).1, vec![peer(1)]);
    let verdict = grants.ask(&site(), cut_off(2), START);
    assert_eq!(verdict, Verdict::Serve { split: true });
    // The third was told of the first only, and shares a part with the second.
    assert!(refusal(&mut grants, cut_off(3), START).1.contains(&peer(2)));
}

#[test]
fn the_leases_of_a_site_are_bounded() {
    let mut grants = Grants::default();
    let wide = |chunk| Ask {
        chunks: 10_000,
        ..ask(1, chunk)
    };
    for span in 0..64 {
        assert!(is_served(&mut grants, wide(span * 16), START));
    }
    let refused = refusal(&mut grants, wide(64 * 16), START);
    assert_eq!(refused, (DeclineReason::Busy, Vec::new()));
}
