//! A client's session with one relay.
//!
//! Life: greeting → ready. Feed what arrives to [`ClientSession::handle_input`]
//! until it gives `None`; write what [`ClientSession::output`] holds. Packets
//! may be sent as soon as [`Event::Ready`] was seen.

use bytes::{Buf, Bytes, BytesMut};
use wire::{NodeKey, NodeSecret};

use super::{
    frame::{Frame, FrameError, GoneReason, HEADER_LEN},
    greeting::{self, GreetingError, RelayKey},
};

/// What happened on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The relay has taken us in.
    Ready,
    /// A packet from a peer.
    Received {
        /// From whom.
        from: NodeKey,
        /// The packet.
        packet: Bytes,
    },
    /// A peer is not, or no longer, connected to this relay.
    PeerGone {
        /// Who.
        peer: NodeKey,
        /// Why.
        reason: GoneReason,
    },
    /// The answer to [`ClientSession::ping`].
    Pong([u8; 8]),
    /// The relay says what is wrong with this connection; empty: nothing any more.
    Health(String),
    /// The relay is about to restart.
    Restarting {
        /// Wait so long before reconnecting.
        reconnect_in_ms: u32,
    },
    /// A sign of life.
    KeepAlive,
}

/// Why the connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// A frame that cannot be read.
    #[error("the relay sent something unreadable")]
    Frame(#[source] FrameError),
    /// The relay does not hold the key it claims.
    #[error("the relay's greeting was refused")]
    Greeting(#[source] GreetingError),
    /// A frame that does not belong into this state.
    #[error("the relay sent a frame out of order")]
    OutOfOrder,
}

#[derive(Debug)]
enum State {
    AwaitKey { nonce: [u8; 24] },
    AwaitInfo { relay: RelayKey },
    Ready,
}

/// The session; holds no socket.
#[derive(Debug)]
pub struct ClientSession {
    node: NodeSecret,
    state: State,
    output: Vec<u8>,
}

impl ClientSession {
    /// A session for the node with this key; `nonce` is random and used once.
    pub fn new(node: NodeSecret, nonce: [u8; 24]) -> Self {
        Self {
            node,
            state: State::AwaitKey { nonce },
            output: Vec::new(),
        }
    }

    /// True once packets may be sent.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// What is to be written; the caller clears what he has written.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Takes the next frame off the front of `input`. `None`: more bytes are
    /// needed. Call again until then: one input may hold many frames.
    pub fn handle_input(&mut self, input: &mut BytesMut) -> Result<Option<Event>, SessionError> {
        loop {
            let Some((frame, used)) = Frame::decode(input).map_err(SessionError::Frame)? else {
                return Ok(None);
            };
            if let Frame::RecvPacket { from, .. } = frame {
                let mut whole = input.split_to(used);
                whole.advance(HEADER_LEN + 32);
                return Ok(Some(Event::Received {
                    from,
                    packet: whole.freeze(),
                }));
            }
            let event = handle_frame(&mut self.state, &self.node, &mut self.output, &frame)?;
            input.advance(used);
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Queues a packet for `to`.
    pub fn send(&mut self, to: &NodeKey, packet: &[u8]) {
        Frame::SendPacket { to: *to, packet }.encode(&mut self.output);
    }

    /// Tells the relay whether it is our home.
    pub fn note_preferred(&mut self, home: bool) {
        Frame::NotePreferred(home).encode(&mut self.output);
    }

    /// Asks for [`Event::Pong`] with the same bytes.
    pub fn ping(&mut self, data: [u8; 8]) {
        Frame::Ping(data).encode(&mut self.output);
    }
}

fn handle_frame(
    state: &mut State,
    node: &NodeSecret,
    output: &mut Vec<u8>,
    frame: &Frame<'_>,
) -> Result<Option<Event>, SessionError> {
    match (&*state, frame) {
        (State::AwaitKey { nonce }, Frame::ServerKey(relay)) => {
            greeting::put_client_info(node, relay, *nonce, output)
                .map_err(SessionError::Greeting)?;
            *state = State::AwaitInfo { relay: *relay };
            Ok(None)
        }
        (State::AwaitInfo { relay }, Frame::ServerInfo { nonce, sealed }) => {
            greeting::open_server_info(node, relay, nonce, sealed)
                .map_err(SessionError::Greeting)?;
            *state = State::Ready;
            Ok(Some(Event::Ready))
        }
        (_, Frame::Unknown(_)) => Ok(None),
        (State::AwaitKey { .. } | State::AwaitInfo { .. }, _) => Err(SessionError::OutOfOrder),
        (State::Ready, _) => Ok(handle_ready(frame, output)),
    }
}

fn handle_ready(frame: &Frame<'_>, output: &mut Vec<u8>) -> Option<Event> {
    match frame {
        Frame::RecvPacket { from, packet } => Some(Event::Received {
            from: *from,
            packet: Bytes::copy_from_slice(packet),
        }),
        Frame::PeerGone { peer, reason } => Some(Event::PeerGone {
            peer: *peer,
            reason: *reason,
        }),
        Frame::Ping(data) => {
            Frame::Pong(*data).encode(output);
            None
        }
        Frame::Pong(data) => Some(Event::Pong(*data)),
        Frame::Health(text) => Some(Event::Health(String::from_utf8_lossy(text).into_owned())),
        Frame::Restarting {
            reconnect_in_ms, ..
        } => Some(Event::Restarting {
            reconnect_in_ms: *reconnect_in_ms,
        }),
        Frame::KeepAlive => Some(Event::KeepAlive),
        Frame::ServerKey(_)
        | Frame::ClientInfo { .. }
        | Frame::ServerInfo { .. }
        | Frame::SendPacket { .. }
        | Frame::NotePreferred(_)
        | Frame::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::greeting::{RelaySecret, open_client_info, put_server_info};

    fn greeted() -> (ClientSession, NodeKey) {
        let relay = RelaySecret::from_bytes([5; 32]);
        let node = NodeSecret::from_bytes([6; 32]);
        let key = node.public();
        let mut session = ClientSession::new(node, [1; 24]);
        let mut line = Vec::new();
        Frame::ServerKey(relay.public()).encode(&mut line);
        assert_eq!(session.handle_input(&mut line.as_slice().into()), Ok(None));

        let sent = std::mem::take(session.output());
        let Ok(Some((
            Frame::ClientInfo {
                key: claimed,
                nonce,
                sealed,
            },
            _,
        ))) = Frame::decode(&sent)
        else {
            panic!("no client info");
        };
        let hello = open_client_info(&relay, claimed, &nonce, sealed).unwrap();
        assert_eq!(hello.key, key);
        assert!(hello.info.can_ack_pings);

        let mut line = Vec::new();
        put_server_info(&relay, &key, [2; 24], &mut line).unwrap();
        assert_eq!(
            session.handle_input(&mut line.as_slice().into()),
            Ok(Some(Event::Ready))
        );
        (session, key)
    }

    #[test]
    fn packets_arrive_after_the_greeting_even_byte_by_byte() {
        let (mut session, _) = greeted();
        let from = NodeKey::from_bytes([9; 32]);
        let mut line = Vec::new();
        Frame::RecvPacket {
            from,
            packet: b"hello",
        }
        .encode(&mut line);
        Frame::KeepAlive.encode(&mut line);
        let (mut input, mut events) = (BytesMut::new(), Vec::new());
        for byte in line {
            input.extend_from_slice(&[byte]);
            while let Some(event) = session.handle_input(&mut input).unwrap() {
                events.push(event);
            }
        }
        let packet = Bytes::from_static(b"hello");
        assert_eq!(events, [Event::Received { from, packet }, Event::KeepAlive]);
    }

    #[test]
    fn pings_are_answered() {
        let (mut session, _) = greeted();
        let mut line = Vec::new();
        Frame::Ping([7; 8]).encode(&mut line);
        assert_eq!(session.handle_input(&mut line.as_slice().into()), Ok(None));
        assert_eq!(
            Frame::decode(session.output()).unwrap().unwrap().0,
            Frame::Pong([7; 8])
        );
    }

    #[test]
    fn a_relay_without_its_key_is_refused() {
        let node = NodeSecret::from_bytes([6; 32]);
        let key = node.public();
        let mut session = ClientSession::new(node, [1; 24]);
        let mut line = Vec::new();
        Frame::ServerKey(RelaySecret::from_bytes([5; 32]).public()).encode(&mut line);
        put_server_info(&RelaySecret::from_bytes([8; 32]), &key, [2; 24], &mut line).unwrap();
        assert_eq!(
            session.handle_input(&mut line.as_slice().into()),
            Err(SessionError::Greeting(GreetingError::Authentication))
        );
    }

    #[test]
    fn a_forged_client_is_refused() {
        let relay = RelaySecret::from_bytes([5; 32]);
        let mut line = Vec::new();
        let mallory = NodeSecret::from_bytes([7; 32]);
        greeting::put_client_info(&mallory, &relay.public(), [1; 24], &mut line).unwrap();
        let Ok(Some((Frame::ClientInfo { nonce, sealed, .. }, _))) = Frame::decode(&line) else {
            panic!("no client info");
        };
        let victim = NodeSecret::from_bytes([6; 32]).public();
        assert_eq!(
            open_client_info(&relay, victim, &nonce, sealed),
            Err(GreetingError::Authentication)
        );
    }
}
