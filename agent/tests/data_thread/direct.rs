//! Traffic over a wire, with every mix of offloads.

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::Duration,
};

use agent::{
    data::{Command, Offloads},
    io::{
        epoll::Epoll,
        udp::{Options, Sockets},
    },
};
use mesh::{
    event::{PathAddr, PingResult},
    offload::Offload,
};
use wire::NodeId;

use crate::{
    pair::{PATIENCE, Pair, Reach},
    transfer::{connect, listen, pattern, tcp, udp_echo},
};

const NONE: Offloads = Offloads {
    tun: Offload::None,
    udp: false,
};
const ALL: Offloads = Offloads {
    tun: Offload::TcpUdp,
    udp: true,
};
const TCP_ONLY: Offloads = Offloads {
    tun: Offload::Tcp,
    udp: true,
};

/// Ping, TCP and UDP, over IPv4 and IPv6, in both directions.
fn everything_passes(a: Offloads, b: Offloads) {
    let Some(pair) = Pair::new(a, b, Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    for ip in [b.v4, b.v6] {
        a.ns.sh(&format!("ping -n -c 3 -i 0.05 -W 10 -s 4000 {ip}"));
        tcp(a, b, ip, 3_000_000);
        udp_echo(a, b, ip, &[0, 1, 1000, 1232, 1252, 1400, 9000, 60_000]);
    }
    tcp(b, a, a.v4, 3_000_000);
    tcp(b, a, a.v6, 100_000);
    let status = pair.status(a);
    let path = status.peers[0].path;
    let direct = PathAddr::Direct("192.0.2.2:41641".parse().unwrap());
    assert_eq!(path, Some(direct));
    assert!(status.peers[0].tx_bytes > 6_000_000);
    assert!(status.peers[0].rx_bytes > 3_000_000);
}

#[test]
fn everything_passes_with_all_offloads() {
    everything_passes(ALL, ALL);
}

#[test]
fn everything_passes_without_offloads() {
    everything_passes(NONE, NONE);
}

#[test]
fn everything_passes_when_only_one_end_offloads() {
    everything_passes(TCP_ONLY, NONE);
}

#[test]
fn offloads_make_trains_of_bulk_traffic() {
    let Some(pair) = Pair::new(ALL, ALL, Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    tcp(a, b, b.v4, 20_000_000);
    let (sent, received) = (&a.data.counters, &b.data.counters);
    let datagrams = sent.udp_datagrams.get();
    assert!(datagrams > 20_000_000 / 1280);
    let trains = sent.udp_trains.get();
    assert!(
        datagrams > 8 * trains,
        "{datagrams} datagrams, {trains} trains"
    );
    let writes = received.tun_writes.get();
    assert!(
        datagrams > 8 * writes,
        "{datagrams} datagrams, {writes} writes"
    );
    assert_eq!((sent.udp_lost.get(), received.tun_refused.get()), (0, 0));
}

/// A program that sends by `UDP_SEGMENT` meets one that reads by `UDP_GRO`.
#[test]
fn a_program_s_own_udp_train_passes_as_a_train() {
    let Some(pair) = Pair::new(ALL, ALL, Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    udp_echo(a, b, b.v4, &[100]);
    let sockets = || {
        let (port, mark, offload) = (0, 0, true);
        Sockets::bind(Options {
            port,
            mark,
            offload,
        })
        .unwrap()
    };
    let (mut sender, receiver) = (a.ns.run(sockets), b.ns.run(sockets));
    let train = pattern(40 * 1200);
    let reads = a.data.counters.tun_reads.get();
    let to = SocketAddr::new(b.v4, receiver.port());
    assert_eq!(sender.send(to, 1200, &train).datagrams, 40);
    let epoll = Epoll::new().unwrap();
    epoll.add(&receiver.v4, 1).unwrap();
    let (mut got, mut receives) = (Vec::new(), 0);
    let mut slot = vec![0; 65_536];
    while got.len() < train.len() {
        epoll.wait().unwrap();
        let received = receiver.v4.receive(&mut slot).unwrap();
        assert_eq!(received.segment_size, 1200);
        got.extend_from_slice(&slot[..received.len]);
        receives += 1;
    }
    assert!(got == train, "the datagrams arrive in order");
    assert_eq!(b.data.counters.tun_refused.get(), 0);
    let reads = a.data.counters.tun_reads.get() - reads;
    assert!(reads < 10, "{reads} reads of the TUN for one train");
    assert!(receives < 10, "{receives} receives for one train");
}

#[test]
fn a_wire_too_narrow_for_whole_packets_carries_them_in_fragments() {
    let Some(pair) = Pair::new(ALL, ALL, Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    for side in [a, b] {
        side.ns.sh("ip link set eth0 mtu 1200");
    }
    tcp(a, b, b.v4, 1_000_000);
    tcp(b, a, a.v6, 1_000_000);
    assert_eq!(a.data.counters.udp_lost.get(), 0);
}

#[test]
fn a_ping_tells_the_path_and_a_strange_peer_is_unknown() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let ping = |peer| pair.ask(&pair.a, |reply| Command::Ping { peer, reply });
    let PingResult::Pong { path, .. } = ping(pair.b.id) else {
        panic!("the peer answers");
    };
    let direct = PathAddr::Direct("192.0.2.2:41641".parse().unwrap());
    assert_eq!(path, direct);
    assert_eq!(ping(NodeId(77)), PingResult::UnknownPeer);
}

#[test]
fn a_policy_that_allows_nothing_lets_nothing_pass_until_the_next() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    tcp(a, b, b.v4, 10_000);
    a.ns.sh(&format!("ping -n -c 1 -W 10 {}", b.v4));
    pair.publish(Reach::Direct, &[]);
    // The status answers after the netmap was taken.
    pair.status(b);
    let refused = a.ns.try_sh(&format!("ping -n -c 2 -i 0.2 -W 1 {}", b.v4));
    assert!(!refused.status.success());
    pair.publish(Reach::Direct, &[crate::pair::allow_all()]);
    tcp(a, b, b.v4, 10_000);
}

#[test]
fn a_running_transfer_stops_when_the_policy_forbids_it_and_goes_on_when_it_is_back() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    let (listener, address) = listen(b, b.v4);
    let mut sender = connect(a, address);
    let (mut receiver, _) = listener.accept().unwrap();
    let sending = std::thread::spawn(move || while sender.write_all(&[7; 16_384]).is_ok() {});
    let mut chunk = vec![0; 65_536];
    receiver.read_exact(&mut chunk).unwrap();
    pair.publish(Reach::Direct, &[]);
    pair.status(b);
    // What had arrived before is read, then nothing more comes.
    receiver
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut late = 0;
    while let Ok(len) = receiver.read(&mut chunk) {
        late += len;
        assert!(late < 64 << 20, "the transfer goes on");
    }
    pair.publish(Reach::Direct, &[crate::pair::allow_all()]);
    receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    receiver.read_exact(&mut chunk).unwrap();
    drop(receiver);
    sending.join().unwrap();
}

#[test]
fn the_very_first_packet_arrives() {
    for _ in 0..10 {
        let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
            return;
        };
        let Pair { a, b, .. } = &pair;
        let ping = a.ns.try_sh(&format!("ping -n -c 1 -W 8 {}", b.v4));
        let status = [pair.status(a), pair.status(b)];
        let counters = [a.data.counters.all(), b.data.counters.all()];
        assert!(ping.status.success(), "{status:#?}, {counters:?}");
    }
}
