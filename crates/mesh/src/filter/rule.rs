//! One rule of the wire, read.

use std::net::IpAddr;

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix},
};

use super::{DEFAULT_PROTOCOLS, has_ports};

/// One rule; what could not be understood is left out, so it allows nothing.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) sources: Vec<Addresses>,
    pub(super) capabilities: Vec<String>,
    pub(super) destinations: Vec<(Addresses, PortRange)>,
    pub(super) protocols: Vec<u8>,
}

impl Rule {
    pub(super) fn read(rule: &FilterRule) -> Self {
        let names = rule.src_ips.iter().filter_map(|s| s.strip_prefix("cap:"));
        let literals = rule.src_ips.iter().filter(|s| !s.starts_with("cap:"));
        Self {
            sources: literals.flat_map(|s| Addresses::read(s)).collect(),
            capabilities: names.map(str::to_owned).collect(),
            destinations: rule
                .dst_ports
                .iter()
                .filter(|d| d.ports.first <= d.ports.last)
                .flat_map(|d| Addresses::read(&d.ip).into_iter().map(|r| (r, d.ports)))
                .collect(),
            protocols: protocols(&rule.ip_proto),
        }
    }

    /// Whether a packet to `dst` may open a flow, whoever sent it.
    pub(super) fn opens(&self, dst: IpAddr, protocol: u8, port: u16) -> bool {
        let fits = |ports: &PortRange| {
            *ports == PortRange::ANY || (has_ports(protocol) && ports.contains(port))
        };
        let mut destinations = self.destinations.iter();
        self.protocols.contains(&protocol)
            && destinations.any(|(range, ports)| fits(ports) && range.contains(dst))
    }

    /// Whether anything at all may go to `dst`.
    pub(super) fn opens_any(&self, dst: IpAddr) -> bool {
        let mut destinations = self.destinations.iter();
        !self.protocols.is_empty() && destinations.any(|(range, _)| range.contains(dst))
    }
}

/// Protocol numbers, each once; what is none is left out.
fn protocols(named: &[i32]) -> Vec<u8> {
    if named.is_empty() {
        return DEFAULT_PROTOCOLS.to_vec();
    }
    let mut all: Vec<u8> = named.iter().filter_map(|p| u8::try_from(*p).ok()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Addresses from one to another, both included, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    V4(u32, u32),
    V6(u128, u128),
}

impl Addresses {
    /// Reads `*`, `a-b`, a prefix without host bits, or an address.
    fn read(text: &str) -> Vec<Self> {
        if text == "*" {
            return vec![Self::V4(0, u32::MAX), Self::V6(0, u128::MAX)];
        }
        let range = match text.split_once('-') {
            Some((first, last)) => Self::between(first, last),
            None => Prefix::parse_any(text)
                .ok()
                .filter(|prefix| prefix.masked() == *prefix)
                .map(Self::of_prefix),
        };
        range.into_iter().collect()
    }

    fn between(first: &str, last: &str) -> Option<Self> {
        match (first.parse().ok()?, last.parse().ok()?) {
            (IpAddr::V4(a), IpAddr::V4(b)) if a <= b => Some(Self::V4(a.to_bits(), b.to_bits())),
            (IpAddr::V6(a), IpAddr::V6(b)) if a <= b => Some(Self::V6(a.to_bits(), b.to_bits())),
            _ => None,
        }
    }

    fn of_prefix(prefix: Prefix) -> Self {
        match prefix.addr {
            IpAddr::V4(addr) => {
                let rest = u32::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                Self::V4(addr.to_bits(), addr.to_bits() | rest)
            }
            IpAddr::V6(addr) => {
                let rest = u128::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                Self::V6(addr.to_bits(), addr.to_bits() | rest)
            }
        }
    }

    pub(super) fn contains(&self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(first, last), IpAddr::V4(a)) => (*first..=*last).contains(&a.to_bits()),
            (Self::V6(first, last), IpAddr::V6(a)) => (*first..=*last).contains(&a.to_bits()),
            (Self::V4(..), IpAddr::V6(_)) | (Self::V6(..), IpAddr::V4(_)) => false,
        }
    }
}
