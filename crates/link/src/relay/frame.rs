//! Frames: type u8 ‖ body length u32 (big-endian) ‖ body.
//!
//! Decoding borrows from the input: a relay forwards packets without copying
//! them into values of its own.

use wire::NodeKey;

use super::{MAX_BODY, greeting::RelayKey};

/// Bytes of a frame's header.
pub const HEADER_LEN: usize = 5;
/// The first bytes of a server's first frame, `DERP🔑`.
pub const MAGIC: [u8; 8] = [0x44, 0x45, 0x52, 0x50, 0xf0, 0x9f, 0x94, 0x91];

/// Why a peer was reported gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// It was connected and is no more.
    Disconnected,
    /// It is not connected to this relay.
    NotHere,
    /// A reason we do not know.
    Unknown(u8),
}

impl GoneReason {
    const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Disconnected,
            1 => Self::NotHere,
            other => Self::Unknown(other),
        }
    }

    const fn to_byte(self) -> u8 {
        match self {
            Self::Disconnected => 0,
            Self::NotHere => 1,
            Self::Unknown(other) => other,
        }
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// 01, server first: its key.
    ServerKey(RelayKey),
    /// 02, client: its key, a nonce and a box of JSON.
    ClientInfo {
        /// The client's node key.
        key: NodeKey,
        /// The box's nonce.
        nonce: [u8; 24],
        /// The box.
        sealed: &'a [u8],
    },
    /// 03, server: a nonce and a box of JSON.
    ServerInfo {
        /// The box's nonce.
        nonce: [u8; 24],
        /// The box.
        sealed: &'a [u8],
    },
    /// 04, client: a packet for a peer.
    SendPacket {
        /// For whom.
        to: NodeKey,
        /// The packet.
        packet: &'a [u8],
    },
    /// 05, server: a packet from a peer.
    RecvPacket {
        /// From whom.
        from: NodeKey,
        /// The packet.
        packet: &'a [u8],
    },
    /// 06: a sign of life.
    KeepAlive,
    /// 07, client: whether this relay is its home.
    NotePreferred(bool),
    /// 08, server: a peer is not, or no longer, connected.
    PeerGone {
        /// Who.
        peer: NodeKey,
        /// Why.
        reason: GoneReason,
    },
    /// 12: answer with [`Self::Pong`].
    Ping([u8; 8]),
    /// 13: the answer.
    Pong([u8; 8]),
    /// 14, server: what is wrong with this connection; empty when nothing is.
    Health(&'a [u8]),
    /// 15, server: it restarts; reconnect after, and keep trying for, so many milliseconds.
    Restarting {
        /// Wait before reconnecting.
        reconnect_in_ms: u32,
        /// Keep trying for.
        try_for_ms: u32,
    },
    /// A type we do not speak (relay meshes, the future); skipped.
    Unknown(u8),
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame longer than any legal one.
    #[error("a relay frame of {0} bytes is too long")]
    TooLong(u32),
    /// A frame shorter than its type needs.
    #[error("a relay frame of type {0:#04x} is too short")]
    TooShort(u8),
    /// The server's first frame lacks the magic.
    #[error("the other side does not speak the relay protocol")]
    Magic,
}

impl<'a> Frame<'a> {
    /// The first frame of `input` and how many bytes it takes; `None` while it is incomplete.
    pub fn decode(input: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some((&[kind, a, b, c, d], rest)) = input.split_first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes([a, b, c, d]);
        let body_len = usize::try_from(len).unwrap_or(usize::MAX);
        if body_len > MAX_BODY {
            return Err(FrameError::TooLong(len));
        }
        let Some(body) = rest.get(..body_len) else {
            return Ok(None);
        };
        let frame = Self::decode_body(kind, body)?;
        Ok(Some((frame, HEADER_LEN + body_len)))
    }

    fn decode_body(kind: u8, body: &'a [u8]) -> Result<Self, FrameError> {
        let short = FrameError::TooShort(kind);
        let key = |body: &'a [u8]| {
            let (key, rest) = body.split_first_chunk::<32>().ok_or(short)?;
            Ok((NodeKey::from_bytes(*key), rest))
        };
        let nonce = |body: &'a [u8]| {
            let (nonce, sealed) = body.split_first_chunk::<24>().ok_or(short)?;
            Ok((*nonce, sealed))
        };
        Ok(match kind {
            0x01 => {
                let body = body.strip_prefix(&MAGIC).ok_or(FrameError::Magic)?;
                Self::ServerKey(RelayKey::from_bytes(
                    *body.first_chunk::<32>().ok_or(short)?,
                ))
            }
            0x02 => {
                let (key, rest) = key(body)?;
                let (nonce, sealed) = nonce(rest)?;
                Self::ClientInfo { key, nonce, sealed }
            }
            0x03 => {
                let (nonce, sealed) = nonce(body)?;
                Self::ServerInfo { nonce, sealed }
            }
            0x04 => {
                let (to, packet) = key(body)?;
                Self::SendPacket { to, packet }
            }
            0x05 => {
                let (from, packet) = key(body)?;
                Self::RecvPacket { from, packet }
            }
            0x06 => Self::KeepAlive,
            0x07 => Self::NotePreferred(*body.first().ok_or(short)? != 0),
            0x08 => {
                let (peer, rest) = key(body)?;
                let reason = GoneReason::from_byte(rest.first().copied().unwrap_or_default());
                Self::PeerGone { peer, reason }
            }
            0x12 => Self::Ping(*body.first_chunk().ok_or(short)?),
            0x13 => Self::Pong(*body.first_chunk().ok_or(short)?),
            0x14 => Self::Health(body),
            0x15 => {
                let (reconnect_in, rest) = body.split_first_chunk::<4>().ok_or(short)?;
                let try_for = rest.first_chunk::<4>().ok_or(short)?;
                Self::Restarting {
                    reconnect_in_ms: u32::from_be_bytes(*reconnect_in),
                    try_for_ms: u32::from_be_bytes(*try_for),
                }
            }
            other => Self::Unknown(other),
        })
    }

    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::ServerKey(key) => put(out, 0x01, &[&MAGIC, key.as_bytes()]),
            Self::ClientInfo { key, nonce, sealed } => {
                put(out, 0x02, &[key.as_bytes(), nonce, sealed]);
            }
            Self::ServerInfo { nonce, sealed } => put(out, 0x03, &[nonce, sealed]),
            Self::SendPacket { to, packet } => put(out, 0x04, &[to.as_bytes(), packet]),
            Self::RecvPacket { from, packet } => put(out, 0x05, &[from.as_bytes(), packet]),
            Self::KeepAlive => put(out, 0x06, &[]),
            Self::NotePreferred(home) => put(out, 0x07, &[&[u8::from(*home)]]),
            Self::PeerGone { peer, reason } => {
                put(out, 0x08, &[peer.as_bytes(), &[reason.to_byte()]]);
            }
            Self::Ping(data) => put(out, 0x12, &[data]),
            Self::Pong(data) => put(out, 0x13, &[data]),
            Self::Health(text) => put(out, 0x14, &[text]),
            Self::Restarting {
                reconnect_in_ms,
                try_for_ms,
            } => {
                put(
                    out,
                    0x15,
                    &[&reconnect_in_ms.to_be_bytes(), &try_for_ms.to_be_bytes()],
                );
            }
            Self::Unknown(kind) => put(out, *kind, &[]),
        }
    }
}

/// The header of a [`Frame::RecvPacket`] for a packet of `len` bytes, to be
/// written before a packet that stays where it is.
pub fn recv_packet_header(from: &NodeKey, len: usize) -> [u8; HEADER_LEN + 32] {
    packet_header(0x05, from, len)
}

/// As [`recv_packet_header`], for a [`Frame::SendPacket`].
pub fn send_packet_header(to: &NodeKey, len: usize) -> [u8; HEADER_LEN + 32] {
    packet_header(0x04, to, len)
}

fn packet_header(kind: u8, key: &NodeKey, len: usize) -> [u8; HEADER_LEN + 32] {
    let body = u32::try_from(len + 32).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = [0; HEADER_LEN + 32];
    let head = std::iter::once(kind).chain(body).chain(*key.as_bytes());
    out.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    out
}

fn put(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    out.push(kind);
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames() -> Vec<Frame<'static>> {
        let key = NodeKey::from_bytes([3; 32]);
        vec![
            Frame::ServerKey(RelayKey::from_bytes([1; 32])),
            Frame::ClientInfo {
                key,
                nonce: [2; 24],
                sealed: b"sealed",
            },
            Frame::ServerInfo {
                nonce: [2; 24],
                sealed: b"sealed",
            },
            Frame::SendPacket {
                to: key,
                packet: b"packet",
            },
            Frame::RecvPacket {
                from: key,
                packet: b"",
            },
            Frame::KeepAlive,
            Frame::NotePreferred(true),
            Frame::PeerGone {
                peer: key,
                reason: GoneReason::NotHere,
            },
            Frame::Ping([1, 2, 3, 4, 5, 6, 7, 8]),
            Frame::Pong([8; 8]),
            Frame::Health(b"duplicate connection"),
            Frame::Restarting {
                reconnect_in_ms: 10,
                try_for_ms: 1000,
            },
            Frame::Unknown(0x77),
        ]
    }

    #[test]
    fn every_frame_survives_the_line() {
        for frame in frames() {
            let mut line = Vec::new();
            frame.encode(&mut line);
            for cut in 0..line.len() {
                assert_eq!(
                    Frame::decode(&line[..cut]),
                    Ok(None),
                    "{frame:?} cut at {cut}"
                );
            }
            assert_eq!(Frame::decode(&line), Ok(Some((frame, line.len()))));
        }
    }

    #[test]
    fn the_server_key_has_the_published_bytes() {
        let mut line = Vec::new();
        Frame::ServerKey(RelayKey::from_bytes([0xaa; 32])).encode(&mut line);
        assert!(line.starts_with(&[1, 0, 0, 0, 40]));
        assert_eq!(line.get(5..13), Some("DERP🔑".as_bytes()));
    }

    #[test]
    fn a_header_before_the_packet_makes_the_same_frame() {
        let key = NodeKey::from_bytes([3; 32]);
        let mut line = Vec::new();
        Frame::RecvPacket {
            from: key,
            packet: b"abc",
        }
        .encode(&mut line);
        let mut split = recv_packet_header(&key, 3).to_vec();
        split.extend_from_slice(b"abc");
        assert_eq!(split, line);
    }

    #[test]
    fn limits_hold() {
        let long = u32::try_from(MAX_BODY + 1).unwrap();
        let mut line = vec![4];
        line.extend_from_slice(&long.to_be_bytes());
        assert_eq!(Frame::decode(&line), Err(FrameError::TooLong(long)));
        assert_eq!(
            Frame::decode(&[4, 0, 0, 0, 1, 9]),
            Err(FrameError::TooShort(4))
        );
        assert_eq!(Frame::decode(&[1, 0, 0, 0, 1, 9]), Err(FrameError::Magic));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some((_, used))) = Frame::decode(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
