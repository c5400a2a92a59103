//! One self-contained page: styles and plots inside, no script needed, nothing
//! from outside.

pub mod axis;
pub mod charts;
pub mod heat;
pub mod lists;
pub mod page;
pub mod style;
