//! Where things are on this machine. The only file that reads the environment.

use std::path::PathBuf;

/// The local API's socket.
pub const DEFAULT_SOCKET: &str = "/run/warren/warren.sock";
/// The folder of keys, preferences and the last netmap.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/warren";
/// The TUN's name.
pub const DEFAULT_INTERFACE: &str = "warren0";
/// The UDP port; another one is taken where it is in use.
pub const DEFAULT_PORT: u16 = 41642;
/// The TUN's MTU: what every path carries with `WireGuard`'s overhead.
pub const MTU: u16 = 1280;

/// What a daemon is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The local API's socket.
    pub socket: PathBuf,
    /// The folder of keys, preferences and the last netmap.
    pub state_dir: PathBuf,
    /// The TUN's name.
    pub interface: String,
    /// The UDP port; 0 lets the system choose.
    pub port: u16,
}

/// What the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `SSL_CERT_FILE`: PEM file of the CAs to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// `NOTIFY_SOCKET`: where systemd waits for the news that the daemon is ready.
    pub notify_socket: Option<PathBuf>,
    /// `WARREN_LOG`: what is logged, as `tracing` filters.
    pub log: Option<String>,
}

impl Environment {
    /// Reads it.
    pub fn read() -> Self {
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Self {
            ca_file: path("SSL_CERT_FILE"),
            notify_socket: path("NOTIFY_SOCKET"),
            log: std::env::var_os("WARREN_LOG").and_then(|v| v.into_string().ok()),
        }
    }
}
