//! The way: paths, probes, tunnels and the packet filter of one node, without sockets or clocks.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod disco;
mod discovery;
pub mod event;
pub mod filter;
pub mod netcheck;
pub mod node;
pub mod offload;
pub mod packet;
mod path;
mod peer;
mod relays;
pub mod routes;
mod timers;
mod train;
mod tunnel;
