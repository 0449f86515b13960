//! Small sums with port ranges.

use wire::net::PortRange;

/// What two ranges share.
pub(super) fn common(a: PortRange, b: PortRange) -> Option<PortRange> {
    let (first, last) = (a.first.max(b.first), a.last.min(b.last));
    (first <= last).then_some(PortRange { first, last })
}

/// What is left of `from` without `cut`.
pub(crate) fn without(from: &[PortRange], cut: PortRange) -> Vec<PortRange> {
    let mut left = Vec::with_capacity(from.len() + 1);
    for range in from {
        let Some(both) = common(*range, cut) else {
            left.push(*range);
            continue;
        };
        if range.first < both.first {
            left.push(PortRange {
                first: range.first,
                last: both.first - 1,
            });
        }
        if both.last < range.last {
            left.push(PortRange {
                first: both.last + 1,
                last: range.last,
            });
        }
    }
    left
}

/// As documents write them: `22,80-443`, `*` for all.
pub(super) fn written(ranges: &[PortRange]) -> String {
    let one = |r: &PortRange| match r {
        r if *r == PortRange::ANY => "*".to_owned(),
        r if r.first == r.last => r.first.to_string(),
        r => format!("{}-{}", r.first, r.last),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange { first, last }
    }

    #[test]
    fn a_cut_leaves_both_sides() {
        let left = without(&[range(10, 20), range(30, 40)], range(15, 32));
        assert_eq!(left, [range(10, 14), range(33, 40)]);
        assert_eq!(without(&left, PortRange::ANY), []);
        assert_eq!(written(&[range(1, 1), range(5, 6)]), "1,5-6");
        assert_eq!(written(&[PortRange::ANY]), "*");
    }
}
