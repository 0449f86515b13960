//! Trains on their way to relay connections: few bytes at a time, or they only get old.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::sync::mpsc;
use wire::{NodeKey, relay_map::RegionId};

use super::{RelaySend, budget};

/// The sending side.
#[derive(Debug)]
pub(super) struct RelayQueue {
    queue: mpsc::Sender<RelaySend>,
    waiting: Arc<AtomicUsize>,
}

/// A train's bytes, counted as waiting until the relay connection lets go of them.
struct Waiting {
    bytes: Box<[u8]>,
    waiting: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl RelayQueue {
    pub(super) fn new(queue: mpsc::Sender<RelaySend>) -> Self {
        Self {
            queue,
            waiting: Arc::default(),
        }
    }

    /// Copies a train into the queue; false when it was dropped.
    pub(super) fn push(
        &self,
        region: RegionId,
        to: NodeKey,
        segment_size: usize,
        train: &[u8],
    ) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let is_long = train.len() > budget::SHORT_TRAIN;
        if is_long && waiting + train.len() > budget::QUEUED_RELAY_BYTES {
            return false;
        }
        let Ok(place) = self.queue.try_reserve() else {
            return false;
        };
        self.waiting.fetch_add(train.len(), Ordering::Relaxed);
        let bytes = Bytes::from_owner(Waiting {
            bytes: train.into(),
            waiting: Arc::clone(&self.waiting),
        });
        place.send(RelaySend {
            region,
            to,
            segment_size,
            bytes,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: RegionId = RegionId(900);

    fn push(queue: &RelayQueue, len: usize) -> bool {
        queue.push(REGION, NodeKey::from_bytes([1; 32]), 1312, &vec![7; len])
    }

    #[test]
    fn long_trains_are_dropped_while_too_many_bytes_wait_and_short_ones_pass() {
        let (sender, mut receiver) = mpsc::channel(budget::QUEUED_TRAINS);
        let queue = RelayQueue::new(sender);
        let mut taken = 0;
        while push(&queue, 60_000) {
            taken += 1;
        }
        assert_eq!(taken, budget::QUEUED_RELAY_BYTES / 60_000);
        assert!(push(&queue, 100));
        let first = receiver.try_recv().unwrap();
        assert_eq!(first.bytes.len(), 60_000);
        let part = first.bytes.slice(..10);
        drop(first);
        assert!(!push(&queue, 60_000), "a part is still held");
        drop(part);
        assert!(push(&queue, 60_000));
    }

    #[test]
    fn a_full_or_closed_queue_drops() {
        let (sender, receiver) = mpsc::channel(1);
        let queue = RelayQueue::new(sender);
        assert!(push(&queue, 10));
        assert!(!push(&queue, 10));
        drop(receiver);
        assert!(!push(&queue, 10));
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }
}
