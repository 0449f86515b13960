//! The addresses of the public Internet, as `autogroup:internet` means them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

use crate::addresses::AddressSet;

const fn v4(a: u8, b: u8, bits: u8) -> Prefix {
    Prefix {
        addr: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)),
        bits,
    }
}

const fn v6(first: u16, bits: u8) -> Prefix {
    Prefix {
        addr: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)),
        bits,
    }
}

/// Private networks, the mesh and link-local addresses.
const EXCEPT: [Prefix; 8] = [
    v4(10, 0, 8),
    v4(172, 16, 12),
    v4(192, 168, 16),
    v4(169, 254, 16),
    v6(0xfc00, 7),
    v6(0xfe80, 10),
    MESH_IPV4,
    MESH_IPV6,
];

static INTERNET: LazyLock<AddressSet> = LazyLock::new(|| {
    let all = AddressSet::of_all(&[Prefix::ALL_IPV4, v6(0x2000, 3)]);
    all.without(&AddressSet::of_all(&EXCEPT))
});

static BY_FAMILY: LazyLock<(AddressSet, AddressSet)> =
    LazyLock::new(|| (INTERNET.of_family(true), INTERNET.of_family(false)));

/// True when the set holds all of the Internet of one family: a rule to it is
/// about exit nodes as one to `autogroup:internet` is.
pub(crate) fn is_all_of(set: &AddressSet, ipv4: bool) -> bool {
    let (v4, v6) = &*BY_FAMILY;
    set.covers(if ipv4 { v4 } else { v6 })
}

/// IPv4 and `2000::/3` without private networks, the mesh and link-local addresses.
pub(crate) fn internet() -> &'static AddressSet {
    &INTERNET
}
