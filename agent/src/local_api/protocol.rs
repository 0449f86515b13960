//! What is said over the socket.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use wire::{NodeId, NodeKey, Timestamp, relay_map::RegionId};

/// What the command line asks for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Request {
    /// Join, or come back.
    Up(Up),
    /// Go, and stay a member.
    Down,
    /// Leave.
    Logout,
    /// What is there.
    Status,
    /// Is it reached?
    Ping {
        /// A peer's name or address.
        host: String,
    },
    /// What is the network like?
    Netcheck,
    /// What a person who helps needs to know.
    Bugreport,
}

/// How to join. What is absent stays as it was.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Up {
    /// The server's URL.
    pub server: Option<String>,
    /// SHA-256 of the server's own CA; empty: forget it.
    pub ca_sha256: Option<String>,
    /// An auth key.
    pub auth_key: Option<String>,
    /// The name to announce; empty: the machine's own.
    pub hostname: Option<String>,
    /// The tags to ask for; empty: none.
    pub tags: Option<Vec<String>>,
    /// Sign in again even if nothing asks for it.
    pub force: bool,
}

impl std::fmt::Debug for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Up")
            .field("server", &self.server)
            .field("auth_key", &self.auth_key.as_ref().map(|_| "…"))
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Up(_) => "Up",
            Self::Down => "Down",
            Self::Logout => "Logout",
            Self::Status => "Status",
            Self::Ping { .. } => "Ping",
            Self::Netcheck => "Netcheck",
            Self::Bugreport => "Bugreport",
        })
    }
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// `up`: a person must open this link; more replies follow.
    SignIn {
        /// The link.
        url: String,
    },
    /// `up`: an administrator must approve this machine; more replies follow.
    NeedsApproval,
    /// `up`: it does not work yet and is tried again; more replies follow.
    Trouble {
        /// Why.
        message: String,
    },
    /// `up`: this machine is in the mesh.
    Up {
        /// Its name.
        name: String,
        /// Its addresses.
        addresses: Vec<IpAddr>,
    },
    /// It is done.
    Done {
        /// What a person should know; may be empty.
        message: String,
    },
    /// `status`.
    Status(Box<Status>),
    /// `ping`.
    Pong(Pong),
    /// `ping`: no answer.
    NoPong {
        /// Whom.
        name: String,
    },
    /// `netcheck`.
    Netcheck(Netcheck),
    /// `bugreport`.
    Report {
        /// The text.
        text: String,
    },
    /// It is not done.
    Error {
        /// What kind of error.
        code: ErrorCode,
        /// What was wrong and what to do.
        message: String,
    },
}

impl Reply {
    /// An error.
    pub fn error(code: ErrorCode, message: impl std::fmt::Display) -> Self {
        Self::Error {
            code,
            message: message.to_string(),
        }
    }

    /// Success, with what a person should know.
    pub fn done(message: impl Into<String>) -> Self {
        Self::Done {
            message: message.into(),
        }
    }

    /// Whether no more follows.
    pub const fn is_last(&self) -> bool {
        !matches!(
            self,
            Self::SignIn { .. } | Self::NeedsApproval | Self::Trouble { .. }
        )
    }
}

/// Kinds of errors, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The caller is neither root nor the daemon's user.
    Denied,
    /// The request cannot be read, or is too long or late.
    BadRequest,
    /// The node is not up.
    NotUp,
    /// No such peer.
    UnknownHost,
    /// What was asked for cannot be used.
    BadOption,
    /// The machine does not let the daemon do it.
    System,
    /// The server cannot be reached, or is not the one it was.
    Server,
    /// The server said no.
    Refused,
    /// Something else took its place.
    Cancelled,
}

/// How the node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Down, by a person's wish.
    Stopped,
    /// It has not joined, or must sign in again.
    NeedsLogin,
    /// An administrator has yet to approve it.
    NeedsApproval,
    /// It is to be up and has no netmap yet.
    Starting,
    /// It is up.
    Running,
    /// Its key has expired: nothing passes.
    Expired,
}

/// `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// How the node is.
    pub state: State,
    /// The server's URL.
    pub server: Option<String>,
    /// Whether the server is connected.
    pub connected: bool,
    /// Why it is not, or what else is wrong.
    pub problems: Vec<String>,
    /// The link that waits for a person.
    pub sign_in: Option<String>,
    /// This node; absent before the first netmap.
    pub node: Option<OwnNode>,
    /// The tenant's name.
    pub tenant: Option<String>,
    /// The TUN's name, while there is one.
    pub interface: Option<String>,
    /// The relay that peers reach this node through.
    pub home_relay: Option<Relay>,
    /// Where peers may reach this node by UDP.
    pub endpoints: Vec<SocketAddr>,
    /// Every visible peer, by name.
    pub peers: Vec<Peer>,
}

/// This node in [`Status`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnNode {
    /// The server's number for it.
    pub id: NodeId,
    /// Its full name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its WireGuard key.
    pub key: NodeKey,
    /// The owner's login name; absent for tagged nodes.
    pub owner: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When its key ends.
    pub key_expiry: Option<Timestamp>,
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// Its region's number.
    pub region: RegionId,
    /// Its region's code.
    pub code: String,
}

/// A peer in [`Status`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The server's number for it.
    pub id: NodeId,
    /// Its full name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its WireGuard key.
    pub key: NodeKey,
    /// The owner's login name; absent for tagged nodes.
    pub owner: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its operating system.
    pub os: String,
    /// Whether it is connected to the server, as far as that is known.
    pub online: Option<bool>,
    /// When it was last connected.
    pub last_seen: Option<Timestamp>,
    /// Whether its key has expired.
    pub expired: bool,
    /// Whether there is traffic.
    pub active: bool,
    /// The address of the direct path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<SocketAddr>,
    /// The relay of the relayed path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// The last round trip.
    pub rtt_ms: Option<f64>,
    /// Bytes received from it.
    pub rx_bytes: u64,
    /// Bytes sent to it.
    pub tx_bytes: u64,
}

/// An answer to a ping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pong {
    /// Who answered.
    pub name: String,
    /// His first address.
    pub address: Option<IpAddr>,
    /// The address of the direct path it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<SocketAddr>,
    /// The relay it came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// The round trip.
    pub rtt_ms: f64,
}

/// `netcheck`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Netcheck {
    /// Whether UDP leaves and returns.
    pub udp: bool,
    /// Whether it does over IPv6.
    pub ipv6: bool,
    /// `open`, `easy`, `hard`, `blocked` or `unknown`.
    pub nat: String,
    /// Whether the outside port depends on the destination; `None`: unknown.
    pub mapping_varies: Option<bool>,
    /// What servers see, over IPv4.
    pub mapped_v4: Option<SocketAddr>,
    /// What servers see, over IPv6.
    pub mapped_v6: Option<SocketAddr>,
    /// The relay that peers reach this node through.
    pub home_relay: Option<Relay>,
    /// The relays, nearest first.
    pub relays: Vec<RelayLatency>,
}

/// How far a relay is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelayLatency {
    /// The relay.
    #[serde(flatten)]
    pub relay: Relay,
    /// The round trip by UDP.
    pub udp_ms: Option<f64>,
    /// The round trip by HTTPS.
    pub https_ms: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let request = Request::Up(Up {
            auth_key: Some("secret".to_owned()),
            ..Up::default()
        });
        let text = serde_json::to_string(&request).unwrap();
        let Request::Up(back) = serde_json::from_str(&text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(back.auth_key.as_deref(), Some("secret"));
        assert!(!format!("{back:?}{request:?}").contains("secret"));
        let sparse: Request = serde_json::from_str(r#"{"verb":"up"}"#).unwrap();
        assert!(matches!(sparse, Request::Up(up) if up == Up::default()));
    }

    #[test]
    fn only_progress_is_followed_by_more() {
        assert!(!Reply::NeedsApproval.is_last());
        assert!(Reply::error(ErrorCode::NotUp, "no").is_last());
    }
}
