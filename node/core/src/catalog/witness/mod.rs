//! Witnesses: who has cosigned which head of the log, how that is spread, and
//! what this node does if it is one itself.

pub mod own;
pub mod spread;
pub mod state;
