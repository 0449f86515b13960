//! Addresses and prefixes of the mesh.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The service address of every node's own resolver (IPv4).
pub const SERVICE_IPV4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 100);
/// The service address of every node's own resolver (IPv6).
pub const SERVICE_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, 0x53);
/// The IPv4 range that node addresses come from.
pub const MESH_IPV4: Prefix = Prefix {
    addr: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)),
    bits: 10,
};
/// The IPv6 range that node addresses come from.
pub const MESH_IPV6: Prefix = Prefix {
    addr: IpAddr::V6(Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, 0)),
    bits: 48,
};
/// Parts of [`MESH_IPV4`] that no node gets: ChromeOS's own range, the range
/// of the service address, and one that Tailscale's documents reserve.
pub const RESERVED_IPV4: [Prefix; 3] = [
    Prefix {
        addr: IpAddr::V4(Ipv4Addr::new(100, 115, 92, 0)),
        bits: 23,
    },
    Prefix {
        addr: IpAddr::V4(Ipv4Addr::new(100, 100, 100, 0)),
        bits: 24,
    },
    Prefix {
        addr: IpAddr::V4(Ipv4Addr::new(100, 100, 0, 0)),
        bits: 24,
    },
];

/// The IPv6 address that belongs to a node's IPv4 address:
/// `fd7a:115c:a1e0:ab12:4843:cd96:62xx:xxxx` (the low 24 bits of `v4`; `tailscale/net/tsaddr`).
pub fn mesh_ipv6_of(v4: Ipv4Addr) -> Ipv6Addr {
    let [_, b, c, d] = v4.octets();
    Ipv6Addr::new(
        0xfd7a,
        0x115c,
        0xa1e0,
        0xab12,
        0x4843,
        0xcd96,
        0x6200 | u16::from(b),
        u16::from_be_bytes([c, d]),
    )
}

/// An address prefix, `10.0.0.0/8`. Host bits may be set in text read with
/// [`Prefix::parse_any`]; [`str::parse`] refuses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The first address (host bits clear, unless read by [`Prefix::parse_any`]).
    pub addr: IpAddr,
    /// The prefix length, at most 32 or 128.
    pub bits: u8,
}

/// Why a prefix was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Not `ADDRESS/LENGTH`.
    #[error("not an address prefix like 10.0.0.0/8")]
    Form,
    /// The length is over 32 or 128.
    #[error("the prefix length is too large")]
    Length,
    /// Bits after the prefix are set.
    #[error("bits after the prefix length are set")]
    HostBits,
}

impl Prefix {
    /// The prefix that holds `addr` alone.
    pub const fn host(addr: IpAddr) -> Self {
        Self {
            addr,
            bits: if addr.is_ipv4() { 32 } else { 128 },
        }
    }

    /// Every IPv4 address.
    pub const ALL_IPV4: Self = Self {
        addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        bits: 0,
    };
    /// Every IPv6 address.
    pub const ALL_IPV6: Self = Self {
        addr: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        bits: 0,
    };

    /// True when it holds one address.
    pub const fn is_host(&self) -> bool {
        self.bits == if self.addr.is_ipv4() { 32 } else { 128 }
    }

    /// True for `0.0.0.0/0` and `::/0`.
    pub const fn is_default_route(&self) -> bool {
        self.bits == 0
    }

    /// Reads `ADDRESS` or `ADDRESS/LENGTH`, host bits allowed and kept.
    pub fn parse_any(s: &str) -> Result<Self, PrefixError> {
        let Some((addr, bits)) = s.split_once('/') else {
            return s.parse().map(Self::host).map_err(|_| PrefixError::Form);
        };
        let addr: IpAddr = addr.parse().map_err(|_| PrefixError::Form)?;
        if bits.is_empty() || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PrefixError::Form);
        }
        let bits: u8 = bits.parse().map_err(|_| PrefixError::Length)?;
        if bits > if addr.is_ipv4() { 32 } else { 128 } {
            return Err(PrefixError::Length);
        }
        Ok(Self { addr, bits })
    }

    /// The same prefix with the bits after its length cleared.
    #[must_use]
    pub fn masked(self) -> Self {
        let addr = match self.addr {
            IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from(a.to_bits() & mask32(self.bits))),
            IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from(a.to_bits() & mask128(self.bits))),
        };
        Self {
            addr,
            bits: self.bits,
        }
    }

    /// True when `addr` lies inside.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr) {
            (IpAddr::V4(p), IpAddr::V4(a)) => (p.to_bits() ^ a.to_bits()) & mask32(self.bits) == 0,
            (IpAddr::V6(p), IpAddr::V6(a)) => (p.to_bits() ^ a.to_bits()) & mask128(self.bits) == 0,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// True when every address of `other` lies inside.
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.addr)
    }

    /// True when the two share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

const fn mask32(bits: u8) -> u32 {
    match bits {
        0 => 0,
        b => u32::MAX << (32 - b as u32),
    }
}

const fn mask128(bits: u8) -> u128 {
    match bits {
        0 => 0,
        b => u128::MAX << (128 - b as u32),
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.addr, self.bits)
    }
}

impl std::str::FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let p = Self::parse_any(s)?;
        if p.masked() == p {
            Ok(p)
        } else {
            Err(PrefixError::HostBits)
        }
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(D::Error::custom)
    }
}

/// A range of ports, both ends included; 0 to 65535 is "any".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl PortRange {
    /// Every port.
    pub const ANY: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// One port.
    pub const fn one(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// True when `port` lies inside.
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

/// IP protocol numbers that rules name.
pub mod protocol {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// Tailscale's in-tunnel messages; never forwarded to the operating system.
    pub const TSMP: u8 = 99;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_refuse_host_bits() {
        assert_eq!("10.0.0.1/8".parse::<Prefix>(), Err(PrefixError::HostBits));
        assert_eq!("10.0.0.0/33".parse::<Prefix>(), Err(PrefixError::Length));
        assert_eq!("10.0.0.0/+8".parse::<Prefix>(), Err(PrefixError::Form));
        assert_eq!(
            "10.0.0.0/8".parse::<Prefix>().unwrap().to_string(),
            "10.0.0.0/8"
        );
        assert!(
            "::/0"
                .parse::<Prefix>()
                .unwrap()
                .contains("fd7a::1".parse().unwrap())
        );
    }

    #[test]
    fn a_prefix_covers_what_lies_inside() {
        let wide: Prefix = "100.64.0.0/10".parse().unwrap();
        assert!(wide.covers(&"100.100.100.0/24".parse().unwrap()));
        assert!(!wide.covers(&Prefix::ALL_IPV4));
        assert!(Prefix::ALL_IPV4.overlaps(&wide));
        assert!(!Prefix::ALL_IPV6.overlaps(&wide));
    }

    #[test]
    fn the_ipv6_address_follows_the_ipv4_one() {
        let v6 = mesh_ipv6_of(Ipv4Addr::new(100, 101, 102, 103));
        assert_eq!(v6.to_string(), "fd7a:115c:a1e0:ab12:4843:cd96:6265:6667");
        assert!(MESH_IPV6.contains(IpAddr::V6(v6)));
    }
}
