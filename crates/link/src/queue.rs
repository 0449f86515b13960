//! A bounded queue that keeps path discovery apart from data and drops the oldest first.
//!
//! A relay that buffers turns loss into delay; one that lets data push
//! discovery out keeps peers from ever leaving the relay.

use std::collections::VecDeque;

/// What a queued item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Path discovery: small, and what ends the need for the relay.
    Disco,
    /// Everything else.
    Data,
}

/// The queue; `push` never fails, it drops.
#[derive(Debug)]
pub struct Queue<T> {
    disco: VecDeque<T>,
    data: VecDeque<T>,
    limit: usize,
    dropped: u64,
}

impl<T> Queue<T> {
    /// A queue of at most `limit` items of each class.
    pub fn new(limit: usize) -> Self {
        Self {
            disco: VecDeque::new(),
            data: VecDeque::new(),
            limit,
            dropped: 0,
        }
    }

    /// Adds an item; gives back the oldest of its class when there is no room.
    pub fn push(&mut self, class: Class, item: T) -> Option<T> {
        let queue = match class {
            Class::Disco => &mut self.disco,
            Class::Data => &mut self.data,
        };
        queue.push_back(item);
        if queue.len() <= self.limit {
            return None;
        }
        self.dropped += 1;
        queue.pop_front()
    }

    /// The next item: discovery first, else the oldest.
    pub fn pop(&mut self) -> Option<T> {
        self.disco.pop_front().or_else(|| self.data.pop_front())
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.disco.len() + self.data.len()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.disco.is_empty() && self.data.is_empty()
    }

    /// How many items were dropped so far.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_data_is_dropped_and_discovery_is_kept() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.push(Class::Disco, 100), None);
        for i in 0..5 {
            queue.push(Class::Data, i);
        }
        assert_eq!((queue.len(), queue.dropped()), (3, 3));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [100, 3, 4]);
        assert!(queue.is_empty());
    }
}
