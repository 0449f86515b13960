//! A network in memory: hosts, NATs, loss and virtual time, for tests of `mesh` and `agent`.
//!
//! Everything is deterministic: the same seed and the same calls give the same
//! deliveries and the same [`trace`]. Datagrams are UDP; a [`net::Net`] also
//! models what nodes need of a server, a STUN responder and a relay whose
//! connections lose nothing.
//!
//! What it does not do: TCP, fragmentation (a datagram over a link's MTU is
//! dropped), routing beyond "one NAT or none", hairpinning.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod clock;
pub mod host;
pub mod link;
pub mod nat;
pub mod net;
pub mod stun;
pub mod trace;
