//! Whole nodes on a network in memory: real tunnels, virtual time, no sleeps.
//!
//! One behaviour per file below; [`world`] holds what they share.

#[path = "scenario/world.rs"]
mod world;

#[path = "scenario/nat_pairs.rs"]
mod nat_pairs;
