//! Path discovery between peers (DISCO): the envelope and the messages inside.
//!
//! Packet: magic `TS💬` (6 bytes) ‖ sender's disco key (32) ‖ nonce (24) ‖ NaCl
//! box of (type u8 ‖ version u8 = 0 ‖ payload), between the two disco keys.
//! Sealing and opening belong to `mesh`; this file knows the layouts only.
//! Source: `tailscale/disco/disco.go`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::{DiscoKey, NodeKey};

/// The first six bytes of a disco packet.
pub const MAGIC: [u8; 6] = [0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac];
/// Bytes before the sealed part: magic, sender key, nonce.
pub const HEADER_LEN: usize = 6 + 32 + 24;
/// Bytes that sealing adds.
pub const SEAL_OVERHEAD: usize = 16;
/// Endpoints that one [`Message::CallMeMaybe`] may carry; more are ignored on reading.
pub const MAX_ENDPOINTS: usize = 64;

/// The clear part of a disco packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Who sent it.
    pub sender: DiscoKey,
    /// The box's nonce.
    pub nonce: [u8; 24],
    /// The box.
    pub sealed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// True when `packet` starts like a disco packet and is long enough for one.
    pub fn looks_like(packet: &[u8]) -> bool {
        packet.len() >= HEADER_LEN + SEAL_OVERHEAD && packet.starts_with(&MAGIC)
    }

    /// Splits a packet; `None` when it is no disco packet.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let rest = packet.strip_prefix(&MAGIC)?;
        let (sender, rest) = rest.split_first_chunk::<32>()?;
        let (nonce, sealed) = rest.split_first_chunk::<24>()?;
        (sealed.len() >= SEAL_OVERHEAD).then(|| Self {
            sender: DiscoKey::from_bytes(*sender),
            nonce: *nonce,
            sealed,
        })
    }

    /// Appends the clear part to `out`; the sealed part follows it.
    pub fn encode_header(sender: &DiscoKey, nonce: &[u8; 24], out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(sender.as_bytes());
        out.extend_from_slice(nonce);
    }
}

/// What identifies a ping and its pong.
pub type TxId = [u8; 12];

/// A message inside the box. Peer-relay messages (4 to 9) are not spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Type 1: are you there, on this path?
    Ping {
        /// Repeated by the pong.
        tx: TxId,
        /// The sender's node key; absent in old clients.
        node_key: Option<NodeKey>,
        /// Zero bytes after the message, to probe the path's size.
        padding: usize,
    },
    /// Type 2: I am; I saw your packet come from `observed`.
    Pong {
        /// That of the ping.
        tx: TxId,
        /// The ping's source as the receiver saw it.
        observed: SocketAddr,
    },
    /// Type 3, through a relay only: my endpoints; ping them now.
    CallMeMaybe {
        /// Where the sender may be reached.
        endpoints: Vec<SocketAddr>,
    },
    /// A type we do not know; ignored.
    Unknown(u8),
}

impl Message {
    /// Reads the opened box; `None` when it is shorter than its type needs.
    pub fn parse(plain: &[u8]) -> Option<Self> {
        let (&[kind, _version], body) = plain.split_first_chunk::<2>()?;
        match kind {
            1 => {
                let (tx, rest) = body.split_first_chunk::<12>()?;
                let (node_key, padding) = match rest.split_first_chunk::<32>() {
                    Some((key, padding)) => (Some(NodeKey::from_bytes(*key)), padding.len()),
                    None => (None, 0),
                };
                Some(Self::Ping {
                    tx: *tx,
                    node_key,
                    padding,
                })
            }
            2 => {
                let (tx, rest) = body.split_first_chunk::<12>()?;
                let observed = parse_endpoint(rest.first_chunk::<18>()?);
                Some(Self::Pong { tx: *tx, observed })
            }
            3 => Some(Self::CallMeMaybe {
                endpoints: body
                    .chunks_exact(18)
                    .take(MAX_ENDPOINTS)
                    .filter_map(|c| c.first_chunk::<18>().map(parse_endpoint))
                    .collect(),
            }),
            other => Some(Self::Unknown(other)),
        }
    }

    /// Appends the message to `out`, ready to be sealed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ping {
                tx,
                node_key,
                padding,
            } => {
                out.extend_from_slice(&[1, 0]);
                out.extend_from_slice(tx);
                if let Some(key) = node_key {
                    out.extend_from_slice(key.as_bytes());
                    out.resize(out.len() + padding, 0);
                }
            }
            Self::Pong { tx, observed } => {
                out.extend_from_slice(&[2, 0]);
                out.extend_from_slice(tx);
                encode_endpoint(observed, out);
            }
            Self::CallMeMaybe { endpoints } => {
                out.extend_from_slice(&[3, 0]);
                endpoints
                    .iter()
                    .take(MAX_ENDPOINTS)
                    .for_each(|e| encode_endpoint(e, out));
            }
            Self::Unknown(kind) => out.extend_from_slice(&[*kind, 0]),
        }
    }
}

/// 16 bytes of IPv6 (IPv4 mapped) and a big-endian port.
fn parse_endpoint(bytes: &[u8; 18]) -> SocketAddr {
    let mut ip = [0; 16];
    ip.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let [.., hi, lo] = *bytes;
    SocketAddr::new(
        Ipv6Addr::from(ip).to_canonical(),
        u16::from_be_bytes([hi, lo]),
    )
}

fn encode_endpoint(endpoint: &SocketAddr, out: &mut Vec<u8>) {
    let ip = match endpoint.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    out.extend_from_slice(&ip.octets());
    out.extend_from_slice(&endpoint.port().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(m: &Message) -> String {
        let mut out = Vec::new();
        m.encode(&mut out);
        hex::encode(out)
    }

    const TX: TxId = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    /// The byte layouts are those of `tailscale/disco/disco_test.go`.
    #[test]
    fn messages_have_the_published_layout() {
        let ping = Message::Ping {
            tx: TX,
            node_key: None,
            padding: 0,
        };
        assert_eq!(encoded(&ping), "01000102030405060708090a0b0c");
        let pong = Message::Pong {
            tx: TX,
            observed: "2.3.4.5:1234".parse().unwrap(),
        };
        assert_eq!(
            encoded(&pong),
            "02000102030405060708090a0b0c00000000000000000000ffff0203040504d2"
        );
        let call = Message::CallMeMaybe {
            endpoints: vec![
                "1.2.3.4:567".parse().unwrap(),
                "[2001::3456]:789".parse().unwrap(),
            ],
        };
        assert_eq!(
            encoded(&call),
            "030000000000000000000000ffff01020304023720010000000000000000000000003456\
             0315"
        );
    }

    #[test]
    fn messages_round_trip() {
        let key = NodeKey::from_bytes([9; 32]);
        for m in [
            Message::Ping {
                tx: TX,
                node_key: Some(key),
                padding: 5,
            },
            Message::Pong {
                tx: TX,
                observed: "[fe80::1]:99".parse().unwrap(),
            },
            Message::CallMeMaybe { endpoints: vec![] },
        ] {
            let mut out = Vec::new();
            m.encode(&mut out);
            assert_eq!(Message::parse(&out), Some(m));
        }
    }

    #[test]
    fn short_messages_are_refused_and_unknown_ones_named() {
        assert_eq!(Message::parse(&[1]), None);
        assert_eq!(Message::parse(&[1, 0, 1, 2]), None);
        assert_eq!(Message::parse(&[7, 0, 1]), Some(Message::Unknown(7)));
    }
}
