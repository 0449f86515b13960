//! What comes in: trains from the sockets, frames from the TUN.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::DataThread;
use crate::data::budget::Portion;

/// Which socket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Family {
    V4,
    V6,
}

impl DataThread {
    /// A portion of what has arrived.
    pub(super) fn receive(&mut self, family: Family) {
        let mut portion = Portion::new();
        while portion.has_more() {
            let sockets = &self.outputs.sockets;
            let socket = match family {
                Family::V4 => Some(&sockets.v4),
                Family::V6 => sockets.v6.as_ref(),
            };
            let Some(received) = socket.map(|s| s.receive(&mut self.train)) else {
                return;
            };
            match received {
                Ok(train) => {
                    self.outputs.counters.udp_receives.add(1);
                    portion.take(train.len);
                    let bytes = &mut self.train[..train.len];
                    let now = self.clock.now();
                    self.node
                        .handle_udp(train.from, train.segment_size, bytes, now);
                    self.drain_full();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.outputs.counters.udp_receive_errors.add(1),
            }
        }
        self.drain();
    }

    /// A portion of what the system sends. An error other than "nothing there" means that the interface is gone.
    pub(super) fn read_tun(&mut self) -> io::Result<()> {
        let mut portion = Portion::new();
        while portion.has_more() {
            match self.outputs.tun.read(&mut self.frame) {
                Ok(len) => {
                    self.outputs.counters.tun_reads.add(1);
                    portion.take(len);
                    let now = self.clock.now();
                    self.node.handle_tun(&mut self.frame[..len], now);
                    self.drain_full();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.drain();
        Ok(())
    }

    /// The addresses of the machine, as endpoints at the sockets' port.
    pub(in crate::data) fn set_addresses(&mut self, addresses: &[IpAddr]) {
        let sockets = &self.outputs.sockets;
        let has_socket = |ip: &IpAddr| ip.is_ipv4() || sockets.v6.is_some();
        let endpoints = addresses
            .iter()
            .filter(|ip| has_socket(ip))
            .map(|ip| SocketAddr::new(*ip, sockets.port()))
            .collect();
        self.node.set_local_endpoints(endpoints, self.clock.now());
    }
}
