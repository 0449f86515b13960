//! Machines.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::me::Actor;
use crate::{NodeId, Timestamp, UserId, net::Prefix, relay_map::RegionId};

/// A machine in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The id.
    pub id: NodeId,
    /// The short name.
    pub name: String,
    /// The full DNS name without the dot at its end.
    pub fqdn: String,
    /// Its mesh addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// The owner, or the tags.
    pub owner: Owner,
    /// `linux`, `macOS`, … as it says of itself.
    pub os: String,
    /// Its client's version.
    pub client_version: String,
    /// Whether it is connected to the server.
    pub online: bool,
    /// When it was last connected; absent when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// False while it waits for an administrator.
    pub approved: bool,
    /// It is removed when it goes.
    pub ephemeral: bool,
    /// When its key ends; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expiry: Option<Timestamp>,
    /// Its key has ended.
    pub expired: bool,
    /// How it reaches its active peers, where its agent reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathSummary>,
    /// What it routes for others.
    #[serde(default)]
    pub routes: RouteSummary,
    /// When it joined.
    pub created: Timestamp,
}

/// Who a machine belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// A member.
    User {
        /// The member.
        user: UserId,
        /// His e-mail address.
        email: String,
        /// His name.
        display_name: String,
    },
    /// Nobody: its tags say what it is.
    Tags {
        /// At least one, sorted, with their prefix.
        tags: Vec<String>,
    },
}

/// How many active peers are reached how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathSummary {
    /// Peers with a direct path.
    pub direct: u32,
    /// Peers behind a relay.
    pub relayed: u32,
}

/// What a machine routes for others, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RouteSummary {
    /// Networks that it offers and is approved for.
    pub subnets: u32,
    /// Whether it offers to be an exit node and is approved as one.
    pub exit_node: bool,
    /// Routes that it offers and nobody has decided upon; the two exit routes are one.
    pub waiting: u32,
}

/// One machine, everything known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub node: Node,
    /// Its WireGuard key.
    pub node_key: String,
    /// Its machine key.
    pub machine_key: String,
    /// The operating system's version.
    pub os_version: String,
    /// What it calls itself.
    pub hostname: String,
    /// Where it may be reached by UDP.
    pub endpoints: Vec<SocketAddr>,
    /// Its home relay's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_relay: Option<RegionId>,
    /// True behind a NAT whose mapping depends on the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_nat: Option<bool>,
    /// Routes that it offers, and others that were decided upon, by address.
    pub routes_detail: Vec<Route>,
    /// Its paths, where its agent reports them.
    pub paths_detail: Vec<Path>,
    /// Who let it join.
    pub joined_by: Actor,
}

/// A route of a machine: traffic into the prefix that it would take for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to; `0.0.0.0/0` and `::/0` make an exit node.
    pub prefix: Prefix,
    /// Whether the machine offers it now.
    pub advertised: bool,
    /// What was decided.
    pub standing: RouteStanding,
    /// Whether the network's traffic into it goes to this machine: of several that
    /// serve a prefix, one is the primary. Never true of exit routes, which each
    /// machine chooses for itself.
    pub primary: bool,
}

impl Route {
    /// Whether it is one of the two routes of an exit node.
    pub fn is_exit(&self) -> bool {
        self.prefix.is_default_route()
    }

    /// Whether the machine serves it: offered and approved.
    pub fn is_served(&self) -> bool {
        self.advertised && matches!(self.standing, RouteStanding::Approved { .. })
    }

    /// Whether it is offered and somebody must decide.
    pub fn waits(&self) -> bool {
        self.advertised && self.standing == RouteStanding::Waiting
    }
}

/// What was decided about a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RouteStanding {
    /// Nothing yet.
    Waiting,
    /// It may be served.
    Approved {
        /// By whom; [`Actor::Server`]: by the policy's `autoApprovers`.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// It may not, whatever the policy's `autoApprovers` say.
    Withdrawn {
        /// By whom.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// It can be served by nobody.
    Unusable {
        /// Why not.
        why: String,
    },
}

/// One path of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The peer.
    pub peer: NodeId,
    /// Its name.
    pub peer_name: String,
    /// The direct path's address; absent when relayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<SocketAddr>,
    /// The last round trip, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
}

/// Gives a machine another name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameNode {
    /// The new short name ([`crate::name::Hostname`]).
    pub name: String,
}

/// Replaces a machine's tags. With its first tag it loses its owner and its key never
/// expires; without its last one it belongs to whoever took it, and its key expires again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetTags {
    /// All tags, with their prefix.
    pub tags: Vec<String>,
}

/// Decides about routes of a machine; those not named stay as they are. The two
/// exit routes go together: either means both.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRoutes {
    /// Prefixes that it may serve, from when it offers them.
    #[serde(default)]
    pub approve: Vec<String>,
    /// Prefixes that it may not serve.
    #[serde(default)]
    pub withdraw: Vec<String>,
}
