//! A scenario to begin with.

/// Shown by `plan --example`; it parses and runs as it is.
pub const EXAMPLE: &str = include_str!("../../../scenarios/example.toml");

/// A scenario around a table of sites, for `plan --from-site-csv`.
pub fn around_table(path: &str, columns: &str) -> String {
    let has = |name: &str| {
        let mut names = columns.split(',').map(|name| name.trim().trim_matches('"'));
        names.any(|column| column == name || column.starts_with(&format!("{name}[")))
    };
    let note = |name: &str| {
        if has(name) {
            "  # the table has its own"
        } else {
            ""
        }
    };
    format!(
        "# A plan for the sites of {path}. What the table does not say comes from the class\n\
         # below: check each value that is marked (guess).\n\
         schema = 1\n\
         scenario = {{ name = \"rollout\", seed = 1, start = \"2026-12-07T09:00\", \
         horizon = \"7d\", fidelity = \"fluid\" }}\n\
         origin = {{ name = \"origin\", uplink = \"1 Gbit/s\" }}  # (guess)\n\
         sites = {{ csv = {path:?} }}\n\n\
         [[site_class]]\n\
         name = \"site\"\n\
         endpoints = 20  # (guess){}\n\
         wan = {{ down = \"20 Mbit/s\", up = \"5 Mbit/s\", rtt = \"30 ms\" }}  # (guess){}\n\
         lan = {{ nic = \"1 Gbit/s\" }}  # (guess)\n\
         limit = {{ share = 0.5 }}  # (guess) part of the line that updates may take\n\n\
         [[release]]\n\
         name = \"release\"\n\
         size = \"2 GiB\"  # (guess) wire bytes\n\
         deadline = \"48h\"  # (guess)\n",
        note("endpoints"),
        note("wan_down"),
    )
}
