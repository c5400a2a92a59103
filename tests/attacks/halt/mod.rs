//! Attacks on what ends things: stops, and who makes them.

mod stops;
