//! How the command line speaks to the daemon: lines of JSON over a unix socket.
//!
//! One request a connection, answered by one or more replies. The socket is
//! for root and for the user the daemon runs as: it is 0600, and who connects
//! proves it by his credentials.

pub mod client;
pub mod protocol;
pub mod server;

pub use protocol::{Reply, Request};

/// The longest request.
pub const MAX_REQUEST: usize = 64 * 1024;

/// Whether a user may speak to a daemon that runs as `owner`.
pub const fn may_speak(peer: u32, owner: u32) -> bool {
    peer == 0 || peer == owner
}
