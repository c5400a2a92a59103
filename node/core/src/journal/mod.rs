//! The flight recorder's codec: what went into an engine, and a running hash of
//! what came out, so that a replay stops at the first difference.
//!
//! A recording is the start (settings, anchor, seed, what the store gave back)
//! and then one record per input: both clocks, the input, and the hash of all
//! outputs before it. Documents and indexes stand in it once, by their digest.
//! Every record has its length twice and a checksum, so that an altered
//! recording is not taken for one of another life. It holds no key and no chunk
//! byte. It begins with the life of an engine, because an engine cannot be put
//! into a state that it did not reach by its inputs. Only the same version of the engine can
//! replay it: outputs are hashed as they are, not as a stable format.

pub mod codec;
pub mod forms;
pub mod recorder;
pub mod replay;

pub use recorder::{MAGIC, RECORDING_LEN_MAX, Recorder, Start, record};
pub use replay::{Moment, ReplayError, Replayed, replay, replay_watched};
