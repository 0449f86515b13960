//! What a relay reads from a client: trains of packets, ready to be passed on.
//!
//! A [`Frame::SendPacket`] and the [`Frame::RecvPacket`] it becomes differ in
//! their first 37 bytes only, so a relay turns one into the other where it
//! lies. Neighbouring packets for one peer are passed on as one piece.

use bytes::{Bytes, BytesMut};
use wire::{NodeKey, disco::Envelope};

use super::{
    MAX_PACKET,
    frame::{Frame, FrameError, HEADER_LEN, recv_packet_header},
};
use crate::queue::Class;

/// A train ends when it holds so many bytes: what one TLS record carries, and
/// what a full queue loses at once.
pub const MAX_TRAIN: usize = 16 * 1024;

/// The next thing a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// Packets for one peer, as frames that the peer reads.
    Train {
        /// For whom.
        to: NodeKey,
        /// What they are; a packet of path discovery travels alone.
        class: Class,
        /// How many packets.
        packets: u32,
        /// Whole frames.
        frames: Bytes,
    },
    /// To be answered with [`Frame::Pong`].
    Ping([u8; 8]),
    /// A frame that a relay has nothing to do for.
    Other,
}

/// Takes the next train or frame off the front of `input`, which a client with
/// the key `from` sent. `None`: more bytes are needed.
pub fn next(from: &NodeKey, input: &mut BytesMut) -> Result<Option<Inbound>, FrameError> {
    let Some((to, class, len)) = packet_at(input, 0)? else {
        return other(input);
    };
    let mut end = len;
    let mut packets = 1;
    while class == Class::Data && end < MAX_TRAIN {
        match packet_at(input, end) {
            Ok(Some((next, Class::Data, len))) if next == to => {
                end += len;
                packets += 1;
            }
            _ => break,
        }
    }
    let mut frames = input.split_to(end);
    readdress(from, &mut frames);
    Ok(Some(Inbound::Train {
        to,
        class,
        packets,
        frames: frames.freeze(),
    }))
}

/// The receiver, class and length of the whole packet frame at `at`; `None` when there is none.
fn packet_at(input: &[u8], at: usize) -> Result<Option<(NodeKey, Class, usize)>, FrameError> {
    let Some(rest) = input.get(at..) else {
        return Ok(None);
    };
    match Frame::decode(rest)? {
        Some((Frame::SendPacket { to, packet }, len)) => {
            if packet.len() > MAX_PACKET {
                let body = u32::try_from(len - HEADER_LEN).unwrap_or(u32::MAX);
                return Err(FrameError::TooLong(body));
            }
            let class = if Envelope::looks_like(packet) {
                Class::Disco
            } else {
                Class::Data
            };
            Ok(Some((to, class, len)))
        }
        Some(_) | None => Ok(None),
    }
}

/// Turns every `SendPacket` of `frames` into a `RecvPacket` from `from`.
fn readdress(from: &NodeKey, frames: &mut [u8]) {
    let mut rest = frames;
    while let Some((header, body)) = rest.split_at_mut_checked(HEADER_LEN + 32) {
        let [_, a, b, c, d, ..] = *header else {
            return;
        };
        let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default();
        let packet = len.saturating_sub(32);
        header.copy_from_slice(&recv_packet_header(from, packet));
        let Some((_, next)) = body.split_at_mut_checked(packet) else {
            return;
        };
        rest = next;
    }
}

fn other(input: &mut BytesMut) -> Result<Option<Inbound>, FrameError> {
    let Some((frame, len)) = Frame::decode(input)? else {
        return Ok(None);
    };
    let inbound = match frame {
        Frame::Ping(data) => Inbound::Ping(data),
        Frame::ServerKey(_)
        | Frame::ClientInfo { .. }
        | Frame::ServerInfo { .. }
        | Frame::SendPacket { .. }
        | Frame::RecvPacket { .. }
        | Frame::KeepAlive
        | Frame::NotePreferred(_)
        | Frame::PeerGone { .. }
        | Frame::Pong(_)
        | Frame::Health(_)
        | Frame::Restarting { .. }
        | Frame::Unknown(_) => Inbound::Other,
    };
    bytes::Buf::advance(input, len);
    Ok(Some(inbound))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(n: u8) -> NodeKey {
        NodeKey::from_bytes([n; 32])
    }

    fn disco() -> Vec<u8> {
        let mut packet = wire::disco::MAGIC.to_vec();
        packet.resize(100, 7);
        packet
    }

    fn send(to: u8, packet: &[u8], out: &mut Vec<u8>) {
        Frame::SendPacket {
            to: key(to),
            packet,
        }
        .encode(out);
    }

    fn recv(packets: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for packet in packets {
            Frame::RecvPacket {
                from: key(1),
                packet,
            }
            .encode(&mut out);
        }
        out
    }

    fn all(input: &[u8]) -> Vec<Inbound> {
        let mut input = BytesMut::from(input);
        std::iter::from_fn(|| next(&key(1), &mut input).unwrap()).collect()
    }

    fn train(to: u8, class: Class, packets: &[&[u8]]) -> Inbound {
        Inbound::Train {
            to: key(to),
            class,
            packets: u32::try_from(packets.len()).unwrap(),
            frames: recv(packets).into(),
        }
    }

    #[test]
    fn neighbours_for_one_peer_travel_together_and_discovery_alone() {
        let mut line = Vec::new();
        send(2, b"one", &mut line);
        send(2, b"", &mut line);
        send(3, b"two", &mut line);
        send(3, &disco(), &mut line);
        send(3, b"three", &mut line);
        Frame::Ping([9; 8]).encode(&mut line);
        Frame::NotePreferred(true).encode(&mut line);
        assert_eq!(
            all(&line),
            [
                train(2, Class::Data, &[b"one", b""]),
                train(3, Class::Data, &[b"two"]),
                train(3, Class::Disco, &[&disco()]),
                train(3, Class::Data, &[b"three"]),
                Inbound::Ping([9; 8]),
                Inbound::Other,
            ]
        );
    }

    #[test]
    fn trains_end() {
        let mut line = Vec::new();
        for _ in 0..40 {
            send(2, &[5; 1400], &mut line);
        }
        let trains = all(&line);
        assert_eq!(trains.len(), 4);
        for train in trains {
            let Inbound::Train { frames, .. } = train else {
                panic!("a train")
            };
            assert!(frames.len() < MAX_TRAIN + 1500);
        }
    }

    #[test]
    fn a_packet_over_the_limit_ends_the_connection() {
        let mut line = Vec::new();
        send(2, &vec![0; MAX_PACKET], &mut line);
        assert_eq!(all(&line).len(), 1);
        let mut line = Vec::new();
        send(2, &vec![0; MAX_PACKET + 1], &mut line);
        assert!(next(&key(1), &mut line.as_slice().into()).is_err());
    }

    proptest! {
        #[test]
        fn the_packets_are_the_same_however_the_bytes_arrive(
            packets in prop::collection::vec((2..4_u8, prop::collection::vec(any::<u8>(), 0..300)), 0..12),
            step in 1..700_usize,
        ) {
            let mut line = Vec::new();
            for (to, packet) in &packets {
                send(*to, packet, &mut line);
            }
            let (mut input, mut passed) = (BytesMut::new(), Vec::new());
            for piece in line.chunks(step) {
                input.extend_from_slice(piece);
                while let Some(Inbound::Train { to, frames, .. }) = next(&key(1), &mut input).unwrap() {
                    let mut rest = &frames[..];
                    while let Some((frame, len)) = Frame::decode(rest).unwrap() {
                        let Frame::RecvPacket { from, packet } = frame else {
                            panic!("a packet")
                        };
                        prop_assert_eq!(from, key(1));
                        passed.push((to.as_bytes()[0], packet.to_vec()));
                        rest = &rest[len..];
                    }
                    prop_assert!(rest.is_empty());
                }
            }
            prop_assert_eq!(passed, packets);
        }
    }
}
