//! The encrypted byte stream between agent and server, over any other.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use link::noise::{HandshakeError, Initiator, Opener, Sealer, Transport};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// What precedes an early payload: five bytes that no HTTP/2 frame starts with.
const EARLY_MAGIC: [u8; 5] = [0xff, 0xff, 0xff, b'T', b'S'];
const EARLY_HEADER: usize = EARLY_MAGIC.len() + 4;
/// The longest early payload that is read (and ignored).
const MAX_EARLY: usize = 1024 * 1024;
/// Plaintext that is sealed in one go.
const MAX_WRITE: usize = 64 * 1024;
/// Room for what one read of the underlying stream gives.
const READ: usize = 64 * 1024;

/// The stream.
pub struct NoiseStream<S> {
    inner: S,
    opener: Opener,
    sealer: Sealer,
    /// Records as they arrived.
    sealed: BytesMut,
    /// What they held.
    plain: BytesMut,
    early: Early,
    /// Records still to be written.
    out: BytesMut,
}

/// An early payload comes before everything else, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Early {
    Unknown,
    /// So many bytes of it are still to come.
    Skip(usize),
    Past,
}

impl<S> std::fmt::Debug for NoiseStream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoiseStream").finish_non_exhaustive()
    }
}

/// Reads the server's answer to `initiator`'s message, and goes on from there.
pub async fn finish<S: AsyncRead + Unpin>(
    initiator: Initiator,
    mut inner: S,
) -> io::Result<Result<NoiseStream<S>, HandshakeError>> {
    let mut sealed = BytesMut::with_capacity(READ);
    let len = loop {
        if let Some(len) = Initiator::response_len(&sealed)
            && sealed.len() >= len
        {
            break len;
        }
        if inner.read_buf(&mut sealed).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let response = sealed.split_to(len);
    Ok(initiator
        .finish(&response)
        .map(|transport| NoiseStream::new(inner, transport, sealed)))
}

impl<S> NoiseStream<S> {
    /// A stream over `inner`, of which `sealed` has been read already.
    pub fn new(inner: S, transport: Transport, sealed: BytesMut) -> Self {
        Self {
            inner,
            opener: transport.opener,
            sealer: transport.sealer,
            sealed,
            plain: BytesMut::new(),
            early: Early::Unknown,
            out: BytesMut::new(),
        }
    }

    /// Opens what has arrived; true when there is something to read.
    fn open(&mut self) -> io::Result<bool> {
        self.opener
            .open(&mut self.sealed, &mut self.plain)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        self.skip_early()?;
        Ok(self.early == Early::Past && !self.plain.is_empty())
    }

    fn skip_early(&mut self) -> io::Result<()> {
        if self.early == Early::Unknown {
            let known = self.plain.len().min(EARLY_MAGIC.len());
            if self.plain[..known] != EARLY_MAGIC[..known] {
                self.early = Early::Past;
            } else if self.plain.len() >= EARLY_HEADER {
                self.plain.advance(EARLY_MAGIC.len());
                let len = usize::try_from(self.plain.get_u32()).unwrap_or(usize::MAX);
                if len > MAX_EARLY {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the server's early payload is too long",
                    ));
                }
                self.early = Early::Skip(len);
            }
        }
        if let Early::Skip(left) = self.early {
            let now = left.min(self.plain.len());
            self.plain.advance(now);
            self.early = match left - now {
                0 => Early::Past,
                left => Early::Skip(left),
            };
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for NoiseStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.open()? {
            this.sealed.reserve(READ);
            let read = std::pin::pin!(this.inner.read_buf(&mut this.sealed));
            if ready!(read.poll(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let now = this.plain.len().min(buf.remaining());
        buf.put_slice(&this.plain.split_to(now));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> NoiseStream<S> {
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let n = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.out))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NoiseStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_out(cx))?;
        let now = &buf[..buf.len().min(MAX_WRITE)];
        let mut records = Vec::with_capacity(now.len() + now.len() / 64 + 64);
        this.sealer
            .seal(now, &mut records)
            .map_err(io::Error::other)?;
        this.out.extend_from_slice(&records);
        let accepted = now.len();
        // What does not go out now goes with the next write or flush.
        match this.poll_out(cx) {
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(accepted)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use link::noise::{INITIATION_LEN, accept};
    use rand::{RngCore as _, rngs::OsRng};
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use wire::{CapabilityVersion, MachineSecret};

    use super::*;

    fn secret() -> MachineSecret {
        let mut bytes = [0; 32];
        OsRng.fill_bytes(&mut bytes);
        MachineSecret::from_bytes(bytes)
    }

    /// A client stream, and the server's end with its transport.
    async fn connected(first: &[u8]) -> (NoiseStream<DuplexStream>, DuplexStream, Transport) {
        let (client, mut server) = duplex(300);
        let (server_key, machine) = (secret(), secret());
        let version = CapabilityVersion::AGENT;
        let (initiator, initiation) =
            Initiator::start(version, &machine, &server_key.public(), &mut OsRng).unwrap();
        assert_eq!(initiation.len(), INITIATION_LEN);
        let accepted = accept(&server_key, &initiation, &mut OsRng).unwrap();
        let mut transport = accepted.transport;
        let mut out = accepted.response.to_vec();
        transport.sealer.seal(first, &mut out).unwrap();
        let write = async {
            server.write_all(&out).await.unwrap();
            server
        };
        let (stream, server) = tokio::join!(finish(initiator, client), write);
        (stream.unwrap().unwrap(), server, transport)
    }

    async fn read(stream: &mut NoiseStream<DuplexStream>, len: usize) -> Vec<u8> {
        let mut got = vec![0; len];
        stream.read_exact(&mut got).await.unwrap();
        got
    }

    #[tokio::test]
    async fn an_early_payload_is_passed_over() {
        let mut first = EARLY_MAGIC.to_vec();
        first.extend_from_slice(&[0, 0, 0, 2]);
        first.extend_from_slice(b"{}then this");
        let (mut stream, _server, _) = connected(&first).await;
        assert_eq!(read(&mut stream, 9).await, b"then this");
    }

    #[tokio::test]
    async fn nothing_is_lost_without_an_early_payload() {
        let (mut stream, _server, _) = connected(&[0xff, 0xff, 0, 1]).await;
        assert_eq!(read(&mut stream, 4).await, [0xff, 0xff, 0, 1]);
    }

    #[tokio::test]
    async fn long_messages_pass_both_ways_through_a_narrow_pipe() {
        let (mut stream, mut server, mut transport) = connected(b"x").await;
        assert_eq!(read(&mut stream, 1).await, b"x");
        let text: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[0]).collect();
        let echo = async {
            let (mut sealed, mut plain) = (BytesMut::new(), BytesMut::new());
            while plain.len() < text.len() {
                server.read_buf(&mut sealed).await.unwrap();
                transport.opener.open(&mut sealed, &mut plain).unwrap();
            }
            let mut out = Vec::new();
            transport.sealer.seal(&plain, &mut out).unwrap();
            server.write_all(&out).await.unwrap();
        };
        let client = async {
            stream.write_all(&text).await.unwrap();
            stream.flush().await.unwrap();
            read(&mut stream, text.len()).await
        };
        let (got, ()) = tokio::join!(client, echo);
        assert_eq!(got, text);
    }

    #[tokio::test]
    async fn a_changed_record_is_an_error() {
        let (mut stream, mut server, mut transport) = connected(b"").await;
        let mut out = Vec::new();
        transport.sealer.seal(b"hello", &mut out).unwrap();
        *out.last_mut().unwrap() ^= 1;
        server.write_all(&out).await.unwrap();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
