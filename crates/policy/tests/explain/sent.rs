//! What machines let through beyond decisions about one router: rules with `via` send packets to
//! another one, and machines answer a ping from whoever may reach anything of theirs.

use std::net::IpAddr;

use crate::packet_filter;
use policy::{
    Compiled, End, NodeFacts, Routers,
    routes::{Peer, Viewer},
};
use wire::{NodeId, Timestamp, filter::FilterRule, net::Prefix};

/// A tenant whose netmaps and filters are read.
pub(crate) struct Sent<'a> {
    law: &'a Compiled,
    nodes: &'a [NodeFacts],
    routers: Routers,
    filters: Vec<Vec<FilterRule>>,
}

impl<'a> Sent<'a> {
    pub(crate) fn new(law: &'a Compiled, nodes: &'a [NodeFacts]) -> Self {
        let created = Timestamp::ZERO;
        let numbered = (1..)
            .zip(nodes)
            .map(|(id, node)| (NodeId(id), created, node));
        Self {
            law,
            nodes,
            routers: Routers::new(law, numbered),
            filters: nodes.iter().map(|n| law.filter_rules(n, nodes)).collect(),
        }
    }

    /// True when packets that the source sends to there get through.
    pub(crate) fn passes(&self, from: End<'_>, to: End<'_>, proto: u8, port: u16) -> bool {
        let others = self.instead(from, to).into_iter();
        std::iter::once(to)
            .chain(others)
            .any(|to| self.gets_in(from, to, proto, port))
    }

    /// True when the device lets them in.
    pub(crate) fn gets_in(&self, from: End<'_>, to: End<'_>, proto: u8, port: u16) -> bool {
        self.law.decide(from, to, proto, port).is_allowed() || self.pings(from, to, proto)
    }

    /// The other devices that the source's netmap has the same route of.
    pub(crate) fn instead(&self, from: End<'_>, to: End<'_>) -> Vec<End<'a>> {
        if to.node.addresses.contains(&to.address) || !to.node.holds(to.address) {
            return Vec::new();
        }
        let subnets = to.node.routes.iter().filter(|r| r.contains(to.address));
        let leading = subnets.max_by_key(|route| route.bits);
        let class = self.law.class_of(from.node);
        let seen = |(at, node): (u64, &'a NodeFacts)| {
            let viewer = Viewer {
                class: &class,
                routes: &from.node.routes,
            };
            let peer = Peer {
                id: NodeId(at),
                node,
            };
            let routes = self.law.routes_seen(&self.routers, viewer, peer);
            let is_exit = |route: &Prefix| node.exit_routes.contains(route);
            let leads = if let Some(leading) = leading {
                routes.contains(leading)
            } else {
                let mut exits = routes.iter().filter(|r| is_exit(r));
                !has_itself(node, to.address) && exits.any(|r| r.contains(to.address))
            };
            let address = to.address;
            (leads && node != from.node && node != to.node).then_some(End { node, address })
        };
        (1..).zip(self.nodes).filter_map(seen).collect()
    }

    /// As `wgengine/filter/filter.go` of Tailscale's client has it: an echo passes where the
    /// addresses match a rule, whatever its protocol and ports.
    fn pings(&self, from: End<'_>, to: End<'_>, proto: u8) -> bool {
        let is_icmp = proto == if to.address.is_ipv4() { 1 } else { 58 };
        let is_held = has_itself(from.node, from.address) && to.node.holds(to.address);
        let one_family = from.address.is_ipv4() == to.address.is_ipv4();
        if !is_icmp || !is_held || !one_family || self.is_lost(from) || self.is_lost(to) {
            return false;
        }
        let at = self.nodes.iter().position(|node| node == to.node);
        let rules = at.and_then(|at| self.filters.get(at)).into_iter().flatten();
        let mut rules = rules.filter(|rule| rule.src_ips.iter().any(|s| holds(s, from.address)));
        rules.any(|rule| {
            let mut places = rule.dst_ports.iter();
            places.any(|place| holds(&place.ip, to.address))
        })
    }

    fn is_lost(&self, end: End<'_>) -> bool {
        let own = end.address.is_ipv4() && end.node.addresses.contains(&end.address);
        own && self.law.class_of(end.node).is_without_ipv4()
    }
}

fn holds(text: &str, address: IpAddr) -> bool {
    packet_filter::holds(text, address)
}

/// True for its own addresses and those behind its subnet routes.
fn has_itself(node: &NodeFacts, address: IpAddr) -> bool {
    node.addresses.contains(&address) || node.routes.iter().any(|r| r.contains(address))
}
