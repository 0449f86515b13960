//! A node as the server knows it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use policy::{NodeFacts, routes::Standing};
use wire::{
    CapabilityVersion, DiscoKey, MachineKey, NodeId, NodeKey, StableId, Timestamp, UserId,
    control::Hostinfo,
    name::{Hostname, Tag},
    net::Prefix,
    relay_map::RegionId,
};

use crate::posture;

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The id.
    pub id: NodeId,
    /// The id that clients show.
    pub stable_id: StableId,
    /// The short name.
    pub name: Hostname,
    /// Who it belongs to.
    pub owner: Owner,
    /// Its WireGuard key.
    pub key: NodeKey,
    /// The installation it runs on.
    pub machine: MachineKey,
    /// Its IPv4 address.
    pub ipv4: Ipv4Addr,
    /// Its IPv6 address.
    pub ipv6: Ipv6Addr,
    /// When its key ends; `None`: never.
    pub key_expiry: Option<Timestamp>,
    /// False while it waits for an administrator.
    pub approved: bool,
    /// Its key has ended.
    pub expired: bool,
    /// When it joined.
    pub created: Timestamp,
    /// Approved subnet routes that it serves; exit routes are none.
    pub routes: Vec<Prefix>,
    /// Approved exit routes that it serves: `0.0.0.0/0`, `::/0`.
    pub exit_routes: Vec<Prefix>,
    /// What its client understands.
    pub capability: CapabilityVersion,
    /// Where it is and how it is reached.
    pub reach: Reach,
}

/// Who a node belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A member.
    User(UserId),
    /// Nobody: at least one tag.
    Tags(Vec<Tag>),
}

/// What a node reports of itself, and whether it is connected.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reach {
    /// Whether it holds a map stream.
    pub online: bool,
    /// When it was last connected; `None`: never.
    pub last_seen: Option<Timestamp>,
    /// Where it may be reached by UDP.
    pub endpoints: Vec<SocketAddr>,
    /// Its disco key; zero: none yet.
    pub disco_key: DiscoKey,
    /// Its home relay; 0: none yet.
    pub home_relay: RegionId,
    /// What it says of itself.
    pub hostinfo: Hostinfo,
}

impl Node {
    /// Whether it takes part: it sees peers and is seen. A node that waits for
    /// approval or whose key has ended does neither.
    pub fn is_active(&self) -> bool {
        self.approved && !self.expired
    }

    /// Whether it may take packets for others than itself: it serves routes, or
    /// offers some that nobody has approved.
    pub(crate) fn offers_routes(&self) -> bool {
        self.is_router() || !self.reach.hostinfo.routable_ips.is_empty()
    }

    /// Whether it serves subnet or exit routes.
    pub(crate) fn is_router(&self) -> bool {
        !self.routes.is_empty() || !self.exit_routes.is_empty()
    }

    pub(crate) fn addresses(&self) -> Vec<Prefix> {
        vec![
            Prefix::host(self.ipv4.into()),
            Prefix::host(self.ipv6.into()),
        ]
    }

    pub(crate) fn tags(&self) -> Vec<String> {
        match &self.owner {
            Owner::User(_) => Vec::new(),
            Owner::Tags(tags) => tags.iter().map(|t| t.as_str().to_owned()).collect(),
        }
    }

    /// Where it stands among the routers of a prefix: one that is offline cannot serve.
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            away: !self.reach.online,
            created: self.created,
        }
    }

    /// What the law sees of it.
    pub fn facts(&self) -> NodeFacts {
        NodeFacts {
            user: match &self.owner {
                Owner::User(user) => Some(*user),
                Owner::Tags(_) => None,
            },
            tags: self.tags(),
            addresses: vec![self.ipv4.into(), self.ipv6.into()],
            routes: self.routes.clone(),
            exit_routes: self.exit_routes.clone(),
            posture: posture::attributes(&self.reach.hostinfo),
        }
    }

    /// True when the two differ in nothing that the law sees.
    pub(crate) fn is_alike_before_the_law(&self, other: &Self) -> bool {
        self.owner == other.owner
            && (self.ipv4, self.ipv6) == (other.ipv4, other.ipv6)
            && self.is_active() == other.is_active()
            && (&self.routes, &self.exit_routes) == (&other.routes, &other.exit_routes)
            && posture::is_alike(&self.reach.hostinfo, &other.reach.hostinfo)
    }
}
