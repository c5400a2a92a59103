//! What a key signs, and which keys may.

mod crossed;
mod keys;
