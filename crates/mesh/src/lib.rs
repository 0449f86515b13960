//! The way: paths, probes, tunnels and the packet filter of one node, without sockets or clocks.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod discovery;
pub mod event;
pub mod filter;
pub mod netcheck;
pub mod node;
pub mod offload;
pub mod packet;
pub mod path;
pub mod peer;
pub mod routes;
pub mod tunnel;
