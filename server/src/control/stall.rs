//! Notices readers that take nothing.
//!
//! An answer is given to the connection in chunks, and each chunk is watched
//! until its memory is let go: that is when its last byte has left. So it does
//! not matter where it waits, for HTTP/2's credit or for room in the socket.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, interval};

/// How long a reader may take nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a reader must take within that time: a large netmap over a slow line is
/// no standstill.
const CHUNK: usize = 16 * 1024;

/// The answers of one connection.
#[derive(Debug, Default)]
pub(super) struct Watch {
    answers: Mutex<VecDeque<Weak<Gauge>>>,
}

impl Watch {
    /// Watches an answer.
    pub(super) fn over<B>(&self, body: B) -> Watched<B> {
        let gauge = Arc::new(Gauge::default());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|a| a.strong_count() > 0);
        answers.push_back(Arc::downgrade(&gauge));
        Watched {
            body,
            rest: Bytes::new(),
            gauge,
        }
    }

    /// Returns when one of the answers stands still.
    pub(super) async fn stalled(&self) {
        let mut tick = interval(PATIENCE / 15);
        loop {
            let now = tick.tick().await;
            let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let mut open = answers.iter().filter_map(Weak::upgrade);
            if open.any(|gauge| gauge.stands_still(now)) {
                return;
            }
        }
    }
}

/// How many chunks of an answer have not left, and since when nothing moved.
#[derive(Debug, Default)]
struct Gauge(Mutex<(usize, Option<Instant>)>);

impl Gauge {
    fn lock(&self) -> MutexGuard<'_, (usize, Option<Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given(&self) {
        let mut gauge = self.lock();
        if gauge.0 == 0 {
            gauge.1 = Some(Instant::now());
        }
        gauge.0 += 1;
    }

    fn left(&self) {
        let mut gauge = self.lock();
        *gauge = (gauge.0.saturating_sub(1), Some(Instant::now()));
    }

    fn stands_still(&self, now: Instant) -> bool {
        let (chunks, since) = *self.lock();
        chunks > 0 && since.is_some_and(|at| now.saturating_duration_since(at) >= PATIENCE)
    }
}

/// Bytes on their way.
struct Chunk {
    bytes: Bytes,
    gauge: Arc<Gauge>,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.gauge.left();
    }
}

/// An answer that is watched.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    /// What the connection has not asked for yet.
    rest: Bytes,
    gauge: Arc<Gauge>,
}

impl<B> Watched<B> {
    fn next_chunk(&mut self) -> Frame<Bytes> {
        let chunk = Chunk {
            bytes: self.rest.split_to(self.rest.len().min(CHUNK)),
            gauge: Arc::clone(&self.gauge),
        };
        self.gauge.given();
        Frame::data(Bytes::from_owner(chunk))
    }
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes, Error = Infallible> + Unpin,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => self.rest = data,
                    Ok(nothing) => return Poll::Ready(Some(Ok(Frame::data(nothing)))),
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended @ (Poll::Ready(_) | Poll::Pending) => return ended,
            }
        }
        Poll::Ready(Some(Ok(self.next_chunk())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut all, held) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = all.upper() {
            all.set_upper(upper + held);
        }
        all.set_lower(all.lower() + held);
        all
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use tokio::time::{advance, pause, timeout};

    use super::*;

    async fn stands_still(watch: &Watch) -> bool {
        timeout(Duration::from_secs(3), watch.stalled())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn an_answer_stands_still_when_none_of_its_chunks_leaves() {
        pause();
        let almost = Duration::from_secs(25);
        let watch = Watch::default();
        let mut body = watch.over(Full::new(Bytes::from(vec![7; 5 * CHUNK / 2])));
        assert_eq!(body.size_hint().exact(), Some(5 * CHUNK as u64 / 2));
        let mut held = Vec::new();
        while let Some(frame) = body.frame().await {
            held.push(frame.unwrap().into_data().unwrap());
        }
        let sizes: Vec<_> = held.iter().map(Bytes::len).collect();
        assert_eq!(sizes, [CHUNK, CHUNK, CHUNK / 2]);
        advance(almost).await;
        assert!(!stands_still(&watch).await);
        // Each that leaves gives the others time.
        held.pop();
        advance(almost).await;
        assert!(!stands_still(&watch).await);
        advance(Duration::from_secs(5)).await;
        assert!(stands_still(&watch).await);
        held.clear();
        advance(PATIENCE).await;
        assert!(!stands_still(&watch).await);
    }
}
