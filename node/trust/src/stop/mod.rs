//! Emergency stops: what one revocation key may say alone, and the set of those
//! that are in force.

pub mod set;
pub mod signed;
