//! Attacks on what ends things: stops, and who makes them.

mod damaged;
mod forged;
mod midway;
mod policies;
mod stops;
mod web;
