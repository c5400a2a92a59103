//! What a user of the store sees, on a real disk: quota, damage, a lost index,
//! two processes, kill -9.

mod damage;
mod kill;
mod life;
mod make;
