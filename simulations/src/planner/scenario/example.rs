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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::scenario::parse::scenario;
    use crate::planner::scenario::site_table::COLUMNS;

    /// The keys that the reader knows where an unknown one stands at a place.
    fn known(text: &str, at: usize, slip: &str) -> Vec<String> {
        let mut text = text.to_owned();
        text.insert_str(at, slip);
        let table = |_: &str| Ok("id,class\nx,ship\n".to_owned());
        let problem = scenario("example.toml", &text, &table).unwrap_err();
        let (_, known) = problem.hint.split_once("known here: ").unwrap_or_else(|| {
            panic!("{problem}");
        });
        known.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn the_example_shows_every_key_that_is_known() {
        let sites = "# sites = { csv";
        assert!(EXAMPLE.contains(sites));
        let text = EXAMPLE.replacen("schema = 1\n", "schema = 1\nsites = { csv = \"t\" }\n", 1);
        let mut all = known(&text, 0, "zzz = 1\n");
        let mut tables = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let code = line.split('#').next().unwrap_or_default();
            if code.starts_with('[') {
                all.extend(known(&text, at + line.len(), "zzz = 1\n"));
                tables += 1;
            }
            for (brace, _) in code.match_indices("{ ") {
                all.extend(known(&text, at + brace + 2, "zzz = 1, "));
                tables += 1;
            }
            at += line.len();
        }
        assert!(tables > 30, "{tables}");
        // Named profiles are no keys.
        for key in all {
            let shown = [format!("{key} ="), format!("[{key}]"), format!("[{key}.")];
            let shown = shown.iter().any(|form| EXAMPLE.contains(form.as_str()));
            assert!(shown, "`{key}` is not in the example");
        }
        for column in COLUMNS {
            assert!(EXAMPLE.contains(column), "{column}");
        }
    }
}
