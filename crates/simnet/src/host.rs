//! Hosts: an address, a line, and maybe a NAT in front.

use std::net::IpAddr;

use crate::{link::Link, nat::NatId};

/// Names a host of a [`crate::net::Net`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) usize);

/// Whether UDP gets out of the host's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Udp {
    /// It does.
    Passes,
    /// A firewall drops all of it, both ways; the relay is still reachable.
    Blocked,
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
    pub(crate) behind: Option<NatId>,
    pub(crate) link: Link,
    pub(crate) udp: Udp,
}
