//! What a check has to say: file, line, rule, and the cure.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the top of the repository.
    pub(crate) file: String,
    /// Line, from 1; 0 where the rule is about the whole file.
    pub(crate) line: usize,
    /// Name of the rule, as invariants cite it.
    pub(crate) rule: &'static str,
    /// What was found.
    pub(crate) says: String,
    /// What to do about it.
    pub(crate) cure: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            rule,
            says,
            cure,
        } = self;
        write!(f, "{file}:{line}: [{rule}] {says}\n    cure: {cure}")
    }
}
