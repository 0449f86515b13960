//! Ranges of addresses, found by an address without trying them all.
//!
//! The ends of all ranges cut the address space into intervals; a tree over the
//! intervals holds each range at the few nodes that make it up. Of the tree is
//! kept, for each interval, the chain of nodes above it at which something is.

use std::net::IpAddr;

use super::rule::Addresses;

/// Where a chain ends.
const NONE: u32 = u32::MAX;

/// Ranges of both families, and what is made of those that are at one node.
#[derive(Debug)]
pub(super) struct Axis<T> {
    v4: Family<u32, T>,
    v6: Family<u128, T>,
}

#[derive(Debug)]
struct Family<A, T> {
    /// Where intervals begin, but for the first.
    starts: Vec<A>,
    /// By interval: the lowest node at which something is.
    lowest: Vec<u32>,
    /// What is at a node, and the next node above at which something is.
    nodes: Vec<(T, u32)>,
}

impl<T> Default for Axis<T> {
    fn default() -> Self {
        Self {
            v4: Family::default(),
            v6: Family::default(),
        }
    }
}

impl<A, T> Default for Family<A, T> {
    fn default() -> Self {
        Self {
            starts: Vec::new(),
            lowest: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl<T> Axis<T> {
    /// Of numbered ranges; `make` is given the numbers of ranges at one node, in their order.
    pub(super) fn of(ranges: &[(u32, Addresses)], mut make: impl FnMut(&[u32]) -> T) -> Self {
        let v4 = ranges.iter().filter_map(|(id, range)| match range {
            Addresses::V4(first, last) => Some((*id, *first, last.checked_add(1))),
            Addresses::V6(..) => None,
        });
        let v6 = ranges.iter().filter_map(|(id, range)| match range {
            Addresses::V6(first, last) => Some((*id, *first, last.checked_add(1))),
            Addresses::V4(..) => None,
        });
        Self {
            v4: Family::of(&v4.collect::<Vec<_>>(), &mut make),
            v6: Family::of(&v6.collect::<Vec<_>>(), &mut make),
        }
    }

    /// What is made of the ranges around an address; each of them is in one part, once.
    pub(super) fn around(&self, addr: IpAddr) -> impl Iterator<Item = &T> {
        let (v4, v6) = match addr {
            IpAddr::V4(a) => (Some(self.v4.around(a.to_bits())), None),
            IpAddr::V6(a) => (None, Some(self.v6.around(a.to_bits()))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }
}

impl<A: Copy + Ord, T> Family<A, T> {
    /// Of ranges by number, first address, and the address behind the last.
    fn of(ranges: &[(u32, A, Option<A>)], make: &mut impl FnMut(&[u32]) -> T) -> Self {
        let ends = ranges
            .iter()
            .flat_map(|(_, first, end)| [Some(*first), *end]);
        let mut starts: Vec<A> = ends.flatten().collect();
        starts.sort_unstable();
        starts.dedup();
        let leaves = starts.len() + 1;
        let mut tree = vec![Vec::new(); 2 * leaves];
        for (id, first, end) in ranges {
            let from = interval(&starts, *first);
            let to = end.map_or(leaves, |end| interval(&starts, end));
            put(&mut tree, *id, from, to);
        }
        let mut nodes = Vec::new();
        let mut lowest = vec![NONE; tree.len()];
        for (at, ids) in tree.iter().enumerate() {
            let above = lowest[at / 2];
            lowest[at] = above;
            if !ids.is_empty() {
                lowest[at] = u32::try_from(nodes.len()).unwrap_or(NONE);
                nodes.push((make(ids), above));
            }
        }
        lowest.drain(..leaves);
        Self {
            starts,
            lowest,
            nodes,
        }
    }

    fn around(&self, address: A) -> impl Iterator<Item = &T> {
        let node = |at: u32| self.nodes.get(at as usize);
        let lowest = self.lowest.get(interval(&self.starts, address));
        let chain = std::iter::successors(lowest.and_then(|at| node(*at)), move |(_, above)| {
            node(*above)
        });
        chain.map(|(what, _)| what)
    }
}

fn interval<A: Copy + Ord>(starts: &[A], address: A) -> usize {
    starts.partition_point(|start| *start <= address)
}

/// Puts a range of intervals, the last excluded, at the nodes that make it up.
fn put(tree: &mut [Vec<u32>], id: u32, from: usize, to: usize) {
    let leaves = tree.len() / 2;
    let (mut left, mut right) = (from + leaves, to + leaves);
    while left < right {
        if left % 2 == 1 {
            tree[left].push(id);
            left += 1;
        }
        if right % 2 == 1 {
            right -= 1;
            tree[right].push(id);
        }
        left /= 2;
        right /= 2;
    }
}
