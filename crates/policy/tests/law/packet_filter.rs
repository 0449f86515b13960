//! An obvious reader of wire filters: what they let through.

use std::{collections::BTreeSet, net::IpAddr};

use wire::{filter::FilterRule, net::Prefix};

/// Does the filter pass a packet whose sender carries these capabilities?
pub(crate) fn passes(
    rules: &[FilterRule],
    capabilities: &BTreeSet<String>,
    (source, target): (IpAddr, IpAddr),
    proto: u8,
    port: u16,
) -> bool {
    rules.iter().any(|rule| {
        let protocol = if rule.ip_proto.is_empty() {
            [6, 17, 1, 58].contains(&proto)
        } else {
            rule.ip_proto.contains(&i32::from(proto))
        };
        let from = rule.src_ips.iter().any(|s| match s.strip_prefix("cap:") {
            Some(capability) => capabilities.contains(capability),
            None => holds(s, source),
        });
        let to = rule.dst_ports.iter().any(|d| {
            holds(&d.ip, target)
                && match proto {
                    1 | 58 => true,
                    6 | 17 | 132 => d.ports.contains(port),
                    _ => d.ports == wire::net::PortRange::ANY,
                }
        });
        protocol && from && to
    })
}

pub(crate) fn holds(text: &str, address: IpAddr) -> bool {
    if text == "*" {
        return true;
    }
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
            first.is_ipv4() == address.is_ipv4() && first <= address && address <= last
        }
        None => Prefix::parse_any(text).unwrap().contains(address),
    }
}
