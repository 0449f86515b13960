//! Whole nodes on a network in memory: real tunnels, virtual time, no sleeps.
//!
//! One behaviour per file below; [`world`] holds what they share.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "tests state facts and may stop; one that stops prints the network's trace"
)]

#[path = "scenario/packet.rs"]
mod packet;
#[path = "scenario/stream.rs"]
mod stream;
#[path = "scenario/world.rs"]
mod world;

#[path = "scenario/expired_peer.rs"]
mod expired_peer;
#[path = "scenario/forgery.rs"]
mod forgery;
#[path = "scenario/nat_pairs.rs"]
mod nat_pairs;
#[path = "scenario/policy_change.rs"]
mod policy_change;
#[path = "scenario/properties.rs"]
mod properties;
#[path = "scenario/rekey.rs"]
mod rekey;
#[path = "scenario/relay_fallback.rs"]
mod relay_fallback;
#[path = "scenario/restart.rs"]
mod restart;
#[path = "scenario/roaming.rs"]
mod roaming;
