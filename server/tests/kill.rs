//! `kill -9`, again and again: what was acknowledged is there, what was not is
//! there whole or not at all, and the next start works.

#![cfg(test)]

use server::lifecycle;

#[path = "kill/away.rs"]
mod away;
#[path = "kill/loops.rs"]
mod loops;
#[path = "../src/testing/postgres.rs"]
mod postgres;
#[path = "kill/server_process.rs"]
mod server_process;
