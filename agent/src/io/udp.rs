//! The UDP sockets: one for each IP version, on the same port.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

mod socket;

pub use socket::{Received, Sent, Socket};

/// Where another port is tried when the system's choice is taken for IPv6.
const ATTEMPTS: usize = 8;

/// How the sockets are opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// Mark of outgoing packets, for policy routing; 0 for none.
    pub mark: u32,
    /// Let the kernel cut trains into datagrams and join what arrives together.
    pub offload: bool,
}

/// Both sockets.
#[derive(Debug)]
pub struct Sockets {
    pub v4: Socket,
    /// Absent where the machine has no IPv6.
    pub v6: Option<Socket>,
    port: u16,
}

impl Sockets {
    /// Opens both on one port: the wanted one, or the system's choice when that is taken.
    pub fn bind(options: Options) -> io::Result<Self> {
        let any_port = Options { port: 0, ..options };
        let mut outcome = Self::bind_both(options);
        for _ in 0..ATTEMPTS {
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    outcome = Self::bind_both(any_port);
                }
                outcome => return outcome,
            }
        }
        outcome
    }

    fn bind_both(options: Options) -> io::Result<Self> {
        let v4 = Socket::bind((Ipv4Addr::UNSPECIFIED, options.port).into(), options)?;
        let port = v4.local_address()?.port();
        let v6 = match Socket::bind((Ipv6Addr::UNSPECIFIED, port).into(), options) {
            Ok(socket) => Some(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => None,
        };
        Ok(Self { v4, v6, port })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sends a train of datagrams of `segment_size` bytes from the socket of the address's version.
    pub fn send(&mut self, to: SocketAddr, segment_size: usize, bytes: &[u8]) -> Sent {
        let socket = match to {
            SocketAddr::V4(_) => Some(&mut self.v4),
            SocketAddr::V6(_) => self.v6.as_mut(),
        };
        socket.map_or_else(
            || Sent::nothing(segment_size, bytes),
            |socket| socket.send(to, segment_size, bytes),
        )
    }
}

#[cfg(test)]
mod tests;
