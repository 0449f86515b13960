//! The encrypted records of a control connection as a byte stream.
//!
//! What is written waits until the flush, so that records are as full as they
//! can be; an idle connection keeps no buffers.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use link::noise::{
    Transport,
    record::{MAX_PLAINTEXT, MAX_RECORD},
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

/// The most plaintext that waits for a flush.
const STAGE: usize = 16 * MAX_PLAINTEXT;

/// A byte stream inside records over `S`.
#[derive(Debug)]
pub(super) struct Records<S> {
    stream: S,
    transport: Transport,
    arrived: BytesMut,
    opened: BytesMut,
    staged: Vec<u8>,
    sealed: Vec<u8>,
    sent: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Records<S> {
    pub(super) fn new(stream: S, transport: Transport) -> Self {
        Self {
            stream,
            transport,
            arrived: BytesMut::new(),
            opened: BytesMut::new(),
            staged: Vec::new(),
            sealed: Vec::new(),
            sent: 0,
        }
    }

    /// Waits until the other side has said something.
    pub(super) async fn first_words(&mut self) -> io::Result<()> {
        while self.opened.is_empty() {
            if self.stream.read_buf(&mut self.arrived).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.open()?;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        self.transport
            .opener
            .open(&mut self.arrived, &mut self.opened)
            .map_err(|e| io::Error::new(ErrorKind::InvalidData, e))
    }

    /// Seals what is staged and sends everything.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let rest = self.sealed.get(self.sent..).unwrap_or_default();
            if !rest.is_empty() {
                let n = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
                if n == 0 {
                    return Poll::Ready(Err(ErrorKind::WriteZero.into()));
                }
                self.sent += n;
                continue;
            }
            self.sealed.clear();
            self.sent = 0;
            if self.staged.is_empty() {
                self.sealed = Vec::new();
                return Poll::Ready(Ok(()));
            }
            let staged = std::mem::take(&mut self.staged);
            self.transport
                .sealer
                .seal(&staged, &mut self.sealed)
                .map_err(io::Error::other)?;
        }
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.staged.len() >= STAGE {
            ready!(self.poll_drain(cx))?;
        }
        Poll::Ready(Ok(STAGE - self.staged.len()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Records<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.opened.is_empty() {
            this.arrived.reserve(MAX_RECORD);
            let read = poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.arrived);
            if ready!(read)? == 0 {
                return Poll::Ready(if this.arrived.is_empty() {
                    Ok(())
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                });
            }
            this.open()?;
        }
        let n = this.opened.len().min(buf.remaining());
        buf.put_slice(this.opened.get(..n).unwrap_or_default());
        this.opened.advance(n);
        if this.opened.is_empty() {
            this.opened = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.as_mut().poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut room = ready!(self.poll_room(cx))?;
        let mut taken = 0;
        for buf in bufs {
            let n = buf.len().min(room);
            self.staged
                .extend_from_slice(buf.get(..n).unwrap_or_default());
            room -= n;
            taken += n;
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use link::noise::{Initiator, accept};
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use wire::{CapabilityVersion, MachineSecret};

    use super::*;

    fn pair(room: usize) -> (Records<DuplexStream>, Records<DuplexStream>) {
        let (near, far) = duplex(room);
        let (client, server) = (
            MachineSecret::from_bytes([1; 32]),
            MachineSecret::from_bytes([2; 32]),
        );
        let mut rng = crate::rng::system();
        let version = CapabilityVersion::MINIMUM;
        let (initiator, message) =
            Initiator::start(version, &client, &server.public(), &mut rng).unwrap();
        let accepted = accept(&server, &message, &mut rng).unwrap();
        let transport = initiator.finish(&accepted.response).unwrap();
        (
            Records::new(near, transport),
            Records::new(far, accepted.transport),
        )
    }

    #[tokio::test]
    async fn everything_arrives_through_a_narrow_line() {
        let (mut near, mut far) = pair(100);
        let text: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let sent = text.clone();
        let send = async move {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
        };
        let mut got = Vec::new();
        let (read, ()) = tokio::join!(far.read_to_end(&mut got), send);
        read.unwrap();
        assert_eq!(got, text);
    }

    #[tokio::test]
    async fn small_writes_share_a_record() {
        let (mut near, far) = pair(1 << 20);
        for _ in 0..100 {
            near.write_all(&[7; 10]).await.unwrap();
        }
        near.flush().await.unwrap();
        drop(near);
        let mut raw = Vec::new();
        let mut line = far.stream;
        line.read_to_end(&mut raw).await.unwrap();
        assert_eq!(raw.len(), 3 + 1000 + 16);
    }

    #[tokio::test]
    async fn a_cut_record_is_an_error_and_a_clean_end_is_none() {
        let (mut near, mut far) = pair(1 << 20);
        near.write_all(b"words").await.unwrap();
        near.flush().await.unwrap();
        near.stream.write_all(&[4, 0]).await.unwrap();
        drop(near);
        let mut got = Vec::new();
        let end = far.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(got, b"words");
    }
}
