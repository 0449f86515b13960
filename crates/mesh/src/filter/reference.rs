//! The obvious filter: the same law, written down without any cleverness.
//!
//! Tests and fuzzing hold [`super::Filter`] against it. It reads rules from
//! their text for every packet, keeps flows in a list and forgets nothing.

use std::net::IpAddr;

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix, protocol},
};

use super::Verdict;
use crate::packet::{Fragment, Icmp, Packet, Upper};

/// One side of a packet: address and port.
type End = (IpAddr, u16);

/// The obvious filter.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    rules: Vec<FilterRule>,
    holders: Vec<(IpAddr, Vec<String>)>,
    local: Vec<Prefix>,
    flows: Vec<Flow>,
    fragments: Vec<(IpAddr, IpAddr, u8, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Flow {
    protocol: u8,
    local: End,
    remote: End,
    by_peer: bool,
    ended: bool,
}

impl Reference {
    /// As [`super::Filter::set_rules`]; `holders` are addresses and their capabilities.
    pub fn set_rules(
        &mut self,
        rules: &[FilterRule],
        holders: &[(IpAddr, Vec<String>)],
        local: &[Prefix],
    ) {
        self.rules = rules.to_vec();
        self.holders = holders.to_vec();
        self.local = local.to_vec();
        self.fragments.clear();
        let mut flows = std::mem::take(&mut self.flows);
        for flow in flows.iter_mut().filter(|f| f.by_peer) {
            let (addr, port) = flow.local;
            flow.ended = !self.local.iter().any(|p| p.contains(addr))
                || !self.allows(flow.remote.0, addr, flow.protocol, port);
        }
        self.flows = flows;
    }

    /// As [`super::Filter::check_in`].
    pub fn check_in(&mut self, packet: &Packet<'_>) -> Verdict {
        let (src, dst) = (packet.src(), packet.dst());
        if [src, dst].into_iter().any(is_special) || !self.local.iter().any(|p| p.contains(dst)) {
            return Verdict::Refuse;
        }
        let protocol = packet.protocol();
        let allowed = match packet.upper() {
            Upper::Hidden => self.follows_a_fragment(packet),
            Upper::Tcp {
                src_port, dst_port, ..
            }
            | Upper::Udp { src_port, dst_port } => {
                self.passes(protocol, (src, src_port), (dst, dst_port))
            }
            Upper::Other => self.passes(protocol, (src, 0), (dst, 0)),
            Upper::Icmp(Icmp::EchoRequest { .. }) => self.allows_anything(src, dst),
            Upper::Icmp(Icmp::EchoReply { id }) => {
                self.find(protocol, (src, 0), (dst, id)).is_some()
                    || self.allows(src, dst, protocol, 0)
            }
            Upper::Icmp(Icmp::Error) => self.is_about_a_flow(packet),
            Upper::Icmp(Icmp::Other) => self.allows(src, dst, protocol, 0),
        };
        if let (true, Fragment::First { id }) = (allowed, packet.fragment()) {
            self.fragments.push((src, dst, protocol, id));
        }
        Verdict::allow_if(allowed)
    }

    /// As [`super::Filter::check_out`].
    pub fn check_out(&mut self, packet: &Packet<'_>) -> Verdict {
        let protocol = packet.protocol();
        let (src, dst) = (packet.src(), packet.dst());
        let (local, remote, is_syn, is_tcp) = match packet.upper() {
            Upper::Tcp {
                src_port,
                dst_port,
                flags,
            } => ((src, src_port), (dst, dst_port), flags & 0x12 == 0x02, true),
            Upper::Udp { src_port, dst_port } => ((src, src_port), (dst, dst_port), false, false),
            Upper::Icmp(Icmp::EchoRequest { id }) => ((src, id), (dst, 0), false, false),
            Upper::Other => ((src, 0), (dst, 0), false, false),
            Upper::Hidden | Upper::Icmp(Icmp::EchoReply { .. } | Icmp::Error | Icmp::Other) => {
                return Verdict::Allow;
            }
        };
        match self.find(protocol, remote, local) {
            Some(flow) if !flow.ended => return Verdict::Allow,
            Some(_) if !is_syn => return Verdict::Refuse,
            Some(_) | None => {}
        }
        let by_peer = is_tcp && !is_syn && self.allows(remote.0, local.0, protocol, local.1);
        let is_known = !is_tcp || is_syn || by_peer || (local.1 >= 32_768 && remote.1 < 32_768);
        if is_known {
            self.flows
                .retain(|f| (f.protocol, f.local, f.remote) != (protocol, local, remote));
            self.flows.push(Flow {
                protocol,
                local,
                remote,
                by_peer,
                ended: false,
            });
        }
        Verdict::Allow
    }

    /// An open flow, or one that a rule opens now.
    fn passes(&mut self, protocol: u8, remote: End, local: End) -> bool {
        if let Some(flow) = self.find(protocol, remote, local) {
            return !flow.ended;
        }
        let allowed = self.allows(remote.0, local.0, protocol, local.1);
        if allowed {
            self.flows.push(Flow {
                protocol,
                local,
                remote,
                by_peer: true,
                ended: false,
            });
        }
        allowed
    }

    fn find(&self, protocol: u8, remote: End, local: End) -> Option<&Flow> {
        self.flows
            .iter()
            .find(|f| (f.protocol, f.remote, f.local) == (protocol, remote, local))
    }

    fn follows_a_fragment(&self, packet: &Packet<'_>) -> bool {
        let Fragment::Later { id, offset } = packet.fragment() else {
            return false;
        };
        let rewrites = packet.protocol() == protocol::TCP && offset < 20;
        let key = (packet.src(), packet.dst(), packet.protocol(), id);
        !rewrites && self.fragments.contains(&key)
    }

    fn is_about_a_flow(&self, packet: &Packet<'_>) -> bool {
        let Ok(sent) = Icmp::quoted(packet.payload()) else {
            return false;
        };
        let (local, remote) = match sent.upper() {
            Upper::Tcp {
                src_port, dst_port, ..
            }
            | Upper::Udp { src_port, dst_port } => (src_port, dst_port),
            Upper::Icmp(Icmp::EchoRequest { id } | Icmp::EchoReply { id }) => (id, 0),
            Upper::Icmp(Icmp::Error | Icmp::Other) | Upper::Other => (0, 0),
            Upper::Hidden => return false,
        };
        sent.src() == packet.dst()
            && self
                .find(sent.protocol(), (sent.dst(), remote), (sent.src(), local))
                .is_some_and(|flow| !flow.ended)
    }

    /// Whether any rule lets the source reach this port by this protocol.
    fn allows(&self, src: IpAddr, dst: IpAddr, protocol: u8, port: u16) -> bool {
        self.rules.iter().any(|rule| {
            self.has_source(rule, src)
                && has_protocol(rule, protocol)
                && rule.dst_ports.iter().any(|d| {
                    let is_open = match protocol {
                        protocol::TCP | protocol::UDP => d.ports.contains(port),
                        _ => d.ports == PortRange::ANY,
                    };
                    is_open && covers(&d.ip, dst)
                })
        })
    }

    /// Whether any rule lets the source reach the destination at all.
    fn allows_anything(&self, src: IpAddr, dst: IpAddr) -> bool {
        self.rules.iter().any(|rule| {
            let mut open = rule
                .dst_ports
                .iter()
                .filter(|d| d.ports.first <= d.ports.last);
            self.has_source(rule, src)
                && (0..=u8::MAX).any(|p| has_protocol(rule, p))
                && open.any(|d| covers(&d.ip, dst))
        })
    }

    fn has_source(&self, rule: &FilterRule, src: IpAddr) -> bool {
        rule.src_ips
            .iter()
            .any(|text| match text.strip_prefix("cap:") {
                Some(name) => self
                    .holders
                    .iter()
                    .any(|(addr, held)| *addr == src && held.iter().any(|h| h == name)),
                None => covers(text, src),
            })
    }
}

fn has_protocol(rule: &FilterRule, protocol: u8) -> bool {
    if rule.ip_proto.is_empty() {
        [1, 6, 17, 58].contains(&protocol)
    } else {
        rule.ip_proto.contains(&i32::from(protocol))
    }
}

/// Whether `*`, `a-b`, a prefix or an address holds an address.
fn covers(text: &str, addr: IpAddr) -> bool {
    if let Some((first, last)) = text.split_once('-') {
        let (Ok(first), Ok(last)) = (first.parse::<IpAddr>(), last.parse::<IpAddr>()) else {
            return false;
        };
        let one_family = first.is_ipv4() == addr.is_ipv4() && last.is_ipv4() == addr.is_ipv4();
        return one_family && first <= addr && addr <= last;
    }
    if text == "*" {
        return true;
    }
    if text.contains('/') {
        text.parse::<Prefix>().is_ok_and(|p| p.contains(addr))
    } else {
        text.parse::<IpAddr>().is_ok_and(|a| a == addr)
    }
}

/// Addresses that no packet between hosts has.
fn is_special(addr: IpAddr) -> bool {
    addr.is_unspecified()
        || addr.is_loopback()
        || addr.is_multicast()
        || addr == IpAddr::from([255; 4])
        || matches!(addr, IpAddr::V6(a) if a.to_ipv4_mapped().is_some())
}
