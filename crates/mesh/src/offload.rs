//! Superpackets: what the kernel hands over and takes in one piece.
//!
//! A TUN with `IFF_VNET_HDR` puts a `virtio_net_hdr` before each packet. Read
//! from it, a packet may be a superpacket of up to 64 KB that [`split`] cuts
//! into packets of the path's size; written to it, packets of one flow go
//! together as [`Coalescer`] put them together.

mod checksum;
mod coalesce;
mod split;

pub use coalesce::Coalescer;
pub use split::{Segments, split};

/// The length of a `virtio_net_hdr`.
pub const VNET_HDR_LEN: usize = 10;

/// What the TUN takes in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offload {
    /// Single packets.
    None,
    /// TCP superpackets.
    Tcp,
    /// TCP and UDP superpackets (Linux 6.2 or newer).
    TcpUdp,
}

/// The checksum is the sum of the pseudo header, to be completed.
const NEEDS_CSUM: u8 = 1;

/// What kind of superpacket follows (`VIRTIO_NET_HDR_GSO_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gso {
    None,
    TcpV4,
    TcpV6,
    Udp,
}

impl Gso {
    const fn from_wire(kind: u8) -> Option<Self> {
        // The high bit says that the first segment carries CWR; the flags say it too.
        Some(match kind & 0x7f {
            0 => Self::None,
            1 => Self::TcpV4,
            4 => Self::TcpV6,
            5 => Self::Udp,
            _ => return None,
        })
    }

    const fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::TcpV4 => 1,
            Self::TcpV6 => 4,
            Self::Udp => 5,
        }
    }
}

/// A `virtio_net_hdr`, in the machine's byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct VnetHeader {
    needs_csum: bool,
    gso: Gso,
    /// Of the first segment; not trusted when read, for forwarded packets carry nonsense.
    header_len: u16,
    /// Payload of every segment but the last.
    segment_size: u16,
    csum_start: u16,
    csum_offset: u16,
}

impl VnetHeader {
    /// A single packet with nothing to complete.
    const PLAIN: Self = Self {
        needs_csum: false,
        gso: Gso::None,
        header_len: 0,
        segment_size: 0,
        csum_start: 0,
        csum_offset: 0,
    };

    fn read(bytes: &[u8; VNET_HDR_LEN]) -> Option<Self> {
        let [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1] = *bytes;
        Some(Self {
            needs_csum: flags & NEEDS_CSUM != 0,
            gso: Gso::from_wire(gso)?,
            header_len: u16::from_ne_bytes([h0, h1]),
            segment_size: u16::from_ne_bytes([s0, s1]),
            csum_start: u16::from_ne_bytes([c0, c1]),
            csum_offset: u16::from_ne_bytes([o0, o1]),
        })
    }

    const fn to_bytes(self) -> [u8; VNET_HDR_LEN] {
        let flags = if self.needs_csum { NEEDS_CSUM } else { 0 };
        let [h0, h1] = self.header_len.to_ne_bytes();
        let [s0, s1] = self.segment_size.to_ne_bytes();
        let [c0, c1] = self.csum_start.to_ne_bytes();
        let [o0, o1] = self.csum_offset.to_ne_bytes();
        let gso = self.gso.to_wire();
        [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1]
    }
}

/// The upper protocols that superpackets exist for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Tcp,
    Udp,
}

impl Stream {
    /// Where the checksum is in the header.
    const fn csum_offset(self) -> usize {
        match self {
            Self::Tcp => 16,
            Self::Udp => 6,
        }
    }

    const fn protocol(self) -> u8 {
        match self {
            Self::Tcp => wire::net::protocol::TCP,
            Self::Udp => wire::net::protocol::UDP,
        }
    }

    /// The header's length, from its beginning.
    fn header_len(self, header: &[u8]) -> Option<usize> {
        match self {
            Self::Tcp => header.get(12).map(|b| usize::from(b >> 4) * 4),
            Self::Udp => Some(8),
        }
    }
}

#[cfg(test)]
mod tests;
