//! The conversation with the server.
//!
//! [`login`] makes a node key known to the server; [`session`] holds the map
//! stream and reports presence, and reconnects for as long as it lives.

pub mod backoff;
pub mod connect;
pub mod connection;
pub mod login;
pub mod netmap;
pub mod noise;
pub mod presence;
pub mod session;
pub mod stream;
pub mod url;

pub use connect::{ConnectError, Server};
pub use netmap::NetMap;
pub use presence::Presence;
pub use url::ServerUrl;

use wire::{MachineSecret, NodeSecret};

use crate::tls::Tls;

#[cfg(test)]
mod tests;

/// Who we are, and whom we speak to.
#[derive(Debug, Clone)]
pub struct Party {
    /// The server.
    pub server: Server,
    /// Whom TLS trusts.
    pub tls: Tls,
    /// This installation.
    pub machine: MachineSecret,
    /// This node.
    pub node: NodeSecret,
}
