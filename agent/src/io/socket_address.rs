//! Socket addresses as the kernel lays them out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The longest: `struct sockaddr_in6`.
const MAX_LEN: usize = 28;
const V4_LEN: usize = 16;
const LONGEST: u32 = 28;

#[expect(clippy::cast_possible_truncation, reason = "both are small numbers")]
const FAMILY_V4: u16 = libc::AF_INET as u16;
#[expect(clippy::cast_possible_truncation, reason = "both are small numbers")]
const FAMILY_V6: u16 = libc::AF_INET6 as u16;

/// The bytes of a `sockaddr_in` or `sockaddr_in6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct RawAddress {
    bytes: [u8; MAX_LEN],
    len: u32,
}

impl RawAddress {
    /// Room for an address that the kernel writes.
    pub const fn room() -> Self {
        Self {
            bytes: [0; MAX_LEN],
            len: LONGEST,
        }
    }

    pub const fn len(&self) -> u32 {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub const fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr()
    }

    /// Where the kernel writes how long the address is.
    pub const fn len_mut(&mut self) -> &mut u32 {
        &mut self.len
    }

    /// The address, if it is one of IP.
    pub fn read(&self) -> Option<SocketAddr> {
        let [f0, f1, p0, p1, rest @ ..] = &self.bytes;
        let port = u16::from_be_bytes([*p0, *p1]);
        match (u16::from_ne_bytes([*f0, *f1]), self.len as usize) {
            (FAMILY_V4, V4_LEN..) => {
                let ip: [u8; 4] = *rest.first_chunk()?;
                Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port))
            }
            (FAMILY_V6, MAX_LEN..) => {
                let (flow, rest) = rest.split_first_chunk::<4>()?;
                let (ip, rest) = rest.split_first_chunk::<16>()?;
                let scope = u32::from_ne_bytes(*rest.first_chunk()?);
                let flow = u32::from_be_bytes(*flow);
                let address = SocketAddrV6::new(Ipv6Addr::from(*ip), port, flow, scope);
                Some(SocketAddr::V6(address))
            }
            _ => None,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
        let mut bytes = [0; MAX_LEN];
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        let len = match address {
            SocketAddr::V4(v4) => {
                bytes[..2].copy_from_slice(&FAMILY_V4.to_ne_bytes());
                bytes[4..8].copy_from_slice(&v4.ip().octets());
                V4_LEN
            }
            SocketAddr::V6(v6) => {
                bytes[..2].copy_from_slice(&FAMILY_V6.to_ne_bytes());
                bytes[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
                bytes[8..24].copy_from_slice(&v6.ip().octets());
                bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                MAX_LEN
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "28 at most")]
        let len = len as u32;
        Self { bytes, len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_the_kernel_s_layout() {
        for text in ["192.0.2.1:51820", "[2001:db8::7]:1", "[fe80::1%3]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::from(address).read(), Some(address), "{text}");
        }
    }

    #[test]
    fn the_layout_is_that_of_the_c_library() {
        assert_eq!(size_of::<libc::sockaddr_in>(), V4_LEN);
        assert_eq!(size_of::<libc::sockaddr_in6>(), MAX_LEN);
        let raw = RawAddress::from("192.0.2.1:258".parse::<SocketAddr>().unwrap());
        assert_eq!(raw.bytes[2..8], [1, 2, 192, 0, 2, 1]);
        assert_eq!(raw.len(), 16);
    }

    #[test]
    fn a_cut_or_foreign_address_is_none() {
        let mut raw = RawAddress::from("[2001:db8::7]:1".parse::<SocketAddr>().unwrap());
        *raw.len_mut() = 16;
        assert_eq!(raw.read(), None);
        assert_eq!(RawAddress::room().read(), None);
    }
}
