//! STUN: tells a node how it looks from outside (RFC 8489 binding requests).
//!
//! Only well-formed requests of at least 40 bytes with a valid FINGERPRINT are
//! answered, and an answer has at most 44 bytes, so nobody gains by sending
//! requests in another's name. Each address gets 100 answers a second.

mod limit;
mod message;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::{net::UdpSocket, time::Instant};

use limit::Limit;

/// Requests taken before the task lets others run.
const BATCH: usize = 64;
/// The longest datagram looked at; requests are far shorter.
const MAX_REQUEST: usize = 1500;

/// What a responder did so far.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests answered.
    pub answered: AtomicU64,
    /// Datagrams that were no proper request.
    pub malformed: AtomicU64,
    /// Requests over the limit of their address.
    pub limited: AtomicU64,
}

/// Answers requests on `socket` until the future is dropped.
pub async fn serve(socket: &UdpSocket, counters: &Counters) -> io::Result<()> {
    let started = Instant::now();
    let mut limit = Limit::default();
    let mut buffer = [0; MAX_REQUEST];
    loop {
        socket.readable().await?;
        limit.advance(started.elapsed().as_secs());
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => {
                    let request = buffer.get(..len).unwrap_or_default();
                    answer(socket, request, from, &mut limit, counters);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                // A datagram of ours that found nobody; the socket is sound.
                Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(e) => return Err(e),
            }
        }
        tokio::task::yield_now().await;
    }
}

fn answer(
    socket: &UdpSocket,
    request: &[u8],
    from: SocketAddr,
    limit: &mut Limit,
    counters: &Counters,
) {
    let Some(transaction) = message::read_request(request) else {
        counters.malformed.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let seen = SocketAddr::new(plain(from.ip()), from.port());
    if !limit.allows(seen.ip()) {
        counters.limited.fetch_add(1, Ordering::Relaxed);
        return;
    }
    // A full socket buffer drops the answer; the node asks again.
    if socket
        .try_send_to(&message::response(transaction, seen), from)
        .is_ok()
    {
        counters.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// IPv4 addresses as such, also on a socket of both families.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_learns_its_address_and_garbage_is_not_answered() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let counters = std::sync::Arc::new(Counters::default());
        let told = counters.clone();
        let task = tokio::spawn(async move { serve(&server, &told).await });

        let node = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        node.send_to(
            b"garbage that is no request, but longer than forty bytes",
            address,
        )
        .await
        .unwrap();
        node.send_to(&message::tests::REQUEST, address)
            .await
            .unwrap();
        let mut buffer = [0; 100];
        let (len, _) = node.recv_from(&mut buffer).await.unwrap();
        let seen = message::tests::mapped_address(&buffer[..len]);
        assert_eq!(seen, node.local_addr().unwrap());
        assert_eq!(counters.malformed.load(Ordering::Relaxed), 1);
        assert_eq!(counters.answered.load(Ordering::Relaxed), 1);
        task.abort();
    }
}
