//! `log`: show, prove and verify the transparency log.

pub(crate) mod cosigned;
pub(crate) mod prove;
pub(crate) mod show;
pub(crate) mod verify;
