//! From the network to the TUN.
//!
//! Data messages are decrypted straight into the superpacket under
//! construction. The verdict on a flow's first packet in a train holds for
//! the rest of it.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use wire::{NodeKey, disco::Envelope, net::protocol};

use super::{Node, RELAY_IP};
use crate::{
    event::{Dropped, PathAddr, Via},
    filter::Verdict,
    packet::{Fragment, Packet, Upper, tcp},
    tunnel::{self, Admission, Kind, Opened},
};

/// Where a datagram came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// A UDP socket.
    Udp(SocketAddr),
    /// A relay, on behalf of a client.
    Relay(wire::relay_map::RegionId, NodeKey),
}

impl Origin {
    const fn path(self) -> PathAddr {
        match self {
            Self::Udp(addr) => PathAddr::Direct(addr),
            Self::Relay(region, _) => PathAddr::Relay(region),
        }
    }

    /// The way back.
    const fn via(self) -> Via {
        match self {
            Self::Udp(addr) => Via::Udp(addr),
            Self::Relay(region, peer) => Via::Relay { region, peer },
        }
    }

    /// What the rate limiter binds cookies to.
    const fn ip(self) -> IpAddr {
        match self {
            Self::Udp(addr) => addr.ip(),
            Self::Relay(..) => IpAddr::V4(RELAY_IP),
        }
    }
}

/// The flow that was allowed last in the present train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judged {
    slot: u32,
    src: IpAddr,
    dst: IpAddr,
    src_port: u16,
    dst_port: u16,
    protocol: u8,
}

impl Judged {
    /// The flow of a packet whose verdict may stand for its successors: plain
    /// UDP, or TCP in the middle of a connection.
    fn of(slot: u32, packet: &Packet<'_>) -> Option<Self> {
        if packet.fragment() != Fragment::Whole {
            return None;
        }
        let (src_port, dst_port) = match packet.upper() {
            Upper::Tcp {
                src_port,
                dst_port,
                flags,
            } if flags & (tcp::SYN | tcp::FIN | tcp::RST) == 0 => (src_port, dst_port),
            Upper::Udp { src_port, dst_port } => (src_port, dst_port),
            Upper::Tcp { .. } | Upper::Icmp(_) | Upper::Other | Upper::Hidden => return None,
        };
        Some(Self {
            slot,
            src: packet.src(),
            dst: packet.dst(),
            src_port,
            dst_port,
            protocol: packet.protocol(),
        })
    }
}

impl Node {
    /// One datagram that is no STUN message.
    pub(super) fn receive(&mut self, origin: Origin, datagram: &[u8], now: Instant) {
        if !self.is_open() {
            return self.drop_packet(Dropped::Closed);
        }
        if Envelope::looks_like(datagram) {
            return self.handle_disco(origin.path(), datagram, now);
        }
        match tunnel::classify(datagram) {
            Some(Kind::Data(slot)) => self.open_data(slot, origin, datagram, now),
            Some(Kind::Initiation) => self.admit(origin, None, datagram, now),
            Some(Kind::Response(slot)) => self.admit(origin, Some(slot), datagram, now),
            Some(Kind::Cookie(slot)) => self.open_handshake(slot, origin, datagram, now),
            None => self.drop_packet(Dropped::Malformed),
        }
    }

    // === data ===

    fn open_data(&mut self, slot: u32, origin: Origin, message: &[u8], now: Instant) {
        let Some(peer) = self.table.get_mut(slot) else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        let Some(live) = peer.live.as_mut() else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        let Some(tunnel) = live.tunnel.as_mut() else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        if tunnel.is_stale(now) {
            self.tick_tunnel(slot, now);
            return self.open_data(slot, origin, message, now);
        }
        let room = self.tun.room(message.len());
        let opened = tunnel.open(origin.ip(), message, room, now);
        let waiting = tunnel.has_waiting();
        if let (Origin::Udp(from), Opened::Packet(_) | Opened::Nothing) = (origin, opened) {
            live.path.heard_data(from, now);
        }
        match opened {
            Opened::Packet(len) => {
                live.last_used = now;
                match self.judge_in(slot, len, now) {
                    Ok(len) => {
                        self.tun.commit(len);
                        if let Some(peer) = self.table.get_mut(slot) {
                            peer.rx_bytes += len as u64;
                        }
                    }
                    Err(reason) => {
                        self.tun.discard();
                        self.drop_packet(reason);
                    }
                }
            }
            Opened::Nothing | Opened::Reply(_) => self.tun.discard(),
            Opened::Refused(reason) => {
                self.tun.discard();
                return self.drop_packet(reason);
            }
        }
        if waiting {
            self.flush_waiting(slot, now);
        }
    }

    /// Judges the packet of `len` bytes in the room; its length without padding if it may pass.
    fn judge_in(&mut self, slot: u32, len: usize, now: Instant) -> Result<usize, Dropped> {
        let packet = Packet::parse(self.tun.written(len)).map_err(|_| Dropped::Malformed)?;
        let flow = Judged::of(slot, &packet);
        if flow.is_some() && flow == self.judged {
            return Ok(packet.bytes().len());
        }
        if !self.routes.is_source_of(packet.src(), slot) {
            return Err(Dropped::ForgedSource);
        }
        if packet.protocol() == protocol::TSMP {
            return Err(Dropped::InTunnelMessage);
        }
        match self.filter.check_in(&packet, now) {
            Verdict::Allow => {
                self.judged = flow;
                Ok(packet.bytes().len())
            }
            Verdict::Refuse => Err(Dropped::Refused),
        }
    }

    // === handshakes ===

    /// What only the peer's present session can have sent came from `origin`.
    fn heard_data(&mut self, slot: u32, origin: Origin, now: Instant) {
        let live = self.table.get_mut(slot).and_then(|p| p.live.as_mut());
        if let (Origin::Udp(from), Some(live)) = (origin, live) {
            live.path.heard_data(from, now);
        }
    }

    /// A handshake message: an initiation, or the answer to the tunnel in `slot`.
    fn admit(&mut self, origin: Origin, slot: Option<u32>, message: &[u8], now: Instant) {
        let mut cookie = [0; 64];
        match self.gate.admit(origin.ip(), message, &mut cookie) {
            Admission::Admitted => {}
            Admission::Cookie(len) => {
                self.drop_packet(Dropped::UnderLoad);
                return self.send_alone(origin.via(), &cookie[..len], now);
            }
            Admission::Refused(reason) => return self.drop_packet(reason),
        }
        let slot = slot.or_else(|| self.table.by_key(&self.gate.initiator(message)?));
        let Some(slot) = slot else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        let Some(peer) = self.table.get(slot) else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        if peer.expired {
            return self.drop_packet(Dropped::PeerExpired);
        }
        self.open_handshake(slot, origin, message, now);
    }

    fn open_handshake(&mut self, slot: u32, origin: Origin, message: &[u8], now: Instant) {
        let initiation = tunnel::classify(message) == Some(Kind::Initiation);
        if initiation {
            self.prepare(slot, now);
        }
        let tunnel = self
            .table
            .get_mut(slot)
            .and_then(|p| p.live.as_mut()?.tunnel.as_mut());
        let Some(tunnel) = tunnel else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        let mut out = [0; 256];
        match tunnel.open(origin.ip(), message, &mut out, now) {
            Opened::Reply(len) => {
                if !initiation {
                    self.heard_data(slot, origin, now);
                }
                self.reply(slot, origin, &out[..len], now);
                // The responder's session is usable once the initiator has used it.
                if !initiation {
                    self.flush_waiting(slot, now);
                }
                self.note_sent(slot, now);
            }
            Opened::Nothing | Opened::Packet(_) => {}
            Opened::Refused(reason) => self.drop_packet(reason),
        }
    }

    /// Answers a handshake over the peer's path, and back to where it came from:
    /// that way has just worked.
    fn reply(&mut self, slot: u32, origin: Origin, message: &[u8], now: Instant) {
        let ways = self.ways(slot, now);
        for via in [ways.first, ways.second].into_iter().flatten() {
            self.trains.push(via, message);
        }
        if ![ways.first, ways.second].contains(&Some(origin.via())) {
            self.send_alone(origin.via(), message, now);
        }
    }
}
