//! What doubles is taken out, what does not stays.

use std::sync::Arc;

use super::*;
use crate::planner::world::steps::Steps;

fn site(on: Box<[(f64, f64)]>) -> Site {
    let rate = Arc::new(Steps::constant(1.0));
    Site {
        id: "s".to_owned(),
        class: 0,
        down: 1.0,
        up: 1.0,
        down_free: Arc::clone(&rate),
        up_free: Arc::clone(&rate),
        others: rate,
        rtt: 0.0,
        flow: 1.0,
        price: None,
        earlier: None,
        tracked: false,
        quota: None,
        overrun: None,
        nic: 1.0,
        fabric: 1.0,
        wifi: 1.0,
        parts: 1,
        hosts: vec![Host {
            wireless: false,
            overlap: 0.0,
            ring: 0,
            start: 0.0,
            on,
        }],
    }
}

fn run(end: f64, bytes: f64) -> SiteRun {
    SiteRun {
        wan_down: bytes,
        from_origin: bytes,
        ends: vec![end],
        hours: vec![bytes],
        ..SiteRun::default()
    }
}

#[test]
fn what_doubles_with_the_unit_is_taken_out_and_the_rest_stays() {
    let site = site(Box::new([(0.0, 1e6)]));
    // 1 s and 1 byte for each second of slowness, and 10 s and 20 bytes that stay.
    let of = |slow: f64| run(100.0 + 10.0 + slow, 1000.0 + 20.0 + slow);
    let (fine, coarse, flow) = (of(16.0), of(32.0), run(100.0, 1000.0));
    let trial = Trial {
        site: &site,
        fine: &fine,
        coarse: &coarse,
        flow: &flow,
    };
    let kept = learn(&[trial], 16.0);
    let mut now = fine.clone();
    let fell = refine(&site, &mut now, &flow, kept);
    let true_run = of(1.0);
    assert!((now.ends[0] - true_run.ends[0]).abs() < 1e-9, "{now:?}");
    assert!((now.wan_down - true_run.wan_down).abs() < 1e-9, "{now:?}");
    assert!((now.hours[0] - true_run.hours[0]).abs() < 1e-9, "{now:?}");
    assert!((fell[0] - 15.0 / 111.0).abs() < 1e-9, "{fell:?}");
    assert!((fell[1] - 15.0 / 1021.0).abs() < 1e-9, "{fell:?}");
}

#[test]
fn what_does_not_grow_with_the_unit_and_who_was_away_are_left_alone() {
    let always = site(Box::new([(0.0, 1e6)]));
    let same = run(110.0, 1020.0);
    let flow = run(100.0, 1000.0);
    let trial = Trial {
        site: &always,
        fine: &same,
        coarse: &same,
        flow: &flow,
    };
    assert_eq!(learn(&[trial], 64.0), Kept::ALL);
    assert_eq!(learn(&[], 64.0), Kept::ALL);
    let away = site(Box::new([(0.0, 105.0), (108.0, 1e6)]));
    let mut now = same.clone();
    let none = Kept {
        time: 0.0,
        bytes: 1.0,
    };
    refine(&away, &mut now, &flow, none);
    assert_eq!(now, same);
}
