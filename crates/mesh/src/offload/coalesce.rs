//! Putting received packets together into superpackets for the TUN.
//!
//! A packet joins only the most recent frame of its own flow, and anything of
//! a flow that cannot join closes that frame first: the order within a flow is
//! the order of arrival. Nothing waits for more than the batch it came in.

use std::{collections::VecDeque, net::IpAddr};

use super::{Gso, Offload, Stream, VNET_HDR_LEN, VnetHeader, checksum};
use crate::{
    event::TunWrite,
    packet::{Fragment, Packet, Upper, tcp},
};

/// The longest IP packet.
const MAX_PACKET: usize = 65_535;
/// A frame, with room behind it for the next packet before it is known whether that joins.
const BUFFER: usize = VNET_HDR_LEN + MAX_PACKET + 4096;
/// The least room handed out: any handshake message fits.
const MIN_ROOM: usize = 256;
/// The longest header that is compared and overwritten for a while.
const MAX_HEADER: usize = 128;
/// The fewest segments at which every kernel refuses a UDP superpacket, less one.
const MAX_UDP_SEGMENTS: u16 = 64;
/// Flows put together at the same time; the oldest makes room for a new one.
const MAX_OPEN: usize = 8;
/// Buffers kept for later use.
const KEPT: usize = 8;

/// Puts packets together into superpackets for the TUN, in the order of each flow.
///
/// For each packet: write it (decrypt it) into [`Self::room`], look at it by
/// [`Self::written`], then [`Self::commit`] or [`Self::discard`].
#[derive(Debug)]
pub struct Coalescer {
    offload: Offload,
    /// Frames that more packets may join, oldest first.
    open: Vec<Frame>,
    /// The one that the last packet joined.
    recent: Option<usize>,
    ready: VecDeque<Ready>,
    /// Single packets, back to back.
    singles: Vec<u8>,
    /// How many of [`Self::ready`] lie in [`Self::singles`].
    singles_ready: usize,
    /// What the last poll handed out.
    lent: Option<Box<[u8]>>,
    spare: Vec<Box<[u8]>>,
    /// Where packets go that follow no other; its first bytes are for the header.
    fresh: Box<[u8]>,
    place: Place,
    /// What the room overwrites of the frame before it.
    saved: [u8; MAX_HEADER],
}

/// Where the room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Fresh,
    /// In an open frame, its header over the end of the payload before.
    Behind {
        frame: usize,
        at: usize,
    },
}

#[derive(Debug)]
enum Ready {
    Frame { buffer: Box<[u8]>, end: usize },
    Single { start: usize, end: usize },
}

impl Coalescer {
    /// Without packets.
    pub fn new(offload: Offload) -> Self {
        Self {
            offload,
            open: Vec::with_capacity(MAX_OPEN),
            recent: None,
            ready: VecDeque::new(),
            singles: Vec::new(),
            singles_ready: 0,
            lent: None,
            spare: Vec::new(),
            fresh: vec![0; BUFFER].into_boxed_slice(),
            place: Place::Fresh,
            saved: [0; MAX_HEADER],
        }
    }

    /// The TUN takes less than was thought.
    pub fn set_offload(&mut self, offload: Offload) {
        self.offload = offload;
    }

    /// Where the next packet is to be written: at least `size` bytes and at
    /// least 256. Likely right behind its predecessor, so that nothing moves;
    /// what lies before it is kept safe until commit or discard. A `size` over
    /// 65,535 gets no more than that.
    pub fn room(&mut self, size: usize) -> &mut [u8] {
        let size = size.clamp(MIN_ROOM, MAX_PACKET);
        self.place = self.place_behind(size).unwrap_or(Place::Fresh);
        match self.place {
            Place::Fresh => &mut self.fresh[VNET_HDR_LEN..VNET_HDR_LEN + size],
            Place::Behind { frame, at } => {
                let frame = &mut self.open[frame];
                let header = frame.header_len;
                self.saved[..header].copy_from_slice(&frame.buffer[at..at + header]);
                &mut frame.buffer[at..at + size]
            }
        }
    }

    /// A place in the most recent frame whose payload the next packet would continue.
    fn place_behind(&self, size: usize) -> Option<Place> {
        let index = self.recent?;
        let frame = self.open.get(index)?;
        let at = frame.end.checked_sub(frame.header_len)?;
        // The frame's own header must stay readable, or nothing could be compared with it.
        let is_clear = at >= VNET_HDR_LEN + frame.header_len;
        (is_clear && at + size <= BUFFER).then_some(Place::Behind { frame: index, at })
    }

    /// The first `len` bytes of the room.
    pub fn written(&self, len: usize) -> &[u8] {
        match self.place {
            Place::Fresh => &self.fresh[VNET_HDR_LEN..VNET_HDR_LEN + len],
            Place::Behind { frame, at } => &self.open[frame].buffer[at..at + len],
        }
    }

    /// The first `len` bytes of the room are a packet for the TUN.
    pub fn commit(&mut self, len: usize) {
        let written = self.written(len);
        let packet = Packet::parse(written).ok();
        let flow = packet.as_ref().and_then(Flow::of);
        let unit = packet.and_then(|p| Unit::read(&p, self.offload));
        let found = flow.and_then(|flow| self.open.iter().position(|f| f.flow == flow));
        match (unit, found) {
            (Some(unit), Some(index)) if self.open[index].takes(&unit, written) => {
                self.join(index, unit);
            }
            (Some(unit), found) => {
                self.move_out(len);
                found.inspect(|index| self.close(*index));
                self.start(unit);
            }
            (None, found) => {
                self.move_out(len);
                found.inspect(|index| self.close(*index));
                self.push_single(len);
            }
        }
    }

    /// Nothing in the room is for the TUN.
    pub fn discard(&mut self) {
        self.restore();
    }

    /// The next frame, in order.
    pub fn poll(&mut self) -> Option<TunWrite<'_>> {
        if self.ready.is_empty() && !self.open.is_empty() {
            self.close(0);
        }
        self.poll_full()
    }

    /// As [`Self::poll`], but leaves a superpacket that more packets may join.
    pub fn poll_full(&mut self) -> Option<TunWrite<'_>> {
        if let Some(buffer) = self.lent.take() {
            self.recycle(buffer);
        }
        let frame = match self.ready.pop_front()? {
            Ready::Single { start, end } => {
                self.singles_ready -= 1;
                &self.singles[start..end]
            }
            Ready::Frame { buffer, end } => &self.lent.insert(buffer)[..end],
        };
        Some(TunWrite { frame })
    }

    // === inside ===

    /// Puts back what the room overwrote.
    fn restore(&mut self) {
        if let Place::Behind { frame, at } = std::mem::replace(&mut self.place, Place::Fresh) {
            let frame = &mut self.open[frame];
            let header = frame.header_len;
            frame.buffer[at..at + header].copy_from_slice(&self.saved[..header]);
        }
    }

    /// Brings what was written into the fresh buffer, when it is not there.
    fn move_out(&mut self, len: usize) {
        if let Place::Behind { frame, at } = self.place {
            let packet = &self.open[frame].buffer[at..at + len];
            self.fresh[VNET_HDR_LEN..VNET_HDR_LEN + len].copy_from_slice(packet);
            self.restore();
        }
    }

    /// Makes what was written the end of an open frame.
    fn join(&mut self, index: usize, unit: Unit) {
        let in_place = matches!(self.place, Place::Behind { frame, .. } if frame == index);
        if in_place {
            self.restore();
        } else {
            self.move_out(unit.header_len + unit.payload);
            let start = VNET_HDR_LEN + unit.header_len;
            let payload = &self.fresh[start..start + unit.payload];
            let frame = &mut self.open[index];
            frame.buffer[frame.end..frame.end + unit.payload].copy_from_slice(payload);
        }
        let is_full = self.open[index].add(&unit);
        self.recent = Some(index);
        if is_full {
            self.close(index);
        }
    }

    /// Makes what was written into the fresh buffer a frame of its own.
    fn start(&mut self, unit: Unit) {
        if self.open.len() >= MAX_OPEN {
            self.close(0);
        }
        let buffer = self
            .spare
            .pop()
            .unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice());
        let buffer = std::mem::replace(&mut self.fresh, buffer);
        let is_full = unit.closes();
        self.open.push(Frame::new(buffer, unit));
        let index = self.open.len() - 1;
        self.recent = Some(index);
        if is_full {
            self.close(index);
        }
    }

    fn push_single(&mut self, len: usize) {
        if self.singles_ready == 0 {
            self.singles.clear();
        }
        let start = self.singles.len();
        self.singles
            .extend_from_slice(&VnetHeader::PLAIN.to_bytes());
        let packet = &self.fresh[VNET_HDR_LEN..VNET_HDR_LEN + len];
        self.singles.extend_from_slice(packet);
        let end = self.singles.len();
        self.ready.push_back(Ready::Single { start, end });
        self.singles_ready += 1;
    }

    /// Nothing joins this frame any more.
    fn close(&mut self, index: usize) {
        debug_assert_eq!(self.place, Place::Fresh, "rooms in frames are left before");
        let frame = self.open.remove(index);
        self.recent = match self.recent {
            Some(recent) if recent > index => Some(recent - 1),
            Some(recent) if recent < index => Some(recent),
            _ => None,
        };
        let end = frame.end;
        let buffer = frame.finish();
        self.ready.push_back(Ready::Frame { buffer, end });
    }

    fn recycle(&mut self, buffer: Box<[u8]>) {
        if self.spare.len() < KEPT {
            self.spare.push(buffer);
        }
    }
}

/// What packets must have in common to be kept in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flow {
    src: IpAddr,
    dst: IpAddr,
    ports: (u16, u16),
    protocol: u8,
}

impl Flow {
    fn of(packet: &Packet<'_>) -> Option<Self> {
        let ports = match packet.upper() {
            Upper::Tcp {
                src_port, dst_port, ..
            }
            | Upper::Udp { src_port, dst_port } => (src_port, dst_port),
            Upper::Icmp(_) | Upper::Other | Upper::Hidden => return None,
        };
        Some(Self {
            src: packet.src(),
            dst: packet.dst(),
            ports,
            protocol: packet.protocol(),
        })
    }
}

/// A packet that may be a part of a superpacket; its checksum is right.
#[derive(Debug, Clone, Copy)]
struct Unit {
    stream: Stream,
    flow: Flow,
    is_v6: bool,
    upper_at: usize,
    header_len: usize,
    payload: usize,
    seq: u32,
    flags: u8,
    ip_id: u16,
    /// IPv4's identification means nothing (RFC 6864), or there is none.
    is_atomic: bool,
}

impl Unit {
    fn read(packet: &Packet<'_>, offload: Offload) -> Option<Self> {
        let stream = match (packet.upper(), offload) {
            (Upper::Tcp { flags, .. }, Offload::Tcp | Offload::TcpUdp)
                if flags & !tcp::PSH == tcp::ACK =>
            {
                Stream::Tcp
            }
            (Upper::Udp { .. }, Offload::TcpUdp) => Stream::Udp,
            _ => return None,
        };
        let bytes = packet.bytes();
        let is_v6 = bytes[0] >> 4 == 6;
        let upper_at = packet.upper_at();
        let upper = packet.payload();
        let header_len = upper_at + stream.header_len(upper)?;
        // Options and extension headers would have to be compared and multiplied.
        let is_plain = upper_at == if is_v6 { 40 } else { 20 };
        let is_sound = is_plain
            && packet.fragment() == Fragment::Whole
            && header_len <= MAX_HEADER
            && header_len < bytes.len()
            && match stream {
                Stream::Tcp => true,
                Stream::Udp => has_own_length(upper) && upper[6..8] != [0, 0],
            };
        if !is_sound || !is_intact(bytes, upper_at, stream) {
            return None;
        }
        let seq = [upper[4], upper[5], upper[6], upper[7]];
        Some(Self {
            stream,
            flow: Flow::of(packet)?,
            is_v6,
            upper_at,
            header_len,
            payload: bytes.len() - header_len,
            seq: u32::from_be_bytes(seq),
            flags: if stream == Stream::Tcp { upper[13] } else { 0 },
            ip_id: u16::from_be_bytes([bytes[4], bytes[5]]),
            is_atomic: is_v6 || bytes[6] & 0x40 != 0,
        })
    }

    /// The sender has said that nothing follows at once.
    const fn closes(&self) -> bool {
        self.flags & tcp::PSH != 0
    }
}

/// UDP's own length field says the same as the packet's.
fn has_own_length(upper: &[u8]) -> bool {
    usize::from(u16::from_be_bytes([upper[4], upper[5]])) == upper.len()
}

/// The upper checksum is right: whoever gets the superpacket will not look again.
fn is_intact(bytes: &[u8], upper_at: usize, stream: Stream) -> bool {
    let sum = checksum::pseudo(bytes, stream.protocol())
        + checksum::length(bytes.len() - upper_at)
        + checksum::sum(&bytes[upper_at..]);
    checksum::fold(sum) == 0xffff
}

/// Packets of one flow, payload behind payload, behind the first one's header.
#[derive(Debug)]
struct Frame {
    buffer: Box<[u8]>,
    end: usize,
    stream: Stream,
    flow: Flow,
    is_v6: bool,
    is_atomic: bool,
    upper_at: usize,
    header_len: usize,
    segment_size: usize,
    count: u16,
    first_id: u16,
    next_seq: u32,
    flags: u8,
}

impl Frame {
    fn new(buffer: Box<[u8]>, unit: Unit) -> Self {
        Self {
            buffer,
            end: VNET_HDR_LEN + unit.header_len + unit.payload,
            stream: unit.stream,
            flow: unit.flow,
            is_v6: unit.is_v6,
            is_atomic: unit.is_atomic,
            upper_at: unit.upper_at,
            header_len: unit.header_len,
            segment_size: unit.payload,
            count: 1,
            first_id: unit.ip_id,
            next_seq: unit.seq.wrapping_add(payload_u32(unit.payload)),
            flags: unit.flags,
        }
    }

    /// Whether a packet of this flow continues the frame.
    fn takes(&self, unit: &Unit, packet: &[u8]) -> bool {
        let len = self.end - VNET_HDR_LEN + unit.payload;
        let continues = match self.stream {
            Stream::Tcp => unit.seq == self.next_seq,
            Stream::Udp => self.count < MAX_UDP_SEGMENTS,
        };
        let has_next_id = unit.ip_id == self.first_id.wrapping_add(self.count);
        continues
            && len <= MAX_PACKET
            && unit.payload <= self.segment_size
            && unit.header_len == self.header_len
            && unit.is_v6 == self.is_v6
            && unit.is_atomic == self.is_atomic
            && (unit.is_atomic || has_next_id)
            && self.has_header_of(packet)
    }

    /// All header fields are equal but those that differ from segment to segment.
    fn has_header_of(&self, packet: &[u8]) -> bool {
        let own = &self.buffer[VNET_HDR_LEN..VNET_HDR_LEN + self.header_len];
        let other = &packet[..self.header_len];
        let same = |from: usize, to: usize| own[from..to] == other[from..to];
        let ip = if self.is_v6 {
            same(0, 4) && same(6, 40)
        } else {
            same(0, 2) && same(6, 10) && same(12, 20)
        };
        let at = self.upper_at;
        ip && match self.stream {
            Stream::Tcp => {
                same(at, at + 4)
                    && same(at + 8, at + 13)
                    && same(at + 14, at + 16)
                    && same(at + 18, self.header_len)
            }
            Stream::Udp => same(at, at + 4),
        }
    }

    /// Counts a packet whose payload is in place; true when nothing may follow.
    fn add(&mut self, unit: &Unit) -> bool {
        self.end += unit.payload;
        self.count += 1;
        self.flags |= unit.flags;
        self.next_seq = self.next_seq.wrapping_add(payload_u32(unit.payload));
        let is_short = unit.payload < self.segment_size;
        let has_no_room = self.end - VNET_HDR_LEN + self.segment_size > MAX_PACKET;
        is_short || has_no_room || unit.closes()
    }

    /// Writes the headers of what came together.
    fn finish(mut self) -> Box<[u8]> {
        let vnet = if self.count > 1 {
            self.write_headers();
            self.vnet_header()
        } else {
            VnetHeader::PLAIN
        };
        self.buffer[..VNET_HDR_LEN].copy_from_slice(&vnet.to_bytes());
        self.buffer
    }

    fn vnet_header(&self) -> VnetHeader {
        VnetHeader {
            needs_csum: true,
            gso: match (self.stream, self.is_v6) {
                (Stream::Tcp, false) => Gso::TcpV4,
                (Stream::Tcp, true) => Gso::TcpV6,
                (Stream::Udp, _) => Gso::Udp,
            },
            header_len: len_u16(self.header_len),
            segment_size: len_u16(self.segment_size),
            csum_start: len_u16(self.upper_at),
            csum_offset: len_u16(self.stream.csum_offset()),
        }
    }

    fn write_headers(&mut self) {
        let packet = &mut self.buffer[VNET_HDR_LEN..self.end];
        let (len, at) = (packet.len(), self.upper_at);
        if self.is_v6 {
            packet[4..6].copy_from_slice(&len_u16(len - 40).to_be_bytes());
        } else {
            packet[2..4].copy_from_slice(&len_u16(len).to_be_bytes());
            checksum::write_ipv4(&mut packet[..at]);
        }
        match self.stream {
            Stream::Tcp => packet[at + 13] = self.flags,
            Stream::Udp => {
                packet[at + 4..at + 6].copy_from_slice(&len_u16(len - at).to_be_bytes());
            }
        }
        let sum = checksum::pseudo(packet, self.stream.protocol()) + checksum::length(len - at);
        let field = at + self.stream.csum_offset();
        packet[field..field + 2].copy_from_slice(&checksum::fold(sum).to_ne_bytes());
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a packet has 65,535 bytes at most"
)]
fn len_u16(len: usize) -> u16 {
    debug_assert!(len <= MAX_PACKET, "a packet has 65,535 bytes at most");
    len as u16
}

fn payload_u32(len: usize) -> u32 {
    u32::from(len_u16(len))
}
