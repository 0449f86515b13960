use proptest::prelude::*;

use super::{checksum, *};
use crate::packet::{Packet, tcp};

/// A superpacket as the kernel hands it over.
#[derive(Debug, Clone)]
struct Super {
    v6: bool,
    stream: Stream,
    flow: u16,
    seq: u32,
    flags: u8,
    options: usize,
    df: bool,
    segment_size: u16,
    payload: Vec<u8>,
}

impl Super {
    fn frame(&self) -> Vec<u8> {
        let ip = if self.v6 { 40 } else { 20 };
        let upper = match self.stream {
            Stream::Tcp => 20 + self.options,
            Stream::Udp => 8,
        };
        let len = ip + upper + self.payload.len();
        let mut p = vec![0; len];
        if self.v6 {
            p[0] = 0x60;
            p[4..6].copy_from_slice(&u16::try_from(len - 40).unwrap().to_be_bytes());
            p[6] = self.stream.protocol();
            p[7] = 64;
            p[8..10].copy_from_slice(&[0xfd, 0x7a]);
            p[24..26].copy_from_slice(&[0xfd, 0x7a]);
            p[39] = 1;
        } else {
            p[0] = 0x45;
            p[2..4].copy_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
            p[4..6].copy_from_slice(&0xfff0_u16.to_be_bytes());
            p[6] = if self.df { 0x40 } else { 0 };
            p[8] = 64;
            p[9] = self.stream.protocol();
            p[12..20].copy_from_slice(&[100, 64, 0, 1, 100, 64, 0, 2]);
            checksum::write_ipv4(&mut p[..20]);
        }
        p[ip..ip + 2].copy_from_slice(&(1000 + self.flow).to_be_bytes());
        p[ip + 2..ip + 4].copy_from_slice(&80_u16.to_be_bytes());
        match self.stream {
            Stream::Tcp => {
                p[ip + 4..ip + 8].copy_from_slice(&self.seq.to_be_bytes());
                p[ip + 12] = u8::try_from(upper / 4).unwrap() << 4;
                p[ip + 13] = self.flags;
            }
            Stream::Udp => {
                let upper_len = u16::try_from(len - ip).unwrap();
                p[ip + 4..ip + 6].copy_from_slice(&upper_len.to_be_bytes());
            }
        }
        p[ip + upper..].copy_from_slice(&self.payload);
        let sum = checksum::pseudo(&p, self.stream.protocol()) + checksum::length(len - ip);
        let at = ip + self.stream.csum_offset();
        p[at..at + 2].copy_from_slice(&checksum::fold(sum).to_ne_bytes());
        let vnet = VnetHeader {
            needs_csum: true,
            gso: match (self.stream, self.v6) {
                (Stream::Tcp, false) => Gso::TcpV4,
                (Stream::Tcp, true) => Gso::TcpV6,
                (Stream::Udp, _) => Gso::Udp,
            },
            header_len: 0xffff,
            segment_size: self.segment_size,
            csum_start: u16::try_from(ip).unwrap(),
            csum_offset: u16::try_from(self.stream.csum_offset()).unwrap(),
        };
        let mut frame = vnet.to_bytes().to_vec();
        frame.extend(p);
        frame
    }
}

fn superpacket() -> impl Strategy<Value = Super> {
    (
        any::<(bool, bool, u32, bool)>(),
        0_u16..3,
        prop_oneof![
            Just(tcp::ACK),
            Just(tcp::ACK | tcp::PSH),
            Just(tcp::ACK | tcp::FIN)
        ],
        prop_oneof![Just(0_usize), Just(12)],
        1_u16..1300,
        prop::collection::vec(any::<u8>(), 1..20_000),
    )
        .prop_map(
            |((v6, is_tcp, seq, df), flow, flags, options, size, mut payload)| {
                payload.truncate(usize::from(size) * 60);
                Super {
                    v6,
                    stream: if is_tcp { Stream::Tcp } else { Stream::Udp },
                    flow,
                    seq,
                    flags,
                    options,
                    df,
                    segment_size: size,
                    payload,
                }
            },
        )
}

/// Checksums of a packet without offload: all right.
fn is_intact(packet: &[u8]) -> bool {
    let view = Packet::parse(packet).unwrap();
    let ip = packet[0] >> 4 == 6 || checksum::fold(checksum::sum(&packet[..20])) == 0xffff;
    let sum = checksum::pseudo(packet, view.protocol())
        + checksum::length(view.payload().len())
        + checksum::sum(view.payload());
    ip && checksum::fold(sum) == 0xffff
}

/// The id of an IPv4 packet that must not be fragmented means nothing (RFC 6864).
fn forget_atomic_id(packet: &mut [u8]) {
    if packet[0] >> 4 == 4 && packet[6] & 0x40 != 0 {
        packet[4..6].fill(0);
        checksum::write_ipv4(&mut packet[..20]);
    }
}

fn cut(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut frame = frame.to_vec();
    let mut segments = split(&mut frame).unwrap();
    let longest = segments.longest();
    let mut out = Vec::new();
    while let Some(segment) = segments.next_segment() {
        assert!(
            segment.len() <= longest,
            "no segment is longer than announced"
        );
        out.push(segment.to_vec());
    }
    out
}

fn put_together(coalescer: &mut Coalescer, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for packet in packets {
        coalescer.room(packet.len() + 32)[..packet.len()].copy_from_slice(packet);
        assert_eq!(coalescer.written(packet.len()), packet);
        coalescer.commit(packet.len());
        while let Some(write) = coalescer.poll_full() {
            out.push(write.frame.to_vec());
        }
    }
    while let Some(write) = coalescer.poll() {
        out.push(write.frame.to_vec());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut and put together, superpackets are what they were; every piece on the way is whole.
    #[test]
    fn split_and_coalesce_are_inverse(superpackets in prop::collection::vec(superpacket(), 1..6)) {
        let mut coalescer = Coalescer::new(Offload::TcpUdp);
        for superpacket in &superpackets {
            let frame = superpacket.frame();
            let packets = cut(&frame);
            prop_assert!(packets.iter().all(|p| is_intact(p)));
            let frames = put_together(&mut coalescer, &packets);
            let again: Vec<_> = frames.iter().flat_map(|f| cut(f)).collect();
            prop_assert_eq!(&again, &packets);
            if superpacket.flags & tcp::FIN == 0 || superpacket.stream == Stream::Udp {
                prop_assert_eq!(frames.len(), 1);
                prop_assert_eq!(&frames[0][VNET_HDR_LEN + 1..], &normal(&frame, packets.len())[VNET_HDR_LEN + 1..]);
            }
        }
    }

    /// Whatever the mixture, each flow's packets come out once and in order.
    #[test]
    fn flows_keep_their_order(
        superpackets in prop::collection::vec(superpacket(), 1..6),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
        offload in prop_oneof![Just(Offload::None), Just(Offload::Tcp), Just(Offload::TcpUdp)],
    ) {
        let mut queues: Vec<_> = superpackets.iter().map(|s| cut(&s.frame()).into_iter()).collect();
        let mut mixed: Vec<Vec<u8>> = picks.iter().filter_map(|p| queues[p.index(superpackets.len())].next()).collect();
        mixed.extend(queues.into_iter().flatten());
        let mut coalescer = Coalescer::new(offload);
        let frames = put_together(&mut coalescer, &mixed);
        let mut out: Vec<_> = frames.iter().flat_map(|f| cut(f)).collect();
        let key = |p: &Vec<u8>| {
            let view = Packet::parse(p).unwrap();
            (p[0] >> 4, view.protocol(), view.payload()[..4].to_vec())
        };
        // Stable: the order within a flow stays.
        out.sort_by_key(key);
        mixed.sort_by_key(key);
        for packet in out.iter_mut().chain(&mut mixed) {
            forget_atomic_id(packet);
        }
        prop_assert_eq!(out, mixed);
    }

    #[test]
    fn whatever_comes_nothing_panics(
        frame in prop::collection::vec(any::<u8>(), 0..400),
        gso in 0_u8..6,
        version in 4_u8..7,
    ) {
        let mut frame = frame;
        if frame.len() > VNET_HDR_LEN {
            frame[1] = gso;
            frame[VNET_HDR_LEN] = version << 4 | 5;
        }
        if let Ok(mut segments) = split(&mut frame) {
            while segments.next_segment().is_some() {}
        }
        let mut coalescer = Coalescer::new(Offload::TcpUdp);
        let len = frame.len();
        coalescer.room(len)[..len].copy_from_slice(&frame);
        coalescer.commit(len);
        prop_assert!(coalescer.poll().is_some());
    }
}

/// What a frame becomes on its way: the header's length is told rightly, a
/// superpacket of one is a packet, and only the last segment pushes.
fn normal(frame: &[u8], count: usize) -> Vec<u8> {
    if count == 1 {
        let mut plain = VnetHeader::PLAIN.to_bytes().to_vec();
        plain.extend(cut(frame).remove(0));
        return plain;
    }
    let mut frame = frame.to_vec();
    let view = Packet::parse(&frame[VNET_HDR_LEN..]).unwrap();
    let upper = match view.protocol() {
        wire::net::protocol::TCP => usize::from(view.payload()[12] >> 4) * 4,
        _ => 8,
    };
    let header = u16::try_from(view.upper_at() + upper).unwrap();
    frame[2..4].copy_from_slice(&header.to_ne_bytes());
    frame
}

#[test]
fn a_damaged_packet_joins_nothing() {
    let whole = Super {
        v6: false,
        stream: Stream::Tcp,
        flow: 0,
        seq: 1,
        flags: tcp::ACK,
        options: 0,
        df: true,
        segment_size: 1000,
        payload: vec![7; 3000],
    };
    let mut packets = cut(&whole.frame());
    packets[1][100] ^= 1;
    let frames = put_together(&mut Coalescer::new(Offload::Tcp), &packets);
    assert_eq!(frames.len(), 3);
    assert_eq!(&frames[1][..VNET_HDR_LEN], &[0; VNET_HDR_LEN]);
    assert_eq!(&frames[1][VNET_HDR_LEN..], &packets[1]);
}

#[test]
fn what_is_discarded_leaves_no_trace() {
    let whole = Super {
        v6: true,
        stream: Stream::Tcp,
        flow: 0,
        seq: u32::MAX - 500,
        flags: tcp::ACK,
        options: 12,
        df: true,
        segment_size: 1200,
        payload: (0..5000).map(|i| u8::try_from(i % 251).unwrap()).collect(),
    };
    let packets = cut(&whole.frame());
    let mut coalescer = Coalescer::new(Offload::Tcp);
    for packet in &packets {
        coalescer.room(1400).fill(0xee);
        coalescer.discard();
        coalescer.room(packet.len())[..packet.len()].copy_from_slice(packet);
        coalescer.commit(packet.len());
    }
    let frame = coalescer.poll().unwrap().frame.to_vec();
    assert_eq!(cut(&frame), packets);
    assert!(coalescer.poll().is_none());
}
