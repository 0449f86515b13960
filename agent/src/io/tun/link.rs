//! The interface's MTU, its longest superpacket, and up.
#![expect(unsafe_code, reason = "if_nametoindex is a C function")]

use std::{ffi::CString, io};

use crate::io::netlink::{Body, Netlink};

/// `RTM_NEWLINK`.
const NEW_LINK: u16 = 16;
const ATTRIBUTE_MTU: u16 = 4;
const ATTRIBUTE_GSO_MAX_SIZE: u16 = 41;
/// `IFLA_AF_SPEC`: settings of address families.
const ATTRIBUTE_FAMILIES: u16 = 26;
const FAMILY_IPV6: u16 = 10;
/// `IFLA_INET6_ADDR_GEN_MODE`, and the mode that makes none.
const ATTRIBUTE_GENERATION: u16 = 8;
const GENERATE_NONE: u8 = 1;
/// `IFF_UP`.
const UP: u32 = 1;
/// The longest superpacket that, encrypted packet by packet, still fits into
/// one UDP payload of 65,507 bytes: each packet of 1,280 bytes gets 32 more.
const MAX_SUPERPACKET: u32 = 60_000;

pub(super) fn bring_up(name: &str, mtu: u16) -> io::Result<()> {
    let index = index(name)?;
    let mut netlink = Netlink::open()?;
    // Old kernels have no such limit to set: a longer superpacket takes two sends, no more.
    let limit = Body::new(&fixed(index, 0, 0))
        .attribute(ATTRIBUTE_GSO_MAX_SIZE, &MAX_SUPERPACKET.to_ne_bytes());
    let _ = netlink.request(NEW_LINK, 0, &limit);
    // Link-local addresses would only make the kernel look for routers in the tunnel.
    let no_addresses =
        Body::new(&fixed(index, 0, 0)).attribute(ATTRIBUTE_FAMILIES, &no_ipv6_addresses());
    let _ = netlink.request(NEW_LINK, 0, &no_addresses);
    let up =
        Body::new(&fixed(index, UP, UP)).attribute(ATTRIBUTE_MTU, &u32::from(mtu).to_ne_bytes());
    netlink.request(NEW_LINK, 0, &up)
}

fn no_ipv6_addresses() -> Vec<u8> {
    let settings = Body::new(&[]).attribute(ATTRIBUTE_GENERATION, &[GENERATE_NONE]);
    Body::new(&[])
        .attribute(FAMILY_IPV6, settings.as_bytes())
        .as_bytes()
        .to_vec()
}

fn index(name: &str) -> io::Result<u32> {
    let name = CString::new(name)?;
    // SAFETY: `name` ends with a zero and lives during the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

/// `struct ifinfomsg`: family, type, index, flags and which of them change.
fn fixed(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..].copy_from_slice(&change.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_the_c_library() {
        assert_eq!(size_of::<libc::ifinfomsg>(), fixed(1, UP, UP).len());
        assert_eq!(UP.cast_signed(), libc::IFF_UP);
        assert_eq!(NEW_LINK, libc::RTM_NEWLINK);
        assert_eq!(ATTRIBUTE_MTU, libc::IFLA_MTU);
    }

    #[test]
    fn an_encrypted_superpacket_fits_one_send() {
        let header = 40 + 32; // IPv6, and TCP with timestamps
        let packets = MAX_SUPERPACKET.div_ceil(1280 - header);
        assert!(MAX_SUPERPACKET + packets * (header + 32) <= 65_507);
    }
}
