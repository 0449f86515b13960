//! Ranges of addresses, found by an address without trying them all.
//!
//! The ends of all ranges cut the address space into intervals; a tree over the
//! intervals holds each range at the few nodes that make it up.

use std::net::IpAddr;

use super::rule::Range;

/// Numbered ranges of both families.
#[derive(Debug, Default)]
pub(super) struct Axis {
    v4: Family<u32>,
    v6: Family<u128>,
}

#[derive(Debug, Default)]
struct Family<T> {
    /// Where intervals begin, but for the first.
    starts: Vec<T>,
    /// By node, the ranges that are there; the leaves are the last.
    nodes: Vec<Vec<u32>>,
}

impl Axis {
    pub(super) fn of(ranges: &[(u32, Range)]) -> Self {
        let v4 = ranges.iter().filter_map(|(id, range)| match range {
            Range::V4(first, last) => Some((*id, *first, last.checked_add(1))),
            Range::V6(..) => None,
        });
        let v6 = ranges.iter().filter_map(|(id, range)| match range {
            Range::V6(first, last) => Some((*id, *first, last.checked_add(1))),
            Range::V4(..) => None,
        });
        Self {
            v4: Family::of(&v4.collect::<Vec<_>>()),
            v6: Family::of(&v6.collect::<Vec<_>>()),
        }
    }

    /// Which interval an address lies in.
    pub(super) fn interval(&self, addr: IpAddr) -> usize {
        match addr {
            IpAddr::V4(a) => self.v4.interval(a.to_bits()),
            IpAddr::V6(a) => self.v6.interval(a.to_bits()),
        }
    }

    /// The lists of ranges around an address; a range is in one of them, once.
    pub(super) fn around(&self, addr: IpAddr) -> impl Iterator<Item = &[u32]> {
        let (nodes, interval) = match addr {
            IpAddr::V4(a) => (&self.v4.nodes, self.v4.interval(a.to_bits())),
            IpAddr::V6(a) => (&self.v6.nodes, self.v6.interval(a.to_bits())),
        };
        let leaf = nodes.len() / 2 + interval;
        let up = std::iter::successors(Some(leaf), |node| (*node > 1).then_some(node / 2));
        up.filter_map(|node| nodes.get(node)).map(Vec::as_slice)
    }
}

impl<T: Copy + Ord> Family<T> {
    /// Of ranges by number, first address, and the address behind the last.
    fn of(ranges: &[(u32, T, Option<T>)]) -> Self {
        let ends = ranges
            .iter()
            .flat_map(|(_, first, end)| [Some(*first), *end]);
        let mut starts: Vec<T> = ends.flatten().collect();
        starts.sort_unstable();
        starts.dedup();
        let mut family = Self {
            nodes: vec![Vec::new(); 2 * (starts.len() + 1)],
            starts,
        };
        for (id, first, end) in ranges {
            let from = family.interval(*first);
            let to = end.map_or(family.starts.len() + 1, |end| family.interval(end));
            family.put(*id, from, to);
        }
        family
    }

    fn interval(&self, address: T) -> usize {
        self.starts.partition_point(|start| *start <= address)
    }

    /// Puts a range of intervals, the last excluded, at the nodes that make it up.
    fn put(&mut self, id: u32, from: usize, to: usize) {
        let leaves = self.nodes.len() / 2;
        let (mut left, mut right) = (from + leaves, to + leaves);
        while left < right {
            if left % 2 == 1 {
                self.nodes[left].push(id);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                self.nodes[right].push(id);
            }
            left /= 2;
            right /= 2;
        }
    }
}
