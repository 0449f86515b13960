//! Sets of addresses, as ranges that neither touch nor overlap.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::net::Prefix;

/// A set of addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AddressSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl AddressSet {
    /// The addresses of a prefix.
    pub fn of(prefix: Prefix) -> Self {
        Self::of_ranges([ends(prefix)])
    }

    /// The addresses of prefixes.
    pub fn of_all<'p>(prefixes: impl IntoIterator<Item = &'p Prefix>) -> Self {
        Self::of_ranges(prefixes.into_iter().map(|p| ends(*p)))
    }

    /// The addresses of ranges, both ends included; ends of two families add nothing.
    pub fn of_ranges(ranges: impl IntoIterator<Item = (IpAddr, IpAddr)>) -> Self {
        let mut set = Self::default();
        for range in ranges {
            match range {
                (IpAddr::V4(a), IpAddr::V4(b)) => set.v4.push((a.to_bits(), b.to_bits())),
                (IpAddr::V6(a), IpAddr::V6(b)) => set.v6.push((a.to_bits(), b.to_bits())),
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {}
            }
        }
        join(&mut set.v4, |x| x.checked_add(1));
        join(&mut set.v6, |x| x.checked_add(1));
        set
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Its address, when it holds one alone.
    pub(crate) fn only(&self) -> Option<IpAddr> {
        let mut ranges = self.ranges();
        let (first, last) = ranges.next()?;
        (first == last && ranges.next().is_none()).then_some(first)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            v4: subtract(
                &self.v4,
                &other.v4,
                |x| x.checked_add(1),
                |x| x.checked_sub(1),
            ),
            v6: subtract(
                &self.v6,
                &other.v6,
                |x| x.checked_add(1),
                |x| x.checked_sub(1),
            ),
        }
    }

    /// What is in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// True when the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => holds(&self.v4, a.to_bits()),
            IpAddr::V6(a) => holds(&self.v6, a.to_bits()),
        }
    }

    /// True when an address of the prefix is in it.
    pub fn overlaps(&self, prefix: &Prefix) -> bool {
        match ends(*prefix) {
            (IpAddr::V4(a), IpAddr::V4(b)) => meets(&self.v4, a.to_bits(), b.to_bits()),
            (IpAddr::V6(a), IpAddr::V6(b)) => meets(&self.v6, a.to_bits(), b.to_bits()),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// True when an address of the other is in it.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let v4 = || other.v4.iter().any(|(a, b)| meets(&self.v4, *a, *b));
        v4() || other.v6.iter().any(|(a, b)| meets(&self.v6, *a, *b))
    }

    /// The addresses of one family.
    pub(crate) fn of_family(&self, ipv4: bool) -> Self {
        if ipv4 {
            Self {
                v4: self.v4.clone(),
                v6: Vec::new(),
            }
        } else {
            Self {
                v4: Vec::new(),
                v6: self.v6.clone(),
            }
        }
    }

    /// True when all addresses of the other are in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }

    /// Its ranges, both ends included, IPv4 first.
    pub fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> + '_ {
        let v4 = |n: &u32| IpAddr::V4(Ipv4Addr::from_bits(*n));
        let v6 = |n: &u128| IpAddr::V6(Ipv6Addr::from_bits(*n));
        let low = self.v4.iter().map(move |(a, b)| (v4(a), v4(b)));
        low.chain(self.v6.iter().map(move |(a, b)| (v6(a), v6(b))))
    }

    /// The fewest prefixes that make it.
    pub fn prefixes(&self) -> Vec<Prefix> {
        let mut out = Vec::new();
        for (first, last) in &self.v4 {
            blocks(u128::from(*first), u128::from(*last), 32, |n, bits| {
                let n = u32::try_from(n).unwrap_or_default();
                let addr = IpAddr::V4(Ipv4Addr::from_bits(n));
                out.push(Prefix { addr, bits });
            });
        }
        for (first, last) in &self.v6 {
            blocks(*first, *last, 128, |n, bits| {
                let addr = IpAddr::V6(Ipv6Addr::from_bits(n));
                out.push(Prefix { addr, bits });
            });
        }
        out
    }
}

/// The first and the last address of a prefix.
pub(crate) fn ends(prefix: Prefix) -> (IpAddr, IpAddr) {
    match prefix.masked().addr {
        IpAddr::V4(a) => {
            let free = u32::MAX.checked_shr(prefix.bits.into()).unwrap_or_default();
            (a.into(), Ipv4Addr::from_bits(a.to_bits() | free).into())
        }
        IpAddr::V6(a) => {
            let free = u128::MAX
                .checked_shr(prefix.bits.into())
                .unwrap_or_default();
            (a.into(), Ipv6Addr::from_bits(a.to_bits() | free).into())
        }
    }
}

/// Sorts ranges and joins those that touch.
fn join<N: Copy + Ord>(ranges: &mut Vec<(N, N)>, next: impl Fn(N) -> Option<N>) {
    ranges.sort_unstable();
    let mut joined: Vec<(N, N)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges.drain(..) {
        match joined.last_mut() {
            Some(open) if next(open.1).is_none_or(|n| first <= n) => open.1 = open.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    *ranges = joined;
}

fn subtract<N: Copy + Ord>(
    from: &[(N, N)],
    what: &[(N, N)],
    next: impl Fn(N) -> Option<N>,
    previous: impl Fn(N) -> Option<N>,
) -> Vec<(N, N)> {
    let mut out = Vec::new();
    for (first, last) in from {
        let mut start = Some(*first);
        let from = what.partition_point(|(_, end)| end < first);
        for (cut, end) in what.iter().skip(from).take_while(|(cut, _)| cut <= last) {
            if let (Some(s), Some(before)) = (start, previous(*cut))
                && s <= before
            {
                out.push((s, before));
            }
            start = next(*end);
        }
        if let Some(s) = start.filter(|s| s <= last) {
            out.push((s, *last));
        }
    }
    out
}

fn holds<N: Copy + Ord>(ranges: &[(N, N)], n: N) -> bool {
    meets(ranges, n, n)
}

fn meets<N: Copy + Ord>(ranges: &[(N, N)], first: N, last: N) -> bool {
    let at = ranges.partition_point(|(_, end)| *end < first);
    ranges.get(at).is_some_and(|(start, _)| *start <= last)
}

/// Cuts a range into the largest aligned blocks.
fn blocks(mut first: u128, last: u128, width: u32, mut push: impl FnMut(u128, u8)) {
    loop {
        let left = last - first;
        let aligned = first.trailing_zeros().min(width);
        // The block of `size` bits must end at or before `last`.
        let fits = if left == u128::MAX {
            128
        } else {
            (left + 1).ilog2()
        };
        let size = aligned.min(fits);
        push(first, u8::try_from(width - size).unwrap_or_default());
        let step = 1_u128.checked_shl(size).unwrap_or_default();
        match first.checked_add(step) {
            Some(n) if n <= last && step != 0 => first = n,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_join_and_come_back_as_prefixes() {
        let set = AddressSet::of_all(&[prefix("10.0.0.0/25"), prefix("10.0.0.128/25")]);
        assert_eq!(set.prefixes(), [prefix("10.0.0.0/24")]);
        let ends = ("10.0.0.1".parse().unwrap(), "10.0.0.4".parse().unwrap());
        let set = AddressSet::of_ranges([ends]);
        let written: Vec<String> = set.prefixes().iter().map(Prefix::to_string).collect();
        assert_eq!(written, ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32"]);
        for all in ["0.0.0.0/0", "::/0", "::/1", "ffff::/16"] {
            assert_eq!(AddressSet::of(prefix(all)).prefixes(), [prefix(all)]);
        }
    }

    #[test]
    fn taking_out_leaves_both_sides() {
        let set =
            AddressSet::of(prefix("10.0.0.0/24")).without(&AddressSet::of(prefix("10.0.0.64/26")));
        assert!(set.contains("10.0.0.63".parse().unwrap()));
        assert!(!set.contains("10.0.0.64".parse().unwrap()));
        assert!(set.contains("10.0.0.128".parse().unwrap()));
        assert!(!set.overlaps(&prefix("10.0.0.96/27")));
        assert!(set.overlaps(&prefix("10.0.0.0/16")));
        assert!(AddressSet::of(prefix("10.0.0.0/8")).covers(&set));
        assert!(!set.covers(&AddressSet::of(prefix("10.0.0.0/24"))));
        let none = AddressSet::of(prefix("::/0")).without(&AddressSet::of(prefix("::/0")));
        assert!(none.is_empty());
    }
}
