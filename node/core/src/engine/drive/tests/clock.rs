//! A wall clock that is wrong, and one that is set.

use super::*;
use crate::catalog::clock::Skew;

/// T-36: a clock that is far ahead keeps what is complete from being staged until
/// it is set, and nothing else has to happen.
#[test]
fn a_clock_that_is_set_lets_what_it_held_up_go_on_at_once() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    publisher.publish(&[index("KB-1", 0, 20)], 30);
    let held = |host: &Host, least| {
        let releases = host.engine.view(host.now).releases;
        releases.iter().any(|release| release.chunks_held >= least)
    };
    host.run(&publisher.folder, |host| held(host, 2));
    let right = host.now.utc;
    host.now.utc = UtcTime(right.0 + 400 * 86_400);
    host.run(&publisher.folder, |host| held(host, 20));
    host.drain(&publisher.folder);
    assert!(!host.is_staged("KB-1"));
    assert!(matches!(host.engine.skew(host.now), Some(Skew::Ahead(_))));
    host.now.utc = right;
    host.handle(Input::Tick);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    assert_eq!(host.engine.skew(host.now), None);
}

/// T-37.
#[test]
fn a_timestamp_of_which_half_the_life_is_over_is_told() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    publisher.publish(&[index("KB-1", 0, 5)], 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    let at = |days: i64| Now {
        mono: host.now.mono,
        utc: UtcTime(UTC.0 + days * 86_400),
    };
    assert_eq!(host.engine.ageing(at(44)), None);
    let (issued, expires) = host.engine.ageing(at(46)).unwrap();
    assert_eq!((issued, expires), (UTC, at(90).utc));
}
