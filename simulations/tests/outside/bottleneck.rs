//! O6: one bottleneck, max-min, in closed form: flows of 10 to 50 MB over
//! 100 Mbit/s end at 4.0, 7.2, 9.6, 11.2 and 12.0 s, wherever the link is.

use patchmesh_simulations::planner::fluid::policy::{limits_of, policy};
use patchmesh_simulations::planner::outcome::PolicyRun;
use patchmesh_simulations::planner::scenario::parse::{named_policy, scenario};
use patchmesh_simulations::planner::world::build::world;

fn run(origin: &str, down: &str, nic: &str, sites: bool) -> PolicyRun {
    let (count, endpoints) = if sites { (500, 1) } else { (1, 500) };
    let text = format!(
        "schema = 1\nscenario = {{ name = \"o6\", horizon = \"1h\" }}\n\
         origin = {{ uplink = \"{origin}\" }}\n\
         [[site_class]]\nname = \"s\"\ncount = {count}\nendpoints = {endpoints}\n\
         wan = {{ down = \"{down}\", up = \"1 Mbit/s\", rtt = \"0 ms\" }}\n\
         lan = {{ nic = \"{nic}\" }}\n\
         [[release]]\nname = \"r\"\nsize = \"500 kB\"\n\
         versions = [{{ share = 0.2, overlap = 0.8 }}, {{ share = 0.2, overlap = 0.6 }},\n\
         {{ share = 0.2, overlap = 0.4 }}, {{ share = 0.2, overlap = 0.2 }}, {{ share = 0.2 }}]\n"
    );
    let none = |_: &str| Err(String::new());
    let world = world(&scenario("o6", &text, &none).unwrap(), "o6").unwrap();
    let way = named_policy("direct").unwrap();
    policy(&world, &way, &limits_of(&world, &way), &|_| 1.0, (1, false)).0
}

/// Ends of flows that share 12.5 MB/s fairly, by their sizes.
fn expected(sizes: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
    let (mut ends, mut now, mut served) = (vec![0.0; sizes.len()], 0.0, 0.0);
    for (done, at) in order.iter().enumerate() {
        let left = (sizes.len() - done) as f64;
        now += (sizes[*at] - served) * left / 12.5e6;
        served = sizes[*at];
        ends[*at] = now;
    }
    ends
}

#[test]
fn the_published_five_end_as_they_must() {
    let ends = expected(&[10e6, 20e6, 30e6, 40e6, 50e6]);
    for (found, end) in ends.iter().zip([4.0, 7.2, 9.6, 11.2, 12.0]) {
        assert!((found - end).abs() < 1e-9);
    }
}

#[test]
fn five_hundred_flows_of_five_sizes_share_a_link_fairly_wherever_it_is() {
    for (origin, down, sites, slack) in [
        // The origin's uplink is granted for a while at a time.
        ("100 Mbit/s", "10 Gbit/s", true, 5e-3),
        ("100 Gbit/s", "100 Mbit/s", false, 1e-6),
    ] {
        let found = run(origin, down, "10 Gbit/s", sites);
        let ends: Vec<f64> = found
            .sites
            .iter()
            .flat_map(|site| site.ends.clone())
            .collect();
        // Which of the five each drew shows in the order of the ends.
        let mut levels: Vec<f64> = ends.clone();
        levels.sort_by(f64::total_cmp);
        levels.dedup_by(|a, b| (*a / *b - 1.0).abs() < 0.02);
        assert_eq!(levels.len(), 5, "{levels:?}");
        let sizes: Vec<f64> = ends
            .iter()
            .map(|end| {
                let level = levels.iter().position(|level| end / level < 1.02).unwrap();
                100e3 * (level + 1) as f64
            })
            .collect();
        for (found, must) in ends.iter().zip(expected(&sizes)) {
            assert!((found / must - 1.0).abs() < slack, "{found} {must}");
        }
    }
}

#[test]
fn a_port_holds_one_flow_back_and_the_others_get_the_rest() {
    // 500 endpoints of one site with ports of 100 kbit/s: the line is not the limit.
    let found = run("100 Gbit/s", "100 Mbit/s", "100 kbit/s", false);
    let last = found.sites[0].ends.iter().copied().fold(0.0, f64::max);
    assert!((last - 500e3 / 12.5e3).abs() < 1e-6, "{last}");
}
