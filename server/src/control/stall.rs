//! Notices streams whose reader takes nothing.
//!
//! HTTP/2 holds one frame that the reader has no room for and asks the body for
//! a second one, but not for a third: a stream that has given a frame and is
//! not asked again stands still. So a reader that takes nothing is noticed half
//! a minute after his second frame, which is a keepalive at the latest. (One
//! that lets TCP itself fill up is noticed by the connection's own stream.)

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, interval};

/// How long a reader may take nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// The open streams of one connection.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    streams: Mutex<Vec<Weak<Given>>>,
}

/// Milliseconds from the start to the last frame that was given and has not
/// left yet; 0: none.
type Given = AtomicU64;

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            streams: Mutex::default(),
        }
    }

    /// Watches a stream.
    pub(super) fn over<B>(self: &Arc<Self>, body: B) -> Watched<B> {
        let given = Arc::new(Given::default());
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|s| s.strong_count() > 0);
        streams.push(Arc::downgrade(&given));
        Watched {
            body,
            given,
            start: self.start,
        }
    }

    /// Returns when one of the streams stands still.
    pub(super) async fn stalled(&self) {
        let mut tick = interval(PATIENCE / 6);
        loop {
            tick.tick().await;
            if self.any_stalled() {
                return;
            }
        }
    }

    fn any_stalled(&self) -> bool {
        let now = millis(self.start);
        let limit = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.iter().filter_map(Weak::upgrade).any(|given| {
            let at = given.load(Ordering::Relaxed);
            at != 0 && now.saturating_sub(at) >= limit
        })
    }
}

/// Never 0.
fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).map_or(u64::MAX, |ms| ms + 1)
}

/// A stream that is watched.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    given: Arc<Given>,
    start: Instant,
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
        self.given.store(0, Ordering::Relaxed);
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(_)) = polled {
            self.given.store(millis(self.start), Ordering::Relaxed);
        }
        polled
    }
}
