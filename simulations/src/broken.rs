//! What is said when something does not hold.

/// A check that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Name of the check.
    pub check: &'static str,
    /// The node.
    pub node: usize,
    /// What was found.
    pub found: String,
}

impl Broken {
    /// A check that did not hold at a node.
    pub fn new(check: &'static str, node: usize, found: &str) -> Self {
        Self {
            check,
            node,
            found: found.to_owned(),
        }
    }
}
