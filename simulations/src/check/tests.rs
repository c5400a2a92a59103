//! Each check fires where it should.

use patchmesh_content::geometry::{ChunkIndex, DUTY_SPAN_CHUNKS};
use patchmesh_content::id::ContentId;
use patchmesh_core::ids::{FetchId, ServeId};
use patchmesh_core::time::Time;

use super::*;
use crate::operations::Word;
use crate::plan::{Parties, Plan};

/// A quiet world, run until every node has everything.
fn finished() -> World {
    end_of(Plan::quiet(7))
}

fn end_of(plan: Plan) -> World {
    let mut world = World::new(plan);
    while !is_done(&world) {
        for _ in 0..200 {
            let touched = world.step().unwrap().unwrap();
            assert!(touched.is_none_or(|touched| node(&mut world, touched).is_ok()));
        }
    }
    world
}

#[test]
fn a_store_that_loses_chunks_behind_the_engines_back_is_noticed() {
    let mut world = finished();
    assert_eq!(node(&mut world, 1), Ok(()));
    let now = world.now();
    world.hosts[1].store.crash(now);
    assert_eq!(node(&mut world, 1).unwrap_err().check, "S4");
}

#[test]
fn a_span_served_to_two_members_of_a_site_is_noticed_unless_it_was_split() {
    let mut world = World::new(Plan::quiet(7));
    let want = |chunk| Want {
        content: ContentId([7; 32]),
        chunk: ChunkIndex(chunk),
        unreachable: false,
    };
    let serving = Serving {
        server: 0,
        client: 1,
        fetch: FetchId(1),
        want: want(0),
        since: Some(world.now()),
        sent: false,
        given_back: false,
    };
    world.serves.insert(ServeId(1), serving);
    let other_site = (0, 5, 1);
    assert_eq!(lease(&mut world, other_site, &want(1)), Ok(()));
    assert_eq!(lease(&mut world, (0, 1, 0), &want(1)), Ok(()));
    assert_eq!(
        lease(&mut world, (0, 2, 0), &want(DUTY_SPAN_CHUNKS)),
        Ok(())
    );
    let broken = lease(&mut world, (0, 2, 0), &want(1)).unwrap_err();
    assert_eq!(broken.check, "S6");
    let unreachable = Want {
        unreachable: true,
        ..want(1)
    };
    assert_eq!(lease(&mut world, (0, 2, 0), &unreachable), Ok(()));
    assert_eq!(lease(&mut world, (0, 2, 0), &want(2)), Ok(()));
    world.splits.clear();
    world
        .serves
        .values_mut()
        .for_each(|serving| serving.given_back = true);
    assert_eq!(lease(&mut world, (0, 2, 0), &want(2)), Ok(()));
    world
        .serves
        .values_mut()
        .for_each(|serving| serving.given_back = false);
    // A chunk that is long under way keeps the lease, eight times as long as the
    // quickest took.
    world.now = Time(20_000_000);
    assert!(lease(&mut world, (0, 2, 0), &want(1)).is_err());
    let of = (0, 0, ContentId([7; 32]));
    world.quickest.insert(of, Duration::secs(3));
    assert!(lease(&mut world, (0, 2, 0), &want(1)).is_err());
    world.quickest.insert(of, Duration::secs(2));
    assert_eq!(lease(&mut world, (0, 2, 0), &want(1)), Ok(()));
}

#[test]
fn an_apply_that_operations_or_witnesses_do_not_cover_is_noticed() {
    let mut plan = Plan::quiet(7);
    plan.parties = Some(Parties {
        word: Word::All,
        witnesses: vec![1, 2, 5],
        asked: Some((2, 2)),
    });
    let mut world = end_of(plan);
    let said = world.publisher.said[0].clone();
    let content = said.releases[0].content;
    let wrong = |world: &World| must_not_apply(world, 1, &content);
    assert_eq!(wrong(&world), None);
    assert!(must_not_apply(&world, 1, &ContentId([7; 32])).is_some());
    for word in [Word::Nothing, Word::Other, Word::Held] {
        world.publisher.said[0].policy = word.policy(&said.releases);
        assert!(
            wrong(&world).unwrap().contains("do not approve"),
            "{word:?}"
        );
    }
    world.publisher.said[0] = said;
    // Two of one site are not enough, nor is a head that nobody published.
    let keys = world.publisher.said[0].keys.as_mut().unwrap();
    let third = keys.witnesses.pop().unwrap();
    assert!(wrong(&world).unwrap().contains("cosigned"));
    world.publisher.said[0]
        .keys
        .as_mut()
        .unwrap()
        .witnesses
        .push(third);
    assert_eq!(wrong(&world), None);
    world.publisher.heads.clear();
    assert!(wrong(&world).unwrap().contains("cosigned"));
}

#[test]
fn versions_that_sink_and_wasted_bytes_are_noticed() {
    let mut world = finished();
    world.hosts[1].head[1] += 1;
    assert_eq!(node(&mut world, 1).unwrap_err().check, "S2");
    assert_eq!(end(&world), Ok(()));
    world.wan_bytes[0] *= 2;
    assert_eq!(end(&world).unwrap_err().check, "S7");
}
