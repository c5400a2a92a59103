//! What a user of the store sees, on a real disk: quota, damage, a lost index,
//! two processes, kill -9.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod damage;
mod kill;
mod life;
mod make;
mod speed;
