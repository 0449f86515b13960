use std::net::IpAddr;

use super::*;
use crate::io::epoll::Epoll;

fn sockets(offload: bool) -> Sockets {
    Sockets::bind(Options {
        port: 0,
        mark: 0,
        offload,
    })
    .unwrap()
}

/// Every datagram that arrives until `count` are there.
fn receive(socket: &Socket, count: usize) -> Vec<Vec<u8>> {
    let epoll = Epoll::new().unwrap();
    epoll.add(socket, 1).unwrap();
    let mut slot = vec![0; 65_536];
    let mut datagrams = Vec::new();
    while datagrams.len() < count {
        epoll.wait().unwrap();
        let received = socket.receive(&mut slot).unwrap();
        let train = &slot[..received.len];
        datagrams.extend(train.chunks(received.segment_size).map(<[u8]>::to_vec));
    }
    datagrams
}

fn train(sizes: &[usize]) -> Vec<Vec<u8>> {
    let numbered = sizes.iter().zip(1_u8..);
    numbered.map(|(size, n)| vec![n; *size]).collect()
}

fn carries(sender_offloads: bool, receiver_offloads: bool, to: IpAddr) {
    let (mut a, b) = (sockets(sender_offloads), sockets(receiver_offloads));
    let sent = train(&[1312, 1312, 1312, 1312, 700]);
    let to = SocketAddr::new(to, b.port());
    let outcome = a.send(to, 1312, &sent.concat());
    assert_eq!(
        outcome,
        Sent {
            datagrams: 5,
            lost: 0
        }
    );
    let socket = if to.is_ipv4() {
        &b.v4
    } else {
        b.v6.as_ref().unwrap()
    };
    assert_eq!(receive(socket, 5), sent);
}

#[test]
fn a_train_arrives_datagram_by_datagram_whatever_either_kernel_offloads() {
    for (sender, receiver) in [(true, true), (true, false), (false, true), (false, false)] {
        carries(sender, receiver, Ipv4Addr::LOCALHOST.into());
    }
}

#[test]
fn a_train_travels_by_ipv6_from_the_same_port() {
    let sockets = sockets(true);
    let v6 = sockets.v6.as_ref().expect("loopback has IPv6");
    assert_eq!(v6.local_address().unwrap().port(), sockets.port());
    assert_eq!(sockets.v4.local_address().unwrap().port(), sockets.port());
    carries(true, true, Ipv6Addr::LOCALHOST.into());
}

#[test]
fn a_taken_port_gives_way_to_the_system_s_choice() {
    let first = sockets(true);
    let second = Sockets::bind(Options {
        port: first.port(),
        mark: 0,
        offload: true,
    })
    .unwrap();
    assert_ne!(first.port(), second.port());
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let mut sockets = sockets(true);
    // No unprivileged socket may send to a broadcast address unasked.
    let to = SocketAddr::new(Ipv4Addr::BROADCAST.into(), 9);
    let outcome = sockets.send(to, 100, &[0; 250]);
    assert_eq!(
        outcome,
        Sent {
            datagrams: 0,
            lost: 3
        }
    );
}

#[test]
fn an_empty_queue_is_no_train() {
    let error = sockets(true).v4.receive(&mut [0; 64]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}
