//! The relay protocol (DERP): packets between nodes that cannot reach each other.
//!
//! After the HTTP upgrade both sides send frames ([`frame`]): the server its
//! key, the client its own with a box that proves it ([`greeting`]), the server
//! its parameters; then packets. Sources: `tailscale/derp`.

pub mod client;
pub mod frame;
pub mod greeting;
pub mod switchboard;
pub mod train;

pub use client::{ClientSession, Event};
pub use frame::Frame;
pub use greeting::{ClientHello, RelayKey, RelaySecret};

/// The protocol's version, announced by both sides.
pub const VERSION: u8 = 2;
/// The largest packet that is relayed.
pub const MAX_PACKET: usize = 64 * 1024;
/// The largest frame body: a packet and two keys.
pub const MAX_BODY: usize = MAX_PACKET + 64;
