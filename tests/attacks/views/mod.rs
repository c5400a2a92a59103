//! Attacks that show two sites two things, and on those who bear witness.

mod equivocation;
mod split;
mod witnesses;
