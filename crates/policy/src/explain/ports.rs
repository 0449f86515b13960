//! Small sums with port ranges.

use wire::net::PortRange;

/// What two ranges share.
pub(crate) fn common(a: PortRange, b: PortRange) -> Option<PortRange> {
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

/// Sorts ranges and joins those that touch.
pub(crate) fn join(ranges: &mut Vec<PortRange>) {
    ranges.sort_unstable();
    let mut joined: Vec<PortRange> = Vec::with_capacity(ranges.len());
    for range in ranges.drain(..) {
        match joined.last_mut() {
            Some(open) if open.last.checked_add(1).is_none_or(|n| range.first <= n) => {
                open.last = open.last.max(range.last);
            }
            _ => joined.push(range),
        }
    }
    *ranges = joined;
}

/// As documents write them: `22,80-443`, `*` for all.
pub(crate) fn written(ranges: &[PortRange]) -> String {
    let one = |r: &PortRange| match r {
        r if *r == PortRange::ANY => "*".to_owned(),
        r if r.first == r.last => r.first.to_string(),
        r => format!("{}-{}", r.first, r.last),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Ports in JSON: one text, as documents write them.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use wire::net::PortRange;

    pub(crate) fn serialize<S: Serializer>(ranges: &[PortRange], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::written(ranges))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<PortRange>, D::Error> {
        let text = String::deserialize(from)?;
        let port = |text: &str| text.parse().map_err(D::Error::custom);
        let parts = text.split(',').filter(|part| !part.is_empty());
        parts
            .map(|part| match part.split_once('-') {
                _ if part == "*" => Ok(PortRange::ANY),
                Some((first, last)) => Ok(PortRange {
                    first: port(first)?,
                    last: port(last)?,
                }),
                None => port(part).map(PortRange::one),
            })
            .collect()
    }
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
        let mut all = vec![range(30, 40), range(5, 9), range(10, 12), range(35, 50)];
        join(&mut all);
        assert_eq!(all, [range(5, 12), range(30, 50)]);
    }
}
