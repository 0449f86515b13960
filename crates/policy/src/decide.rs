//! May this packet go from here to there?

use std::net::{IpAddr, Ipv4Addr};

use wire::net::{MESH_IPV6, PortRange};

use crate::{
    addresses::AddressSet,
    compile::{Compiled, Origin, Rule, Section, TermId, TermKind, Where},
    diagnostic::Span,
    directory::NodeFacts,
    internet::internet,
    protocol,
};

/// The ranges of IPv4 addresses that `*` stands for as a source.
pub(crate) const ANY_IPV4: [(Ipv4Addr, Ipv4Addr); 2] = [
    (
        Ipv4Addr::new(100, 64, 0, 0),
        Ipv4Addr::new(100, 115, 91, 255),
    ),
    (
        Ipv4Addr::new(100, 115, 94, 0),
        Ipv4Addr::new(100, 127, 255, 255),
    ),
];

/// One end of a flow: a node, and which of its addresses (own or routed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End<'a> {
    /// The node that the packet comes from or goes to.
    pub node: &'a NodeFacts,
    /// The address.
    pub address: IpAddr,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This rule allows it.
    Allowed {
        /// The section that it stands in.
        section: Section,
        /// Its place there, from 0.
        rule: usize,
        /// Where it stands.
        span: Span,
    },
    /// No rule allows it.
    Denied,
}

impl Decision {
    /// True when it is allowed.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl Compiled {
    /// Judges one packet by the first rule that allows it. ICMP has no ports:
    /// a rule that covers the address and ICMP allows it whatever its ports are.
    pub fn decide(&self, from: End<'_>, to: End<'_>, proto: u8, port: u16) -> Decision {
        let misplaced = !from.node.holds_itself(from.address) || !to.node.holds(to.address);
        if misplaced || from.address.is_ipv4() != to.address.is_ipv4() {
            return Decision::Denied;
        }
        if self.lacks(from) || self.lacks(to) {
            return Decision::Denied;
        }
        let allowing = |rule: &&Rule| self.allows(rule, from, to, proto, port);
        match self.rules.iter().find(allowing) {
            None => Decision::Denied,
            Some(rule) => Decision::Allowed {
                section: rule.origin.section,
                rule: rule.origin.index,
                span: rule.origin.span,
            },
        }
    }

    /// True for an own address that `disable-ipv4` took away.
    fn lacks(&self, end: End<'_>) -> bool {
        end.address.is_ipv4()
            && self.may_take_ipv4()
            && end.node.addresses.contains(&end.address)
            && self.class_of(end.node).class().is_without_ipv4
    }

    /// [`Self::decide`] over every pair of the two nodes' own addresses: true when one is allowed.
    pub fn can_reach(&self, from: &NodeFacts, to: &NodeFacts, proto: u8, port: u16) -> bool {
        from.addresses.iter().any(|source| {
            to.addresses.iter().any(|target| {
                let from = End {
                    node: from,
                    address: *source,
                };
                let to = End {
                    node: to,
                    address: *target,
                };
                self.decide(from, to, proto, port).is_allowed()
            })
        })
    }

    /// The first rule that would allow the packet from a device that meets its postures.
    pub(crate) fn allowing_with_posture(
        &self,
        from: End<'_>,
        to: End<'_>,
        proto: u8,
        port: u16,
    ) -> Option<Origin> {
        let is_source = |id: &TermId| self.is_source(self.base(*id), from);
        let would = |rule: &&Rule| {
            rule.requirement.is_some()
                && rule.app.is_none()
                && covers_protocol(&rule.protocols, proto)
                && rule.sources.iter().any(is_source)
                && rule.targets.iter().any(|(place, ports)| {
                    covers_port(*ports, proto, port)
                        && match place {
                            Where::Term(id) => self.is_target(rule, *id, to),
                            Where::SelfDevices => from.node.owner() == to.node.owner(),
                        }
                })
        };
        self.rules.iter().find(would).map(|rule| rule.origin)
    }

    pub(crate) fn allows(
        &self,
        rule: &Rule,
        from: End<'_>,
        to: End<'_>,
        proto: u8,
        port: u16,
    ) -> bool {
        rule.app.is_none()
            && covers_protocol(&rule.protocols, proto)
            && rule.targets.iter().any(|(place, ports)| {
                covers_port(*ports, proto, port)
                    && match place {
                        Where::Term(id) => {
                            self.is_target(rule, *id, to)
                                && rule.sources.iter().any(|s| self.is_source(*s, from))
                        }
                        Where::SelfDevices => rule.via.is_empty() && self.is_self(rule, from, to),
                    }
            })
    }

    fn is_self(&self, rule: &Rule, from: End<'_>, to: End<'_>) -> bool {
        from.node.owner().is_some()
            && from.node.owner() == to.node.owner()
            && to.node.addresses.contains(&to.address)
            && from.node.addresses.contains(&from.address)
            && rule.requirement.is_none_or(|r| self.meets(r, from.node))
            && rule
                .sources
                .iter()
                .any(|id| self.is_of_people(*id) && self.matches(*id, from))
    }

    pub(crate) fn is_source(&self, id: TermId, end: End<'_>) -> bool {
        let is_any = self.kind(id) == Some(&TermKind::Any);
        self.matches(id, end) && (!is_any || self.any_holds(end.address))
    }

    /// True when the rule has the end for a destination by this term.
    pub(crate) fn is_target(&self, rule: &Rule, id: TermId, end: End<'_>) -> bool {
        if !rule.via.is_empty() && !rule.via.iter().any(|tag| end.node.tags.contains(tag)) {
            return false;
        }
        if !self.passes_narrow(id, end) {
            return false;
        }
        match self.kind(id) {
            Some(TermKind::Internet) => end.node.is_exit_for(end.address),
            Some(TermKind::Addresses(set)) => {
                let left = self.leads_through_exits(id) && end.node.is_exit_for(end.address);
                set.contains(end.address) && (left || is_in_filter(set, end, !rule.via.is_empty()))
            }
            _ => rule.via.is_empty() && self.matches(id, end),
        }
    }

    pub(crate) fn matches(&self, id: TermId, end: End<'_>) -> bool {
        if !self.passes_narrow(id, end) {
            return false;
        }
        let own = end.node.addresses.contains(&end.address);
        match self.kind(id) {
            None | Some(TermKind::Nothing | TermKind::Internet) => false,
            Some(TermKind::Any | TermKind::Everything) => true,
            Some(TermKind::Users(users)) => {
                own && end.node.owner().is_some_and(|u| users.contains(&u))
            }
            Some(TermKind::Tag(tag)) => own && end.node.tags.contains(tag),
            Some(TermKind::Member) => own && end.node.owner().is_some(),
            Some(TermKind::Tagged) => own && !end.node.tags.is_empty(),
            Some(TermKind::Addresses(set)) => set.contains(end.address),
        }
    }

    /// True for addresses that `*` covers as a source.
    fn any_holds(&self, address: IpAddr) -> bool {
        let in_mesh = match address {
            IpAddr::V4(a) => ANY_IPV4
                .iter()
                .any(|(first, last)| *first <= a && a <= *last),
            IpAddr::V6(_) => MESH_IPV6.contains(address),
        };
        in_mesh || self.routes.iter().any(|r| r.contains(address))
    }
}

/// True when a node's filter has the set as a destination. With `via` only
/// subnets that it routes count; an exit node has the sets that reach into the Internet.
fn is_in_filter(set: &AddressSet, end: End<'_>, via: bool) -> bool {
    let node = end.node;
    let routed = node.routes.iter().any(|r| set.overlaps(r));
    if via || routed {
        return routed;
    }
    node.addresses.iter().any(|a| set.contains(*a)) || set.meets(internet())
}

/// True when a rule with these protocols (empty: the default ones) covers `proto`.
pub(crate) fn covers_protocol(protocols: &[u8], proto: u8) -> bool {
    if protocols.is_empty() {
        protocol::DEFAULT.contains(&proto)
    } else {
        protocols.contains(&proto)
    }
}

/// True when a destination's ports cover a packet.
pub(crate) fn covers_port(ports: PortRange, proto: u8, port: u16) -> bool {
    if protocol::is_icmp(proto) {
        true
    } else if protocol::has_ports(proto) {
        ports.contains(port)
    } else {
        ports == PortRange::ANY
    }
}
