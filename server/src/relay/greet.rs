//! The first three frames: a client proves its node key.

use bytes::{Buf as _, BytesMut};
use link::relay::{
    ClientHello, Frame,
    frame::FrameError,
    greeting::{GreetingError, open_client_info, put_server_info},
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wire::NodeKey;

use super::Relay;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum GreetError {
    #[error("the connection broke")]
    Io(#[source] std::io::Error),
    #[error("the client sent something unreadable")]
    Frame(#[source] FrameError),
    #[error("the client's first frame is not its key")]
    OutOfOrder,
    #[error("the client does not hold the key it claims")]
    Proof(#[source] GreetingError),
}

/// Sends the relay's key and reads the client's; what it sent after that stays in `input`.
pub(super) async fn hello<S>(
    relay: &Relay,
    stream: &mut S,
    input: &mut BytesMut,
) -> Result<ClientHello, GreetError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut out = Vec::new();
    Frame::ServerKey(relay.secret.public()).encode(&mut out);
    write(stream, &out).await?;
    loop {
        if let Some((frame, len)) = Frame::decode(input).map_err(GreetError::Frame)? {
            let Frame::ClientInfo { key, nonce, sealed } = frame else {
                return Err(GreetError::OutOfOrder);
            };
            let hello =
                open_client_info(&relay.secret, key, &nonce, sealed).map_err(GreetError::Proof)?;
            input.advance(len);
            return Ok(hello);
        }
        if stream.read_buf(input).await.map_err(GreetError::Io)? == 0 {
            return Err(GreetError::Io(std::io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// Tells an admitted client that it is connected.
pub(super) async fn welcome<S>(
    relay: &Relay,
    key: &NodeKey,
    stream: &mut S,
) -> Result<(), GreetError>
where
    S: AsyncWrite + Unpin,
{
    let mut out = Vec::new();
    put_server_info(&relay.secret, key, relay.nonce(), &mut out).map_err(GreetError::Proof)?;
    write(stream, &out).await
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), GreetError> {
    stream.write_all(bytes).await.map_err(GreetError::Io)?;
    stream.flush().await.map_err(GreetError::Io)
}
