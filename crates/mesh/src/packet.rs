//! Checked views of IP packets: what routes, filter and offload need, read once.
//!
//! [`Packet::parse`] believes nothing: lengths, header chains and fragment
//! fields that do not add up make a packet [`Malformed`]. IPv6 extension
//! headers are walked, a bounded number of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::net::protocol;

/// IPv6 extension headers that are walked before a packet counts as malformed.
const MAX_EXTENSIONS: usize = 8;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const ICMP_HEADER: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// Bits of [`Upper::Tcp`]'s flags.
pub mod tcp {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Opens a connection.
    pub const SYN: u8 = 0x02;
    /// Ends a connection at once.
    pub const RST: u8 = 0x04;
    /// Hand over what is there.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// The sender has slowed down.
    pub const CWR: u8 = 0x80;
}

/// The bytes are no packet this node can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed IP packet")]
pub struct Malformed;

/// Whether a packet is part of a larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// It is whole.
    Whole,
    /// The first part, which holds the upper layer's header.
    First {
        /// What the parts have in common.
        id: u32,
    },
    /// A later part, which holds bytes only.
    Later {
        /// What the parts have in common.
        id: u32,
        /// Where it begins, in bytes.
        offset: u16,
    },
}

/// What the upper layer says, as far as the filter cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upper {
    /// TCP.
    Tcp {
        /// The source port.
        src_port: u16,
        /// The destination port.
        dst_port: u16,
        /// As in [`tcp`].
        flags: u8,
    },
    /// UDP.
    Udp {
        /// The source port.
        src_port: u16,
        /// The destination port.
        dst_port: u16,
    },
    /// ICMP for the packet's IP version.
    Icmp(Icmp),
    /// A protocol without ports as far as the filter cares; also ICMP of the other IP version.
    Other,
    /// Not readable: this is a later fragment.
    Hidden,
}

/// Kinds of ICMP messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icmp {
    /// "Are you there?"
    EchoRequest {
        /// The asking program.
        id: u16,
    },
    /// "I am."
    EchoReply {
        /// The asking program.
        id: u16,
    },
    /// Something became of a packet sent before; its beginning is in [`Packet::payload`] after 8 bytes.
    Error,
    /// Anything else.
    Other,
}

/// One IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    upper_at: u16,
    fragment: Fragment,
    upper: Upper,
}

impl<'a> Packet<'a> {
    /// Reads a packet; bytes behind its end (padding) are left out of the view.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_at_most(bytes, Completeness::Whole)
    }

    /// Reads the beginning of a packet, as ICMP errors quote it.
    pub fn parse_quoted(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_at_most(bytes, Completeness::Beginning)
    }

    fn parse_at_most(bytes: &'a [u8], completeness: Completeness) -> Result<Self, Malformed> {
        match bytes.first().ok_or(Malformed)? >> 4 {
            4 => Self::parse_v4(bytes, completeness),
            6 => Self::parse_v6(bytes, completeness),
            _ => Err(Malformed),
        }
    }

    fn parse_v4(bytes: &'a [u8], completeness: Completeness) -> Result<Self, Malformed> {
        let head = bytes.get(..IPV4_HEADER).ok_or(Malformed)?;
        let header = usize::from(head[0] & 0x0f) * 4;
        let total = usize::from(be16(head, 2)?);
        let bytes = completeness.cut(bytes, total)?;
        if header < IPV4_HEADER || header > bytes.len() || header > total {
            return Err(Malformed);
        }
        let flags = be16(head, 6)?;
        let more = flags & 0x2000 != 0;
        let offset = (flags & 0x1fff) * 8;
        let id = u32::from(be16(head, 4)?);
        let fragment = fragment(more, offset, id, total - header)?;
        let src: [u8; 4] = array(head, 12)?;
        let dst: [u8; 4] = array(head, 16)?;
        let protocol = head[9];
        let payload = &bytes[header..];
        Ok(Self {
            bytes,
            src: Ipv4Addr::from(src).into(),
            dst: Ipv4Addr::from(dst).into(),
            protocol,
            upper_at: u16::try_from(header).map_err(|_| Malformed)?,
            fragment,
            upper: Upper::read(payload, protocol, protocol::ICMP, fragment, completeness)?,
        })
    }

    fn parse_v6(bytes: &'a [u8], completeness: Completeness) -> Result<Self, Malformed> {
        let head = bytes.get(..IPV6_HEADER).ok_or(Malformed)?;
        let total = usize::from(be16(head, 4)?) + IPV6_HEADER;
        let bytes = completeness.cut(bytes, total)?;
        let src: [u8; 16] = array(head, 8)?;
        let dst: [u8; 16] = array(head, 24)?;
        let chain = Chain::walk(bytes, total)?;
        let payload = bytes.get(chain.upper_at..).ok_or(Malformed)?;
        Ok(Self {
            bytes,
            src: Ipv6Addr::from(src).into(),
            dst: Ipv6Addr::from(dst).into(),
            protocol: chain.protocol,
            upper_at: u16::try_from(chain.upper_at).map_err(|_| Malformed)?,
            fragment: chain.fragment,
            upper: Upper::read(
                payload,
                chain.protocol,
                protocol::ICMPV6,
                chain.fragment,
                completeness,
            )?,
        })
    }

    /// The packet without padding.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Who sent it, as it says.
    pub const fn src(&self) -> IpAddr {
        self.src
    }

    /// Whom it is for.
    pub const fn dst(&self) -> IpAddr {
        self.dst
    }

    /// The upper protocol's number, extension headers skipped.
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Where the upper layer begins.
    pub fn upper_at(&self) -> usize {
        usize::from(self.upper_at)
    }

    /// What the upper layer says.
    pub const fn upper(&self) -> Upper {
        self.upper
    }

    /// Whether it is part of a larger packet.
    pub const fn fragment(&self) -> Fragment {
        self.fragment
    }

    /// The upper layer: its header and everything behind.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.upper_at()..]
    }
}

/// How much of a packet is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    Whole,
    Beginning,
}

impl Completeness {
    fn cut(self, bytes: &[u8], total: usize) -> Result<&[u8], Malformed> {
        match self {
            Self::Whole => bytes.get(..total).ok_or(Malformed),
            Self::Beginning => Ok(&bytes[..total.min(bytes.len())]),
        }
    }
}

/// What the headers between IPv6 and the upper layer say.
struct Chain {
    protocol: u8,
    upper_at: usize,
    fragment: Fragment,
}

impl Chain {
    fn walk(bytes: &[u8], total: usize) -> Result<Self, Malformed> {
        let mut chain = Self {
            protocol: bytes[6],
            upper_at: IPV6_HEADER,
            fragment: Fragment::Whole,
        };
        for _ in 0..=MAX_EXTENSIONS {
            let rest = bytes.get(chain.upper_at..).ok_or(Malformed)?;
            match chain.protocol {
                // Segments left would send the packet to yet another address.
                ROUTING if *rest.get(3).ok_or(Malformed)? > 0 => return Err(Malformed),
                HOP_BY_HOP | DESTINATION_OPTIONS | ROUTING => chain.skip(rest)?,
                FRAGMENT if chain.fragment == Fragment::Whole => {
                    chain.read_fragment(rest, total)?;
                    if let Fragment::Later { .. } = chain.fragment {
                        return Ok(chain);
                    }
                }
                FRAGMENT => return Err(Malformed),
                _ => return Ok(chain),
            }
        }
        Err(Malformed)
    }

    fn skip(&mut self, header: &[u8]) -> Result<(), Malformed> {
        let [next, words, ..] = *header else {
            return Err(Malformed);
        };
        self.protocol = next;
        self.upper_at += (usize::from(words) + 1) * 8;
        Ok(())
    }

    fn read_fragment(&mut self, header: &[u8], total: usize) -> Result<(), Malformed> {
        let field = be16(header, 2)?;
        let id = u32::from_be_bytes(array(header, 4)?);
        self.protocol = header[0];
        self.upper_at += 8;
        let length = total.checked_sub(self.upper_at).ok_or(Malformed)?;
        self.fragment = fragment(field & 1 != 0, field & 0xfff8, id, length)?;
        Ok(())
    }
}

/// An offset of 0 without more to come is a whole packet, in IPv6 too (RFC 6946).
fn fragment(more: bool, offset: u16, id: u32, length: usize) -> Result<Fragment, Malformed> {
    if usize::from(offset) + length > usize::from(u16::MAX) {
        return Err(Malformed);
    }
    Ok(match (offset, more) {
        (0, false) => Fragment::Whole,
        (0, true) => Fragment::First { id },
        _ => Fragment::Later { id, offset },
    })
}

impl Upper {
    fn read(
        payload: &[u8],
        protocol: u8,
        icmp: u8,
        fragment: Fragment,
        completeness: Completeness,
    ) -> Result<Self, Malformed> {
        if matches!(fragment, Fragment::Later { .. }) {
            return Ok(Self::Hidden);
        }
        match protocol {
            protocol::TCP => Self::read_tcp(payload, completeness),
            protocol::UDP => {
                let header = payload.get(..UDP_HEADER).ok_or(Malformed)?;
                Ok(Self::Udp {
                    src_port: be16(header, 0)?,
                    dst_port: be16(header, 2)?,
                })
            }
            p if p == icmp => Icmp::read(payload, icmp).map(Self::Icmp),
            _ => Ok(Self::Other),
        }
    }

    fn read_tcp(payload: &[u8], completeness: Completeness) -> Result<Self, Malformed> {
        // ICMP errors quote eight bytes of the upper layer at least (RFC 792).
        let least = match completeness {
            Completeness::Whole => TCP_HEADER,
            Completeness::Beginning => 8,
        };
        if payload.len() < least {
            return Err(Malformed);
        }
        let header = payload
            .get(12)
            .map_or(TCP_HEADER, |b| usize::from(b >> 4) * 4);
        if header < TCP_HEADER || (completeness == Completeness::Whole && header > payload.len()) {
            return Err(Malformed);
        }
        Ok(Self::Tcp {
            src_port: be16(payload, 0)?,
            dst_port: be16(payload, 2)?,
            flags: payload.get(13).copied().unwrap_or_default(),
        })
    }
}

impl Icmp {
    fn read(payload: &[u8], protocol: u8) -> Result<Self, Malformed> {
        let header = payload.get(..ICMP_HEADER).ok_or(Malformed)?;
        let id = be16(header, 4)?;
        let v4 = protocol == protocol::ICMP;
        Ok(match (v4, header[0]) {
            (true, 8) | (false, 128) => Self::EchoRequest { id },
            (true, 0) | (false, 129) => Self::EchoReply { id },
            (true, 3 | 11 | 12) | (false, 1..=4) => Self::Error,
            _ => Self::Other,
        })
    }

    /// The packet that an error message is about, from `payload`, the message.
    pub fn quoted(payload: &[u8]) -> Result<Packet<'_>, Malformed> {
        Packet::parse_quoted(payload.get(ICMP_HEADER..).ok_or(Malformed)?)
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    bytes
        .get(at..at + N)
        .and_then(|b| b.try_into().ok())
        .ok_or(Malformed)
}

fn be16(bytes: &[u8], at: usize) -> Result<u16, Malformed> {
    array(bytes, at).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests;
