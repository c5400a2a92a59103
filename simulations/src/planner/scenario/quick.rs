//! A scenario from a few options, for `plan --quick`.

/// What can be said on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Quick {
    /// Sites.
    pub sites: u32,
    /// Endpoints in each.
    pub endpoints: u32,
    /// Line towards each site.
    pub wan: String,
    /// Line away from it; a quarter of `wan` if none.
    pub up: Option<String>,
    /// Wire bytes of the release.
    pub size: String,
    /// The origin's uplink.
    pub origin: String,
    /// Part of the line that updates may take.
    pub share: f64,
    /// When it must be done.
    pub deadline: Option<String>,
    /// How exactly.
    pub fidelity: String,
}

impl Quick {
    /// The same as a scenario file.
    pub fn scenario(&self) -> String {
        let up = self.up.clone().unwrap_or_else(|| {
            let rate = crate::planner::quantity::rate(&self.wan).unwrap_or(4.0);
            format!("{} kbit/s", (rate / 4000.0).max(1.0).round())
        });
        let deadline = self.deadline.as_ref();
        let deadline = deadline.map_or_else(String::new, |at| format!("deadline = {at:?}\n"));
        format!(
            "schema = 1\n\
             scenario = {{ name = \"quick\", seed = 1, start = \"2026-12-07T09:00\", horizon = \
             \"30d\", fidelity = {:?} }}\n\
             origin = {{ uplink = {:?} }}\n\n\
             [[site_class]]\n\
             name = \"site\"\n\
             count = {}\n\
             endpoints = {}\n\
             wan = {{ down = {:?}, up = {up:?}, rtt = \"30 ms\" }}\n\
             lan = {{ nic = \"1 Gbit/s\" }}\n\
             limit = {{ share = {:?} }}\n\n\
             [[release]]\n\
             name = \"release\"\n\
             size = {:?}\n{deadline}",
            self.fidelity, self.origin, self.sites, self.endpoints, self.wan, self.share, self.size
        )
    }
}
