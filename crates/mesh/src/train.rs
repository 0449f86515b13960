//! Outgoing trains: datagrams laid back to back for one `UDP_SEGMENT` send, in storage used again.

use std::collections::VecDeque;

use crate::event::{Transmit, Via};

/// The longest run of datagrams that IPv4 carries as one UDP payload.
pub(crate) const MAX_RUN: usize = 65_507;
/// Room behind a run for a handshake message, which `encapsulate` may write instead of data.
const SLACK: usize = 256;
/// Buffers kept for later use; more are freed once sent.
const KEPT: usize = 8;

#[derive(Debug)]
struct Train {
    via: Via,
    buffer: Box<[u8]>,
    len: usize,
    segment_size: usize,
    count: usize,
    last_size: usize,
    closed: bool,
}

impl Train {
    /// Whether a datagram of `size` bytes may follow.
    fn takes(&self, size: usize, max_segments: usize) -> bool {
        !self.closed
            && size <= self.segment_size
            && self.count < max_segments
            && self.len + size <= MAX_RUN
    }
}

/// The queue of trains, in the order of sending.
#[derive(Debug)]
pub(crate) struct Trains {
    queue: VecDeque<Train>,
    spare: Vec<Box<[u8]>>,
    /// The one that the last poll handed out.
    lent: Option<Train>,
    max_segments: usize,
}

impl Trains {
    pub(crate) fn new(max_segments: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            spare: Vec::new(),
            lent: None,
            max_segments: max_segments.max(1),
        }
    }

    /// Room for a datagram of `size` bytes at the end of a train to `via`, and
    /// some more behind it. [`Self::commit`] makes what was written part of the train.
    pub(crate) fn slot(&mut self, via: Via, size: usize) -> &mut [u8] {
        debug_assert!(size <= MAX_RUN, "a datagram fits into a run");
        let max_segments = self.max_segments;
        let index = match self.queue.iter().rposition(|t| t.via == via) {
            Some(i) if self.queue[i].takes(size, max_segments) => i,
            last => {
                if let Some(i) = last {
                    self.queue[i].closed = true;
                }
                self.open(via, size);
                self.queue.len() - 1
            }
        };
        let train = &mut self.queue[index];
        &mut train.buffer[train.len..]
    }

    fn open(&mut self, via: Via, segment_size: usize) {
        let buffer = self
            .spare
            .pop()
            .unwrap_or_else(|| vec![0; MAX_RUN + SLACK].into_boxed_slice());
        self.queue.push_back(Train {
            via,
            buffer,
            len: 0,
            segment_size,
            count: 0,
            last_size: 0,
            closed: false,
        });
    }

    /// What was written at the start of the last [`Self::slot`] of `via`, `size`
    /// bytes as asked for, is a datagram now.
    pub(crate) fn commit(&mut self, via: Via, size: usize) {
        let max_segments = self.max_segments;
        let Some(train) = self.queue.iter_mut().rfind(|t| t.via == via) else {
            return;
        };
        train.len += size;
        train.last_size = size;
        train.count += 1;
        train.closed = size < train.segment_size || train.count >= max_segments;
    }

    /// Queues the last datagram of `via` a second time, for another way.
    pub(crate) fn repeat_last(&mut self, via: Via, second: Via) {
        let Some(source) = self.queue.iter().rposition(|t| t.via == via) else {
            return;
        };
        let size = self.queue[source].last_size;
        self.slot(second, size);
        let target = self.queue.iter().rposition(|t| t.via == second);
        let trains = self.queue.make_contiguous();
        if let Some(target) = target
            && let Ok([from, to]) = trains.get_disjoint_mut([source, target])
        {
            let datagram = &from.buffer[from.len - size..from.len];
            to.buffer[to.len..to.len + size].copy_from_slice(datagram);
            self.commit(second, size);
        }
    }

    /// What was written into the last [`Self::slot`] of `via` is `size` bytes of
    /// a message that travels alone, not the datagram it was asked for.
    pub(crate) fn commit_alone(&mut self, via: Via, size: usize) {
        let Some(index) = self.queue.iter().rposition(|t| t.via == via) else {
            return;
        };
        let train = &mut self.queue[index];
        if train.count == 0 {
            train.segment_size = size;
            train.len = size;
            train.last_size = size;
            train.count = 1;
            train.closed = true;
            return;
        }
        train.closed = true;
        let mut message = [0; SLACK];
        let size = size.min(SLACK);
        message[..size].copy_from_slice(&train.buffer[train.len..train.len + size]);
        self.push(via, &message[..size]);
    }

    /// Nothing was written into the last [`Self::slot`] of `via`.
    pub(crate) fn abandon(&mut self, via: Via) {
        if let Some(index) = self.queue.iter().rposition(|t| t.via == via)
            && self.queue[index].count == 0
            && let Some(train) = self.queue.remove(index)
        {
            self.recycle(train);
        }
    }

    /// Queues one datagram that no other joins.
    pub(crate) fn push(&mut self, via: Via, datagram: &[u8]) {
        if datagram.is_empty() || datagram.len() > MAX_RUN {
            return;
        }
        if let Some(last) = self.queue.iter_mut().rfind(|t| t.via == via) {
            last.closed = true;
        }
        self.open(via, datagram.len());
        if let Some(train) = self.queue.back_mut() {
            train.buffer[..datagram.len()].copy_from_slice(datagram);
            train.len = datagram.len();
            train.last_size = datagram.len();
            train.count = 1;
            train.closed = true;
        }
    }

    /// Queues a copy of one datagram, joining the last train of `via` if it can.
    pub(crate) fn append(&mut self, via: Via, datagram: &[u8]) {
        let size = datagram.len();
        self.slot(via, size)[..size].copy_from_slice(datagram);
        self.commit(via, size);
    }

    /// The next train.
    pub(crate) fn poll(&mut self) -> Option<Transmit<'_>> {
        self.lend(|_| true)
    }

    /// The next train that nothing may join any more. Trains to one destination keep their order.
    pub(crate) fn poll_full(&mut self) -> Option<Transmit<'_>> {
        self.lend(|t| t.closed)
    }

    fn lend(&mut self, wanted: impl Fn(&Train) -> bool) -> Option<Transmit<'_>> {
        if let Some(sent) = self.lent.take() {
            self.recycle(sent);
        }
        // Only the last train of a destination is ever open, so the first
        // wanted one overtakes none of its own destination.
        let index = self.queue.iter().position(wanted)?;
        self.lent = self.queue.remove(index);
        self.lent.as_ref().map(|t| Transmit {
            via: t.via,
            segment_size: t.segment_size.min(t.len),
            bytes: &t.buffer[..t.len],
        })
    }

    fn recycle(&mut self, train: Train) {
        if self.spare.len() < KEPT {
            self.spare.push(train.buffer);
        }
    }

    #[cfg(debug_assertions)]
    pub(crate) fn is_consistent(&self) -> bool {
        self.queue.iter().enumerate().all(|(i, t)| {
            let last = self.queue.iter().rposition(|o| o.via == t.via) == Some(i);
            t.count > 0 && t.len <= t.count * t.segment_size && (t.closed || last)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::{NodeKey, relay_map::RegionId};

    use super::*;

    const A: &str = "192.0.2.1:1";
    const B: &str = "192.0.2.2:1";

    fn via(addr: &str) -> Via {
        Via::Udp(addr.parse().unwrap())
    }

    fn drain(trains: &mut Trains) -> Vec<(Via, usize, Vec<u8>)> {
        let mut out = Vec::new();
        while let Some(t) = trains.poll() {
            out.push((t.via, t.segment_size, t.bytes.to_vec()));
        }
        out
    }

    #[test]
    fn equal_datagrams_share_a_train_and_a_short_one_ends_it() {
        let mut trains = Trains::new(64);
        for byte in 1..=2 {
            trains.append(via(A), &[byte; 10]);
        }
        trains.append(via(A), &[3; 4]);
        trains.append(via(A), &[4; 10]);
        assert_eq!(trains.poll_full().map(|t| t.bytes.len()), Some(24));
        assert!(trains.poll_full().is_none());
        assert_eq!(drain(&mut trains), vec![(via(A), 10, vec![4; 10])]);
    }

    #[test]
    fn destinations_do_not_share_a_train() {
        let mut trains = Trains::new(64);
        let relay = Via::Relay {
            region: RegionId(900),
            peer: NodeKey::from_bytes([1; 32]),
        };
        for to in [via(A), via(B), relay, via(A)] {
            trains.append(to, &[7; 5]);
        }
        let sent = drain(&mut trains);
        assert_eq!(sent.len(), 3);
        assert_eq!(sent[0], (via(A), 5, vec![7; 10]));
    }

    #[test]
    fn a_handshake_message_leaves_the_train_it_was_written_behind() {
        let mut trains = Trains::new(64);
        trains.append(via(A), &[1; 200]);
        trains.slot(via(A), 200)[..148].copy_from_slice(&[9; 148]);
        trains.commit_alone(via(A), 148);
        let sent = drain(&mut trains);
        assert_eq!(sent[0], (via(A), 200, vec![1; 200]));
        assert_eq!(sent[1], (via(A), 148, vec![9; 148]));
    }

    proptest! {
        /// Whatever is appended comes out once, whole and in order per destination.
        #[test]
        fn nothing_is_lost_or_reordered(
            max_segments in 1usize..70,
            packets in prop::collection::vec((any::<bool>(), 1usize..3000), 1..200),
        ) {
            let mut trains = Trains::new(max_segments);
            let mut expected = [Vec::new(), Vec::new()];
            for (i, (to_b, size)) in packets.iter().enumerate() {
                let datagram = vec![u8::try_from(i % 251).unwrap(); *size];
                trains.append(via(if *to_b { B } else { A }), &datagram);
                expected[usize::from(*to_b)].push(datagram);
            }
            prop_assert!(trains.is_consistent());
            let mut got = [Vec::new(), Vec::new()];
            for (to, segment, bytes) in drain(&mut trains) {
                prop_assert!(bytes.len() <= MAX_RUN);
                prop_assert!(bytes.len().div_ceil(segment) <= max_segments);
                let list = &mut got[usize::from(to == via(B))];
                list.extend(bytes.chunks(segment).map(<[u8]>::to_vec));
            }
            prop_assert_eq!(got, expected);
        }
    }
}
