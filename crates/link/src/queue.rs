//! A bounded queue that keeps path discovery apart from data and drops the oldest first.
//!
//! A relay that buffers turns loss into delay, so data is bounded in bytes: they, not packets,
//! are what a slow line takes time for. One that lets data push discovery out keeps peers from
//! ever leaving the relay.

use std::collections::VecDeque;

/// What a queued item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Path discovery: small, and what ends the need for the relay.
    Disco,
    /// Everything else.
    Data,
}

/// How much may wait in each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Items.
    pub items: usize,
    /// Bytes.
    pub bytes: usize,
}

/// The queue; `push` never fails, it drops.
#[derive(Debug)]
pub struct Queue<T> {
    disco: Lane<T>,
    data: Lane<T>,
    limit: Limit,
    dropped: u64,
}

#[derive(Debug)]
struct Lane<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Lane<T> {
    const fn new() -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
        }
    }

    fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.items.pop_front()?;
        self.bytes -= bytes;
        Some(item)
    }

    /// More than one item, and too much of them: the newest always has a place.
    fn is_over(&self, limit: Limit) -> bool {
        self.items.len() > 1 && (self.items.len() > limit.items || self.bytes > limit.bytes)
    }
}

impl<T> Queue<T> {
    /// A queue that holds at most so much of each class.
    pub const fn new(limit: Limit) -> Self {
        Self {
            disco: Lane::new(),
            data: Lane::new(),
            limit,
            dropped: 0,
        }
    }

    /// Adds an item of so many bytes; gives back the oldest of its class, as many as there is
    /// no room for.
    pub fn push(&mut self, class: Class, bytes: usize, item: T) -> Vec<T> {
        let lane = match class {
            Class::Disco => &mut self.disco,
            Class::Data => &mut self.data,
        };
        lane.items.push_back((item, bytes));
        lane.bytes += bytes;
        let mut dropped = Vec::new();
        while lane.is_over(self.limit) {
            dropped.extend(lane.pop());
            self.dropped += 1;
        }
        dropped
    }

    /// The next item: discovery first, else the oldest.
    pub fn pop(&mut self) -> Option<T> {
        self.disco.pop().or_else(|| self.data.pop())
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.disco.items.len() + self.data.items.len()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items were dropped so far.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(queue: &mut Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn the_oldest_data_is_dropped_and_discovery_is_kept() {
        let mut queue = Queue::new(Limit {
            items: 2,
            bytes: 100,
        });
        assert!(queue.push(Class::Disco, 1, 100).is_empty());
        for i in 0..5 {
            queue.push(Class::Data, 1, i);
        }
        assert_eq!((queue.len(), queue.dropped()), (3, 3));
        assert_eq!(rest(&mut queue), [100, 3, 4]);
        assert!(queue.is_empty());
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_item_is_kept() {
        let mut queue = Queue::new(Limit {
            items: 100,
            bytes: 10,
        });
        for i in 0..5 {
            assert!(queue.push(Class::Data, 2, i).is_empty());
        }
        assert_eq!(queue.push(Class::Data, 3, 5), [0, 1]);
        assert_eq!(queue.push(Class::Data, 11, 6), [2, 3, 4, 5]);
        assert_eq!(rest(&mut queue), [6]);
        // What was popped makes room.
        assert!(queue.push(Class::Data, 10, 7).is_empty());
    }
}
