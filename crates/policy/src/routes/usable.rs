//! Which prefixes a node may route for others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

/// The routes of an exit node: offered and approved together.
pub const EXIT_ROUTES: [Prefix; 2] = [Prefix::ALL_IPV4, Prefix::ALL_IPV6];

/// The part of [`MESH_IPV6`] that stands for IPv4 networks behind routers
/// (`4via6` of Tailscale's documents); no node has an address in it.
pub const VIA_IPV6: Prefix = Prefix {
    addr: IpAddr::V6(Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0x0b1a, 0, 0, 0, 0)),
    bits: 64,
};

/// Why a prefix cannot be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteFault {
    /// Bits after its length are set.
    #[error("bits after the prefix length are set")]
    HostBits,
    /// It holds addresses of nodes.
    #[error("it overlaps the mesh's own addresses")]
    Mesh,
    /// It holds addresses that mean the machine or the link they are used on.
    #[error("it overlaps addresses that are used on one machine or link only")]
    Local,
    /// It holds addresses of groups.
    #[error("it overlaps multicast or broadcast addresses")]
    Multicast,
}

const fn ipv4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Prefix {
    Prefix {
        addr: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        bits,
    }
}

const fn ipv6(first: u128, bits: u8) -> Prefix {
    Prefix {
        addr: IpAddr::V6(Ipv6Addr::from_bits(first)),
        bits,
    }
}

/// What is never routed. `169.254.0.0/16` is not here: clouds serve machines' metadata there.
const NEVER: [(Prefix, RouteFault); 11] = [
    (MESH_IPV4, RouteFault::Mesh),
    (MESH_IPV6, RouteFault::Mesh),
    (ipv4(0, 0, 0, 0, 8), RouteFault::Local),
    (ipv4(127, 0, 0, 0, 8), RouteFault::Local),
    (ipv6(0, 128), RouteFault::Local),
    (ipv6(1, 128), RouteFault::Local),
    (ipv6(0xffff << 32, 96), RouteFault::Local),
    (ipv6(0xfe80 << 112, 10), RouteFault::Local),
    (ipv4(224, 0, 0, 0, 4), RouteFault::Multicast),
    (ipv4(255, 255, 255, 255, 32), RouteFault::Multicast),
    (ipv6(0xff00 << 112, 8), RouteFault::Multicast),
];

/// Refuses what no node may route for others. The two exit routes are fine.
///
/// # Errors
/// Why not.
pub fn check(route: &Prefix) -> Result<(), RouteFault> {
    if route.masked() != *route {
        return Err(RouteFault::HostBits);
    }
    if route.is_default_route() || VIA_IPV6.covers(route) {
        return Ok(());
    }
    match NEVER.iter().find(|(never, _)| never.overlaps(route)) {
        Some((_, fault)) => Err(*fault),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(route: &str) -> Option<RouteFault> {
        check(&Prefix::parse_any(route).unwrap()).err()
    }

    #[test]
    fn networks_behind_routers_are_fine_and_the_exit_routes() {
        for fine in [
            "10.0.0.0/8",
            "192.168.1.0/24",
            "192.0.2.1/32",
            "169.254.169.254/32",
            "2001:db8::/32",
            "fd7a:115c:a1e0:b1a:0:7:a00:0/104",
            "0.0.0.0/0",
            "::/0",
        ] {
            assert_eq!(fault(fine), None, "{fine}");
        }
    }

    #[test]
    fn what_is_no_network_of_others_is_refused() {
        for (route, why) in [
            ("10.0.0.1/8", RouteFault::HostBits),
            ("100.64.0.0/10", RouteFault::Mesh),
            ("100.100.0.0/16", RouteFault::Mesh),
            ("100.0.0.0/8", RouteFault::Mesh),
            ("128.0.0.0/1", RouteFault::Multicast),
            ("0.0.0.0/1", RouteFault::Mesh),
            ("fd7a:115c:a1e0:ab12::/64", RouteFault::Mesh),
            ("fd7a:115c:a1e0::/48", RouteFault::Mesh),
            ("fd00::/8", RouteFault::Mesh),
            ("127.0.0.1/32", RouteFault::Local),
            ("0.1.0.0/16", RouteFault::Local),
            ("::1/128", RouteFault::Local),
            ("::ffff:10.0.0.0/104", RouteFault::Local),
            ("fe80::/64", RouteFault::Local),
            ("224.0.0.0/8", RouteFault::Multicast),
            ("255.255.255.255/32", RouteFault::Multicast),
            ("ff02::/16", RouteFault::Multicast),
        ] {
            assert_eq!(fault(route), Some(why), "{route}");
        }
    }
}
