//! What each verb does.

pub(crate) mod assemble;
pub(crate) mod authority;
pub(crate) mod events;
pub(crate) mod fetch;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod manual;
pub(crate) mod next_step;
pub(crate) mod node;
pub(crate) mod publish;
pub(crate) mod release_build;
pub(crate) mod release_show;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod tuf;
pub(crate) mod verify;
pub(crate) mod verify_proof;
