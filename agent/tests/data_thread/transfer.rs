//! Bytes through the tunnel, compared at the other end.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
};

use crate::pair::{PATIENCE, Side};

/// Bytes that no mix-up of packets leaves as they are.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// A listener on `side`, reachable at its address `ip`.
pub(crate) fn listen(side: &Side, ip: IpAddr) -> (TcpListener, SocketAddr) {
    let listener = side.ns.run(move || TcpListener::bind((ip, 0)).unwrap());
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) fn connect(side: &Side, to: SocketAddr) -> TcpStream {
    let stream = side
        .ns
        .run(move || TcpStream::connect_timeout(&to, PATIENCE))
        .unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends `len` bytes from one side to an address of the other, by TCP, and compares them there.
pub(crate) fn tcp(from: &Side, to: &Side, ip: IpAddr, len: usize) {
    let (listener, address) = listen(to, ip);
    let reader = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        received
    });
    let sent = pattern(len);
    let mut stream = connect(from, address);
    stream.write_all(&sent).unwrap();
    drop(stream);
    let received = reader.join().unwrap();
    assert_eq!(received.len(), sent.len());
    assert!(received == sent, "the bytes arrive as they were sent");
}

/// Sends datagrams of these sizes, one at a time, and compares what comes back.
pub(crate) fn udp_echo(from: &Side, to: &Side, ip: IpAddr, sizes: &[usize]) {
    let socket = |ip: IpAddr| move || UdpSocket::bind((ip, 0)).unwrap();
    let echo = to.ns.run(socket(ip));
    let own = if ip.is_ipv4() { from.v4 } else { from.v6 };
    let asker = from.ns.run(socket(own));
    for socket in [&echo, &asker] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    let address = echo.local_addr().unwrap();
    let count = sizes.len();
    let echoing = thread::spawn(move || {
        let mut datagram = vec![0; 65_536];
        for _ in 0..count {
            let (len, from) = echo.recv_from(&mut datagram).unwrap();
            echo.send_to(&datagram[..len], from).unwrap();
        }
    });
    let mut answer = vec![0; 65_536];
    for size in sizes {
        let sent = pattern(*size);
        asker.send_to(&sent, address).unwrap();
        let (len, _) = asker.recv_from(&mut answer).unwrap();
        assert!(answer[..len] == sent, "a datagram of {size} bytes");
    }
    echoing.join().unwrap();
}
