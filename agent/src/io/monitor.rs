//! Which addresses this machine has, and when that changes.
#![expect(
    unsafe_code,
    reason = "tokio trusts the caller with the descriptor's owner"
)]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    net::IpAddr,
    time::Duration,
};

use tokio::io::{Interest, unix::AsyncFd};
use wire::net::{MESH_IPV4, MESH_IPV6};

use super::netlink::{self, Body, Message, Netlink};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;

const IFLA_IFNAME: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_TENTATIVE: u8 = 0x40;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

/// Lengths of `ifinfomsg`, `ifaddrmsg`, `rtmsg`.
const LINK: usize = 16;
const ADDR: usize = 8;
const ROUTE: usize = 12;

const GROUPS: i32 = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_ROUTE;
/// Changes come in bursts.
const SETTLE: Duration = Duration::from_millis(100);

/// The network under us, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// Addresses of this machine's interfaces that others may know it by.
    pub addresses: Vec<IpAddr>,
    /// Default routes: interface and gateway.
    gateways: Vec<(u32, Option<IpAddr>)>,
}

impl Network {
    /// As it is now, without the interface called `tun` and the mesh's own addresses.
    pub fn now(tun: &str) -> io::Result<Self> {
        let links = links()?;
        let usable = |index| links.get(&index).is_some_and(|l| l.usable && l.name != tun);
        let found = Netlink::open()?.dump(RTM_GETADDR, &Body::new(&[0; ADDR]))?;
        let found = found.iter().filter(|m| m.kind == RTM_NEWADDR);
        let mut addresses: Vec<_> = found
            .filter_map(address)
            .filter(|(index, addr)| usable(*index) && is_known_outside(*addr))
            .map(|(_, addr)| addr)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let mut gateways = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let mut body = [0; ROUTE];
            body[0] = u8::try_from(family).unwrap_or_default();
            let routes = Netlink::open()?.dump(RTM_GETROUTE, &Body::new(&body))?;
            gateways.extend(
                routes
                    .iter()
                    .filter_map(gateway)
                    .filter(|(i, _)| usable(*i)),
            );
        }
        gateways.sort_unstable();
        Ok(Self {
            addresses,
            gateways,
        })
    }
}

struct Link {
    name: String,
    usable: bool,
}

fn links() -> io::Result<BTreeMap<u32, Link>> {
    let found = Netlink::open()?.dump(RTM_GETLINK, &Body::new(&[0; LINK]))?;
    let links = found.iter().filter(|m| m.kind == RTM_NEWLINK);
    Ok(links.filter_map(link).collect())
}

fn link(message: &Message) -> Option<(u32, Link)> {
    let index = netlink::number(message.body.get(4..8)?)?;
    let flags = netlink::number(message.body.get(8..12)?)?.cast_signed();
    let name = message.attribute(LINK, IFLA_IFNAME)?;
    let name = String::from_utf8_lossy(name);
    Some((
        index,
        Link {
            name: name.trim_end_matches('\0').to_owned(),
            usable: flags & libc::IFF_UP != 0 && flags & libc::IFF_LOOPBACK == 0,
        },
    ))
}

/// The number of the interface called `name`.
pub(super) fn index_of(name: &str) -> io::Result<u32> {
    let links = links()?;
    let found = links.iter().find(|(_, l)| l.name == name);
    found
        .map(|(index, _)| *index)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn address(message: &Message) -> Option<(u32, IpAddr)> {
    let flags = *message.body.get(2)?;
    let index = netlink::number(message.body.get(4..8)?)?;
    if flags & IFA_F_TENTATIVE != 0 {
        return None;
    }
    // On point-to-point links the local address is ours, the other the peer's.
    let of = |kind| message.attribute(ADDR, kind).and_then(netlink::address);
    Some((index, of(IFA_LOCAL).or_else(|| of(IFA_ADDRESS))?))
}

fn gateway(message: &Message) -> Option<(u32, Option<IpAddr>)> {
    let prefix_len = *message.body.get(1)?;
    if message.kind != RTM_NEWROUTE || prefix_len != 0 {
        return None;
    }
    let index = netlink::number(message.attribute(ROUTE, RTA_OIF)?)?;
    let gateway = message.attribute(ROUTE, RTA_GATEWAY);
    Some((index, gateway.and_then(netlink::address)))
}

fn is_known_outside(addr: IpAddr) -> bool {
    let local = match addr {
        IpAddr::V4(a) => a.is_link_local(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    };
    let mesh = MESH_IPV4.contains(addr) || MESH_IPV6.contains(addr);
    !(local || mesh || addr.is_loopback() || addr.is_unspecified())
}

/// Tells when the network changes.
#[derive(Debug)]
pub struct Monitor {
    socket: AsyncFd<File>,
    tun: String,
    last: Network,
    /// A change was told of that has not been looked at.
    stale: bool,
}

impl Monitor {
    /// Starts to listen; `tun` is the interface that does not count.
    pub fn new(tun: &str) -> io::Result<Self> {
        let socket = netlink::listen(GROUPS)?;
        // SAFETY: a `File` owns its descriptor and gives the same one for as long as it lives.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        Ok(Self {
            socket: socket.map_err(io::Error::from)?,
            tun: tun.to_owned(),
            last: Network::now(tun)?,
            stale: false,
        })
    }

    /// The network when it was last looked at.
    pub fn network(&self) -> &Network {
        &self.last
    }

    /// Waits until it is another one. Nothing is lost by an error, nor by
    /// waiting anew: the next call looks again.
    pub async fn changed(&mut self) -> io::Result<&Network> {
        loop {
            if !self.stale {
                self.socket.readable().await?.clear_ready();
                self.stale = true;
            }
            tokio::time::sleep(SETTLE).await;
            self.drain();
            let now = Network::now(&self.tun)?;
            self.stale = false;
            if now != self.last {
                self.last = now;
                return Ok(&self.last);
            }
        }
    }

    /// What is in the messages does not matter: the whole is read again.
    fn drain(&self) {
        let mut buffer = [0; 4096];
        let mut socket = self.socket.get_ref();
        loop {
            match socket.read(&mut buffer) {
                Ok(_) => {}
                // Messages were lost; there may be more.
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_mean_something_outside_are_told() {
        for (addr, known) in [
            ("192.0.2.1", true),
            ("10.1.2.3", true),
            ("2001:db8::1", true),
            ("127.0.0.1", false),
            ("169.254.1.1", false),
            ("fe80::1", false),
            ("100.64.0.1", false),
            ("fd7a:115c:a1e0::1", false),
        ] {
            assert_eq!(is_known_outside(addr.parse().unwrap()), known, "{addr}");
        }
    }

    #[test]
    fn the_network_can_be_read() {
        let network = Network::now("none0").unwrap();
        assert!(!network.addresses.iter().any(IpAddr::is_loopback));
        assert_eq!(index_of("lo").unwrap(), 1);
        assert!(index_of("none0").is_err());
    }
}
