//! The TUN's addresses, and the routes of the mesh into it.
//!
//! Both belong to the interface and vanish with it, however the process ends.

use std::{io, net::IpAddr};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

use super::netlink::{Body, Netlink};

const CREATE: u16 = 0x400;
const REPLACE: u16 = 0x100;

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// The address is used at once: nobody else on this interface can have it.
const IFA_F_NODAD: u8 = 2;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;

/// An interface whose addresses and routes are ours.
#[derive(Debug)]
pub struct Interface {
    index: u32,
    addresses: Vec<Prefix>,
    routes: Vec<Prefix>,
    /// What the system has refused: it is not asked again.
    refused: Vec<Prefix>,
}

/// Why an address or route is not set.
#[derive(Debug, thiserror::Error)]
#[error("cannot set {what} on the interface: {source}")]
pub struct RouteError {
    what: String,
    source: io::Error,
}

impl Interface {
    /// The interface called `name`, which has no addresses yet.
    pub fn open(name: &str) -> io::Result<Self> {
        Ok(Self {
            index: super::monitor::index_of(name)?,
            addresses: Vec::new(),
            routes: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// Makes `addresses` the interface's addresses, and routes the mesh into it.
    /// IPv6 that the system has switched off is left out.
    pub fn set_addresses(&mut self, addresses: &[Prefix]) -> Result<(), RouteError> {
        let gone = self.addresses.iter().filter(|a| !addresses.contains(a));
        for address in gone {
            let _ = self.change_address(RTM_DELADDR, 0, *address);
        }
        self.addresses.retain(|a| addresses.contains(a));
        for address in addresses {
            if self.addresses.contains(address) || self.refused.contains(address) {
                continue;
            }
            match self.change_address(RTM_NEWADDR, CREATE | REPLACE, *address) {
                Ok(()) => self.addresses.push(*address),
                Err(why) if address.addr.is_ipv6() => {
                    tracing::warn!(error = %why, "this machine has no IPv6; the mesh goes without");
                    self.refused.push(*address);
                }
                Err(source) => return Err(failed("address", *address, source)),
            }
        }
        self.add_routes()
    }

    fn add_routes(&mut self) -> Result<(), RouteError> {
        for route in [MESH_IPV4, MESH_IPV6] {
            let served = |a: &Prefix| a.addr.is_ipv4() == route.addr.is_ipv4();
            if self.routes.contains(&route) || !self.addresses.iter().any(served) {
                continue;
            }
            self.add_route(route)
                .map_err(|source| failed("route", route, source))?;
            self.routes.push(route);
        }
        // The system drops a family's routes with its last address.
        let left: Vec<_> = self.addresses.iter().map(|a| a.addr.is_ipv4()).collect();
        self.routes.retain(|r| left.contains(&r.addr.is_ipv4()));
        Ok(())
    }

    fn change_address(&self, kind: u16, flags: u16, address: Prefix) -> io::Result<()> {
        let [a, b, c, d] = self.index.to_ne_bytes();
        let body = [
            family(address.addr),
            address.bits,
            IFA_F_NODAD,
            0,
            a,
            b,
            c,
            d,
        ];
        let octets = octets(address.addr);
        let body = Body::new(&body)
            .attribute(IFA_LOCAL, &octets)
            .attribute(IFA_ADDRESS, &octets);
        Netlink::open()?.request(kind, flags, &body)
    }

    fn add_route(&self, route: Prefix) -> io::Result<()> {
        let body = [
            family(route.addr),
            route.bits,
            0,
            0,
            RT_TABLE_MAIN,
            RTPROT_STATIC,
            if route.addr.is_ipv4() {
                RT_SCOPE_LINK
            } else {
                0
            },
            RTN_UNICAST,
            0,
            0,
            0,
            0,
        ];
        let body = Body::new(&body)
            .attribute(RTA_DST, &octets(route.addr))
            .attribute(RTA_OIF, &self.index.to_ne_bytes());
        Netlink::open()?.request(RTM_NEWROUTE, CREATE | REPLACE, &body)
    }
}

fn family(addr: IpAddr) -> u8 {
    let family = if addr.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    u8::try_from(family).unwrap_or_default()
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

fn failed(what: &str, prefix: Prefix, source: io::Error) -> RouteError {
    RouteError {
        what: format!("the {what} {}/{}", prefix.addr, prefix.bits),
        source,
    }
}
