//! A STUN responder: Binding requests only.

use std::net::{IpAddr, SocketAddr};

const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The answer to a Binding request from `from`; `None` to anything else.
pub fn answer(request: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    if request.len() < 20 || request[..2] != [0, 1] || request[4..8] != MAGIC {
        return None;
    }
    let cookie_and_tx = &request[4..20];
    let (family, ip) = match from.ip() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let length = u16::try_from(ip.len() + 4).ok()?;
    let mut out = vec![1, 1];
    out.extend_from_slice(&(length + 4).to_be_bytes());
    out.extend_from_slice(cookie_and_tx);
    out.extend_from_slice(&[0, 0x20]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[0, family]);
    out.extend_from_slice(&(from.port() ^ 0x2112).to_be_bytes());
    out.extend(ip.iter().zip(cookie_and_tx).map(|(a, b)| a ^ b));
    Some(out)
}
