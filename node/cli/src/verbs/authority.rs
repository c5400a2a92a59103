//! Verbs of an authority: its root, keys, lines, roles, rollouts, expiries and backups.

pub(crate) mod backup;
pub(crate) mod key_replace;
pub(crate) mod line;
pub(crate) mod membership;
pub(crate) mod renew;
pub(crate) mod role;
pub(crate) mod rollout;
pub(crate) mod root_init;
pub(crate) mod root_rotate;
pub(crate) mod root_show;
pub(crate) mod stop;
pub(crate) mod witnesses;
