//! A stream that gives up on peers who do nothing.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::gate::Pass;

/// A connection's stream: it ends when the first byte does not come in time, or
/// when the peer takes nothing for too long, and it holds the connection's
/// place at the gate, also after an upgrade.
#[derive(Debug)]
pub struct Guarded<S> {
    stream: S,
    first_byte: Option<Pin<Box<Sleep>>>,
    stall: Stall,
    _pass: Pass,
}

#[derive(Debug)]
struct Stall {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<S> Guarded<S> {
    /// Watches `stream`; the first byte is awaited from now on.
    pub fn new(stream: S, first_byte: Duration, write_stall: Duration, pass: Pass) -> Self {
        Self {
            stream,
            first_byte: Some(Box::pin(sleep(first_byte))),
            stall: Stall {
                limit: write_stall,
                timer: None,
                waiting: false,
            },
            _pass: pass,
        }
    }
}

impl Stall {
    fn check<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = false;
            return polled;
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Some(timer) = self.first_byte.as_mut() else {
            return polled;
        };
        if polled.is_ready() {
            self.first_byte = None;
            return polled;
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.stall.check(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.stall.check(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.stall.check(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.stall.check(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::http::gate::{Caps, Gate};

    fn pass() -> Pass {
        Gate::new(Caps {
            total: 1,
            per_network: 1,
            trusted: Vec::new(),
        })
        .enter([127, 0, 0, 1].into())
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_dropped() {
        let (near, _far) = duplex(64);
        let second = Duration::from_secs(1);
        let mut guarded = Guarded::new(near, second, second, pass());
        let error = guarded.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_dropped() {
        let (near, _far) = duplex(8);
        let second = Duration::from_secs(1);
        let mut guarded = Guarded::new(near, second, second, pass());
        let error = guarded.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_has_spoken_may_be_silent() {
        let (near, mut far) = duplex(8);
        let second = Duration::from_secs(1);
        let mut guarded = Guarded::new(near, second, second, pass());
        far.write_u8(1).await.unwrap();
        assert_eq!(guarded.read_u8().await.unwrap(), 1);
        let longer = tokio::time::timeout(second * 60, guarded.read_u8()).await;
        assert!(longer.is_err());
    }
}
