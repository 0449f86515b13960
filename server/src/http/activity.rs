//! Whether a connection has anything left to do.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::{sync::Notify, time::timeout};

/// Counts the requests of one connection that are not answered to the last byte.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<State>);

#[derive(Debug, Default)]
struct State {
    open: AtomicUsize,
    changed: Notify,
}

impl Activity {
    /// A request begins.
    pub fn begin(&self) -> Busy {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        self.0.changed.notify_one();
        Busy(Arc::clone(&self.0))
    }

    /// Returns when nothing was open for `limit`.
    pub async fn idle_for(&self, limit: Duration) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.open.load(Ordering::Acquire) > 0 {
                changed.await;
            } else if timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }
}

/// One open request; it ends when dropped.
#[derive(Debug)]
pub struct Busy(Arc<State>);

impl Busy {
    /// Keeps the request open until `body` is sent.
    pub fn until_sent<B>(self, body: B) -> Held<B> {
        Held { body, _busy: self }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_one();
    }
}

/// A body that keeps its connection busy until it is sent.
#[derive(Debug)]
pub struct Held<B> {
    body: B,
    _busy: Busy,
}

impl<B: Body + Unpin> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
