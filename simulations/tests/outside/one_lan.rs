//! O5: Kraken's shape. The README of uber/kraken gives 2,600 hosts that fetch 3 GB from 5
//! origins at 300 MB/s at most: half within 10 s, 99 % within 18 s, 99.9 % within 22 s.
//! Here one LAN with ports of 300 MB/s both ways, and a line of five such ports.

use patchmesh_simulations::planner::run::plan;
use patchmesh_simulations::planner::scenario::parse::scenario;

/// When each of so many hosts has the 3 GB, with the node's own engine; sorted.
fn ends(hosts: u32, unit: &str) -> Vec<f64> {
    let text = format!(
        "schema = 1\nscenario = {{ name = \"o5\", horizon = \"1h\", fidelity = \"full\", \
         unit = {unit:?} }}\norigin = {{ cdn = true }}\npolicy = [{{ kind = \"patchmesh\" }}]\n\
         [[site_class]]\nname = \"lan\"\ncount = 1\nendpoints = {hosts}\n\
         wan = {{ down = \"12 Gbit/s\", up = \"12 Gbit/s\", rtt = \"1 ms\" }}\n\
         lan = {{ nic = \"2400 Mbit/s\", fabric = \"10000 Gbit/s\" }}\n\
         [[release]]\nname = \"r\"\nsize = \"3 GB\"\n"
    );
    let none = |_: &str| Err(String::new());
    let scenario = scenario("o5", &text, &none).unwrap();
    let found = plan(scenario, "o5", 2, &|_| {}).unwrap();
    let mut ends = found.entries[0].run.sites[0].ends.clone();
    ends.sort_by(f64::total_cmp);
    ends
}

/// Nobody is faster than a port; returns half and 99 %.
fn shape(hosts: u32, unit: &str) -> (f64, f64) {
    let ends = ends(hosts, unit);
    let at = |part: f64| ends[((ends.len() as f64 * part).ceil() as usize).max(1) - 1];
    println!(
        "O5: {hosts} hosts: first {:.2} s, half {:.2} s, 99 % {:.2} s, 99.9 % {:.2} s, \
         last {:.2} s",
        ends[0],
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    assert!(ends[0] >= 10.0, "{}", ends[0]);
    (at(0.5), at(0.99))
}

#[test]
fn a_small_lan_is_as_fast_as_its_ports() {
    let (half, most) = shape(20, "8 MiB");
    assert!(half < 11.0 && most / half < 1.2, "{half} {most}");
}

#[test]
#[ignore = "long tier"]
fn a_lan_of_the_published_size_has_no_longer_tail() {
    let (half, most) = shape(2600, "4 MiB");
    assert!(half < 18.0 && most / half < 1.8, "{half} {most}");
}
