//! `cargo x tidy`: the rules of the house that a machine can check. Each check
//! reads the same in-memory tree, so each has a fixture that passes and one
//! that fails beside it.

mod all;
mod cycles;
mod documents;
mod finding;
mod graph;
mod invariants;
mod layers;
mod lock;
mod modules;
mod reach;
mod root;
mod sizes;
mod spec;
mod text;
mod tree;
mod words;

pub(crate) use all::run;
