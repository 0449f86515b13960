//! Notices on their way to the rest of the agent, which may be slow.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{self, error::TrySendError};

use super::Notice;

/// How often a full queue is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// Keeps what the queue has no room for, in order. News that a later status
/// tells anyway is dropped instead.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::Sender<Notice>,
    waiting: VecDeque<Notice>,
    retry_at: Option<Instant>,
}

impl Outbox {
    pub(super) const fn new(queue: mpsc::Sender<Notice>) -> Self {
        Self {
            queue,
            waiting: VecDeque::new(),
            retry_at: None,
        }
    }

    pub(super) fn push(&mut self, notice: Notice, now: Instant) {
        if !self.waiting.is_empty() {
            self.keep(notice, now);
            return;
        }
        if let Err(TrySendError::Full(notice)) = self.queue.try_send(notice) {
            self.keep(notice, now);
        }
    }

    fn keep(&mut self, notice: Notice, now: Instant) {
        // Only the newest of these says anything.
        self.waiting.retain(|old| match (old, &notice) {
            (Notice::Endpoints(_), Notice::Endpoints(_))
            | (Notice::NetInfo(_), Notice::NetInfo(_))
            | (Notice::HomeRelay(_), Notice::HomeRelay(_))
            | (Notice::Awake, Notice::Awake) => false,
            (
                Notice::RelayWanted(a) | Notice::RelayUnwanted(a),
                Notice::RelayWanted(b) | Notice::RelayUnwanted(b),
            ) => a != b,
            _ => true,
        });
        if !matches!(notice, Notice::PathChanged { .. }) {
            self.waiting.push_back(notice);
        }
        if !self.waiting.is_empty() {
            self.retry_at.get_or_insert(now + RETRY);
        }
    }

    /// Tries again, when it is time.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.retry_at.is_none_or(|at| now < at) {
            return;
        }
        self.retry_at = None;
        while let Some(notice) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(notice)) = self.queue.try_send(notice) {
                self.waiting.push_front(notice);
                self.retry_at = Some(now + RETRY);
                return;
            }
        }
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at
    }
}

#[cfg(test)]
mod tests {
    use wire::{NodeId, relay_map::RegionId};

    use super::*;
    use crate::clock::Clock;

    fn wanted(region: u16) -> Notice {
        Notice::RelayWanted(RegionId(region))
    }

    fn unwanted(region: u16) -> Notice {
        Notice::RelayUnwanted(RegionId(region))
    }

    #[test]
    fn what_has_no_room_comes_later_in_order_and_only_the_newest_of_a_kind() {
        let now = Clock::system().now();
        let (queue, mut heard) = mpsc::channel(1);
        let mut outbox = Outbox::new(queue);
        outbox.push(wanted(1), now);
        assert_eq!(outbox.poll_timeout(), None);
        for notice in [
            wanted(2),
            Notice::HomeRelay(RegionId(2)),
            unwanted(2),
            Notice::SelfExpired,
            Notice::HomeRelay(RegionId(3)),
            Notice::PathChanged {
                peer: NodeId(1),
                from: None,
                to: None,
            },
        ] {
            outbox.push(notice, now);
        }
        let mut all = Vec::new();
        let mut now = now;
        while let Some(at) = outbox.poll_timeout() {
            now = now.max(at);
            all.extend(heard.try_recv());
            outbox.handle_timeout(now);
        }
        all.extend(heard.try_recv());
        let last = Notice::HomeRelay(RegionId(3));
        let expected = vec![wanted(1), unwanted(2), Notice::SelfExpired, last];
        assert_eq!(all, expected);
    }
}
