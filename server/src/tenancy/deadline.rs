//! What happens to nodes when time passes.

use std::collections::{BTreeMap, BTreeSet};

use wire::{NodeId, Timestamp};

/// What is due. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Its key ends.
    Expiry,
    /// Its last stream ended a while ago: it is offline.
    Offline,
    /// An ephemeral node has been offline for too long.
    Removal,
}

/// One deadline of each kind for each node.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_time: BTreeSet<(Timestamp, NodeId, Due)>,
    of: BTreeMap<(NodeId, Due), Timestamp>,
}

impl Deadlines {
    /// Sets or clears a deadline.
    pub(super) fn set(&mut self, node: NodeId, due: Due, at: Option<Timestamp>) {
        if let Some(old) = self.of.remove(&(node, due)) {
            self.by_time.remove(&(old, node, due));
        }
        if let Some(at) = at {
            self.of.insert((node, due), at);
            self.by_time.insert((at, node, due));
        }
    }

    /// Clears all deadlines of a node.
    pub(super) fn forget(&mut self, node: NodeId) {
        for due in [Due::Expiry, Due::Offline, Due::Removal] {
            self.set(node, due, None);
        }
    }

    /// The next one.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _, _)| *at)
    }

    /// Takes one that has passed.
    pub(super) fn take_passed(&mut self, now: Timestamp) -> Option<(NodeId, Due, Timestamp)> {
        let (at, node, due) = *self.by_time.first().filter(|(at, _, _)| *at <= now)?;
        self.set(node, due, None);
        Some((node, due, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn deadlines_pass_in_order_and_once() {
        let mut all = Deadlines::default();
        all.set(NodeId(1), Due::Expiry, Some(at(30)));
        all.set(NodeId(2), Due::Offline, Some(at(10)));
        all.set(NodeId(1), Due::Expiry, Some(at(20)));
        all.set(NodeId(3), Due::Removal, Some(at(15)));
        all.forget(NodeId(3));
        assert_eq!(all.next(), Some(at(10)));
        assert_eq!(all.take_passed(at(9)), None);
        let passed: Vec<_> = std::iter::from_fn(|| all.take_passed(at(40))).collect();
        assert_eq!(
            passed,
            [
                (NodeId(2), Due::Offline, at(10)),
                (NodeId(1), Due::Expiry, at(20)),
            ]
        );
        assert_eq!(all.next(), None);
    }
}
