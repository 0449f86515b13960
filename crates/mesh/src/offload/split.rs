//! Cutting what was read from the TUN into packets for the path.

use super::{Gso, Stream, VNET_HDR_LEN, VnetHeader, checksum};
use crate::packet::{Fragment, Malformed, Packet, tcp};

/// The longest header, IP and upper layer together, that is copied to every
/// segment; a superpacket with more (long IPv6 extensions) is refused.
const MAX_HEADER: usize = 256;

/// Cuts one frame, as read from the TUN, into packets with all checksums in
/// place. The frame is working space: each packet's header is written right
/// before its payload, over bytes handed out before, so no payload moves.
pub fn split(frame: &mut [u8]) -> Result<Segments<'_>, Malformed> {
    let header = frame.first_chunk::<VNET_HDR_LEN>().ok_or(Malformed)?;
    let header = VnetHeader::read(header).ok_or(Malformed)?;
    let plan = match header.gso {
        Gso::None => {
            if header.needs_csum {
                complete_checksum(&mut frame[VNET_HDR_LEN..], header)?;
            }
            Plan::Single { done: false }
        }
        Gso::TcpV4 | Gso::TcpV6 | Gso::Udp => {
            let packet = Packet::parse(&frame[VNET_HDR_LEN..])?;
            Plan::Many(Template::new(&packet, header)?)
        }
    };
    Ok(Segments { frame, plan })
}

/// The packets of one frame.
#[derive(Debug)]
pub struct Segments<'a> {
    frame: &'a mut [u8],
    plan: Plan,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum Plan {
    Single { done: bool },
    Many(Template),
}

impl Segments<'_> {
    /// The packet or superpacket, for route and filter; before the first [`Self::next_segment`].
    pub fn packet(&self) -> Result<Packet<'_>, Malformed> {
        Packet::parse(&self.frame[VNET_HDR_LEN..])
    }

    /// The length of the longest packet to come.
    pub const fn longest(&self) -> usize {
        match &self.plan {
            Plan::Single { .. } => self.frame.len() - VNET_HDR_LEN,
            Plan::Many(template) => template.header_len + template.segment_size,
        }
    }

    /// The next packet, complete.
    pub fn next_segment(&mut self) -> Option<&[u8]> {
        match &mut self.plan {
            Plan::Single { done: true } => None,
            Plan::Single { done } => {
                *done = true;
                Some(&self.frame[VNET_HDR_LEN..])
            }
            Plan::Many(template) => template.cut(&mut self.frame[VNET_HDR_LEN..]),
        }
    }
}

/// The checksum field holds the sum of the pseudo header; the rest is added here.
fn complete_checksum(packet: &mut [u8], header: VnetHeader) -> Result<(), Malformed> {
    let start = usize::from(header.csum_start);
    let at = start + usize::from(header.csum_offset);
    let covered = packet.get(start..).ok_or(Malformed)?;
    let checksum = match !checksum::fold(checksum::sum(covered)) {
        // UDP's zero means "none".
        0 if usize::from(header.csum_offset) == Stream::Udp.csum_offset() => 0xffff,
        checksum => checksum,
    };
    let field = packet.get_mut(at..at + 2).ok_or(Malformed)?;
    field.copy_from_slice(&checksum.to_ne_bytes());
    Ok(())
}

/// What every segment's header is made from.
#[derive(Debug)]
struct Template {
    stream: Stream,
    is_v6: bool,
    /// The superpacket's header, its upper checksum zero.
    header: [u8; MAX_HEADER],
    header_len: usize,
    /// Where the upper layer begins.
    upper_at: usize,
    segment_size: usize,
    /// Payload of all segments.
    payload: usize,
    /// How much of it is cut.
    cut: usize,
    index: u16,
    /// Of the pseudo header, length apart.
    pseudo: u64,
    ip_id: u16,
    seq: u32,
    flags: u8,
}

impl Template {
    fn new(packet: &Packet<'_>, vnet: VnetHeader) -> Result<Self, Malformed> {
        let bytes = packet.bytes();
        let is_v6 = bytes[0] >> 4 == 6;
        let stream = match (vnet.gso, is_v6) {
            (Gso::TcpV4, false) | (Gso::TcpV6, true) => Stream::Tcp,
            (Gso::Udp, _) => Stream::Udp,
            (Gso::None | Gso::TcpV4 | Gso::TcpV6, _) => return Err(Malformed),
        };
        let upper_at = packet.upper_at();
        let upper_len = stream.header_len(packet.payload()).ok_or(Malformed)?;
        let header_len = upper_at + upper_len;
        let is_sound = packet.protocol() == stream.protocol()
            && packet.fragment() == Fragment::Whole
            && header_len <= bytes.len().min(MAX_HEADER)
            && vnet.segment_size > 0;
        if !is_sound {
            return Err(Malformed);
        }
        let mut header = [0; MAX_HEADER];
        header[..header_len].copy_from_slice(&bytes[..header_len]);
        let csum = upper_at + stream.csum_offset();
        header[csum..csum + 2].fill(0);
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let seq = u32::from(word(upper_at + 4)) << 16 | u32::from(word(upper_at + 6));
        let payload = bytes.len() - header_len;
        Ok(Self {
            stream,
            is_v6,
            header_len,
            upper_at,
            segment_size: usize::from(vnet.segment_size).min(payload),
            payload,
            cut: 0,
            index: 0,
            pseudo: checksum::pseudo(&header, stream.protocol()),
            ip_id: word(4),
            seq,
            flags: header[upper_at + 13],
            header,
        })
    }

    /// Writes the next segment's header before its payload.
    fn cut<'a>(&mut self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        if self.cut >= self.payload && self.index > 0 {
            return None;
        }
        let payload = self.segment_size.min(self.payload - self.cut);
        let is_last = self.cut + payload == self.payload;
        let segment = &mut packet[self.cut..self.cut + self.header_len + payload];
        self.write_ip(segment.len());
        match self.stream {
            Stream::Tcp => self.write_tcp(is_last),
            Stream::Udp => self.write_udp(segment.len()),
        }
        let header = &self.header[..self.header_len];
        segment[..self.header_len].copy_from_slice(header);
        let sum = self.pseudo
            + checksum::length(segment.len() - self.upper_at)
            + checksum::sum(&segment[self.upper_at..]);
        let checksum = match (!checksum::fold(sum), self.stream) {
            (0, Stream::Udp) => 0xffff,
            (checksum, Stream::Tcp | Stream::Udp) => checksum,
        };
        let at = self.upper_at + self.stream.csum_offset();
        segment[at..at + 2].copy_from_slice(&checksum.to_ne_bytes());
        self.cut += payload;
        self.index = self.index.wrapping_add(1).max(1);
        Some(segment)
    }

    fn write_ip(&mut self, len: usize) {
        if self.is_v6 {
            self.header[4..6].copy_from_slice(&be16(len - 40));
        } else {
            let id = self.ip_id.wrapping_add(self.index);
            self.header[2..4].copy_from_slice(&be16(len));
            self.header[4..6].copy_from_slice(&id.to_be_bytes());
            // Options, if any, lie between the fixed header and the upper layer.
            checksum::write_ipv4(&mut self.header[..self.upper_at]);
        }
    }

    fn write_tcp(&mut self, is_last: bool) {
        #[expect(clippy::cast_possible_truncation, reason = "below 65,536")]
        let seq = self.seq.wrapping_add(self.cut as u32);
        let mut flags = self.flags;
        if !is_last {
            flags &= !(tcp::FIN | tcp::PSH);
        }
        if self.index > 0 {
            flags &= !tcp::CWR;
        }
        let at = self.upper_at;
        self.header[at + 4..at + 8].copy_from_slice(&seq.to_be_bytes());
        self.header[at + 13] = flags;
    }

    fn write_udp(&mut self, len: usize) {
        let at = self.upper_at + 4;
        self.header[at..at + 2].copy_from_slice(&be16(len - self.upper_at));
    }
}

/// A length field; segments are shorter than the superpacket they come from.
#[expect(clippy::cast_possible_truncation, reason = "below 65,536")]
fn be16(len: usize) -> [u8; 2] {
    debug_assert!(len <= 0xffff, "a segment is shorter than its superpacket");
    (len as u16).to_be_bytes()
}
