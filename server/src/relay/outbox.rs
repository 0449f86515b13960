//! What waits to be written to one session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use link::queue::{Class, Limit, Queue};
use tokio::sync::Notify;

/// What waits for a slow reader, of trains and apart from them of discovery packets; the oldest
/// are dropped first. More bytes would not make a transfer faster, only every other packet later.
const LIMIT: Limit = Limit {
    items: 256,
    bytes: 192 * 1024,
};

/// Frames that stay together.
#[derive(Debug)]
pub(super) struct Train {
    pub(super) frames: Bytes,
    pub(super) packets: u32,
}

/// The queue and the bell of one session.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue<Train>,
    closed: bool,
}

/// The session is to end.
#[derive(Debug)]
pub(super) struct Closed;

impl Default for Outbox {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                queue: Queue::new(LIMIT),
                closed: false,
            }),
            bell: Notify::new(),
        }
    }
}

impl Outbox {
    /// Queues a train; tells how many packets were dropped for it.
    pub(super) fn push(&self, class: Class, train: Train) -> u32 {
        let dropped = self.lock().queue.push(class, train.frames.len(), train);
        self.bell.notify_one();
        dropped.iter().map(|train| train.packets).sum()
    }

    /// Queues a frame of the relay's own.
    pub(super) fn push_frame(&self, frame: &link::relay::Frame<'_>) {
        let mut frames = Vec::new();
        frame.encode(&mut frames);
        let train = Train {
            frames: frames.into(),
            packets: 0,
        };
        self.push(Class::Disco, train);
    }

    /// Waits until something may have been queued, or the outbox was closed.
    pub(super) async fn wait(&self) {
        self.bell.notified().await;
    }

    /// Moves what waits into `out` until it holds `limit` bytes or more.
    pub(super) fn take(&self, out: &mut Vec<u8>, limit: usize) -> Result<(), Closed> {
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        while out.len() < limit
            && let Some(train) = state.queue.pop()
        {
            out.extend_from_slice(&train.frames);
        }
        Ok(())
    }

    /// Ends the session.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
