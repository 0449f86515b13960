//! The facts that the law is applied to: plain data, filled in by the caller.

use std::net::IpAddr;

use wire::{NodeId, UserId, api::Role, net::Prefix};

use crate::{internet::internet, posture::Attributes, selector::provider_group::fold};

/// The people of a tenant and facts about it; nodes are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// The members.
    pub users: Vec<User>,
    /// Domains that were proven to belong to the tenant.
    pub domains: Vec<String>,
    /// The connections to identity providers.
    pub connections: Vec<Connection>,
    /// Approved subnet routes (exit routes are none); `*` as a source includes them.
    pub routes: Vec<Prefix>,
}

/// A connection to an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// Its name in documents, fixed when it is made.
    pub slug: String,
    /// The domains that it owns.
    pub domains: Vec<String>,
    /// The groups that the provider tells of.
    pub groups: Vec<ProviderGroup>,
}

/// A group of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderGroup {
    /// The name there; compared without regard to case and blanks around it.
    pub name: String,
    /// The members.
    pub members: Vec<UserId>,
}

impl Directory {
    /// The connection that `group:NAME@AT` means: by its slug, else the one
    /// connection that owns the domain.
    pub fn connection(&self, at: &str) -> Option<&Connection> {
        let by_slug = self.connections.iter().find(|c| fold(&c.slug) == at);
        by_slug.or_else(|| {
            let owns = |c: &&Connection| c.domains.iter().any(|d| fold(d) == at);
            let mut owners = self.connections.iter().filter(owns);
            owners.next().filter(|_| owners.next().is_none())
        })
    }

    /// True when the domain was proven to be the tenant's.
    pub fn has_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|d| fold(d) == fold(domain))
    }
}

/// A member of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id that nodes carry.
    pub id: UserId,
    /// The login name; compared without regard to case.
    pub email: String,
    /// The role.
    pub role: Role,
}

/// A node with its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'a> {
    /// The id.
    pub id: NodeId,
    /// The name in the tenant; empty: it has none.
    pub name: &'a str,
    /// What the law knows of it.
    pub facts: &'a NodeFacts,
}

/// What the law knows of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeFacts {
    /// The owner. Without meaning when `tags` is not empty: a tagged node is nobody's.
    pub user: Option<UserId>,
    /// The tags, with their prefix (`tag:web`).
    pub tags: Vec<String>,
    /// The node's own addresses.
    pub addresses: Vec<IpAddr>,
    /// Approved subnet routes that it serves (exit routes are none).
    pub routes: Vec<Prefix>,
    /// Approved exit routes that it serves: `0.0.0.0/0`, `::/0`.
    pub exit_routes: Vec<Prefix>,
    /// What is known of the device, for postures.
    pub posture: Attributes,
}

impl NodeFacts {
    /// The owner, if the node is a user's own device.
    pub fn owner(&self) -> Option<UserId> {
        self.user.filter(|_| self.tags.is_empty())
    }

    /// True when packets from or to `address` are this node's business.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.holds_itself(address) || self.is_exit_for(address)
    }

    /// True for its own addresses and those in its subnet routes.
    pub(crate) fn holds_itself(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address) || self.routes.iter().any(|r| r.contains(address))
    }

    /// True when it takes packets to `address` on the Internet.
    pub(crate) fn is_exit_for(&self, address: IpAddr) -> bool {
        self.exit_routes.iter().any(|r| r.contains(address)) && internet().contains(address)
    }
}
