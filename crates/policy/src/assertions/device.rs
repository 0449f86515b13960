//! The devices that a test speaks of.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use wire::{UserId, net::Prefix};

use crate::{directory::NodeFacts, posture::Attributes};

/// Addresses of a device that is only thought of, at the upper end of the mesh's ranges.
const THOUGHT_SOURCE: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(100, 127, 255, 253),
    Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0xffff, 0, 0, 0, 0xfffd),
);
const THOUGHT_TARGET: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(100, 127, 255, 254),
    Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0xffff, 0, 0, 0, 0xfffe),
);

/// The end of a flow that a device is thought of for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

/// A device, and the addresses of it that count.
#[derive(Debug, Clone)]
pub(super) struct Device<'a> {
    pub(super) node: Cow<'a, NodeFacts>,
    pub(super) addresses: Vec<IpAddr>,
    /// True when a node of the tenant has it for its own.
    pub(super) real: bool,
}

impl<'a> Device<'a> {
    pub(super) fn of(node: &'a NodeFacts) -> Self {
        Self {
            addresses: node.addresses.clone(),
            node: Cow::Borrowed(node),
            real: true,
        }
    }

    /// A device of the user that nobody has.
    pub(super) fn of_user(user: UserId, side: Side) -> Self {
        Self::thought(Some(user), Vec::new(), side)
    }

    /// A device with the tag that nobody has.
    pub(super) fn of_tag(tag: &str, side: Side) -> Self {
        Self::thought(None, vec![tag.to_owned()], side)
    }

    fn thought(user: Option<UserId>, tags: Vec<String>, side: Side) -> Self {
        let (v4, v6) = match side {
            Side::Source => THOUGHT_SOURCE,
            Side::Target => THOUGHT_TARGET,
        };
        Self::made(NodeFacts {
            user,
            tags,
            addresses: vec![v4.into(), v6.into()],
            ..NodeFacts::default()
        })
    }

    /// Where packets to the address go: the node that has it, else a router with `tags`
    /// that is thought of, which is an exit node too. So it is the text that is judged,
    /// whichever routes are approved now.
    pub(super) fn towards(address: IpAddr, nodes: &'a [NodeFacts], tags: &[String]) -> Self {
        if nodes.iter().any(|n| n.addresses.contains(&address)) {
            return Self::at(address, nodes);
        }
        let router = NodeFacts {
            tags: tags.to_vec(),
            routes: vec![Prefix::host(address)],
            exit_routes: vec![Prefix::ALL_IPV4, Prefix::ALL_IPV6],
            ..NodeFacts::default()
        };
        Self {
            node: Cow::Owned(router),
            addresses: vec![address],
            real: false,
        }
    }

    /// Whoever has the address: a node, the router whose route it lies in, else a stranger.
    pub(super) fn at(address: IpAddr, nodes: &'a [NodeFacts]) -> Self {
        let own = nodes.iter().find(|n| n.addresses.contains(&address));
        match own.or_else(|| nodes.iter().find(|n| n.holds(address))) {
            Some(node) => Self {
                addresses: vec![address],
                real: node.addresses.contains(&address),
                node: Cow::Borrowed(node),
            },
            None => Self::made(NodeFacts {
                addresses: vec![address],
                ..NodeFacts::default()
            }),
        }
    }

    /// The same device with these attributes and no others.
    pub(super) fn with(mut self, attributes: &Attributes) -> Self {
        if self.node.posture != *attributes {
            self.node.to_mut().posture = attributes.clone();
        }
        self
    }

    fn made(node: NodeFacts) -> Self {
        Self {
            addresses: node.addresses.clone(),
            node: Cow::Owned(node),
            real: false,
        }
    }
}
