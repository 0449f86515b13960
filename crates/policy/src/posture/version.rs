//! The order of version numbers.

use std::cmp::Ordering;

/// Compares versions field by field: runs of digits as numbers, what stands
/// between them as text. One that ends where the other goes on comes first, so
/// `12` is less than `12.0`, as the service's comparison has it
/// (`tailscale.com/util/cmpver`).
pub(super) fn compare<'t>(mut a: &'t str, mut b: &'t str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (words, numbers);
        (words, a, b) = fields(a, b, |c| !c.is_ascii_digit());
        let order = words.0.cmp(words.1);
        if order.is_ne() {
            return order;
        }
        (numbers, a, b) = fields(a, b, |c| c.is_ascii_digit());
        let order = number(numbers.0).cmp(&number(numbers.1));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

type Pair<'t> = (&'t str, &'t str);

/// What both begin with, and what is left of each.
fn fields<'t>(a: &'t str, b: &'t str, of: fn(char) -> bool) -> (Pair<'t>, &'t str, &'t str) {
    let cut = |text: &'t str| {
        let rest = text.trim_start_matches(of);
        (text.strip_suffix(rest).unwrap_or_default(), rest)
    };
    let ((first, a), (second, b)) = (cut(a), cut(b));
    ((first, second), a, b)
}

/// By its length without leading zeros, then by its digits: as long as it likes.
fn number(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_compared_as_numbers_and_as_text() {
        for (less, more) in [
            ("1.9", "1.10"),
            ("1.40", "1.40.1"),
            ("12", "12.0"),
            ("1.80.3", "1.81"),
            ("5.15.0-9-generic", "5.15.0-10-generic"),
            ("10.0.9", "10.0.19045.4170"),
            ("1.2-a", "1.2-b"),
            ("9", "99999999999999999999999999"),
            ("14.alpha", "14.beta"),
        ] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(compare(more, less), Ordering::Greater, "{more} {less}");
            assert_eq!(compare(more, more), Ordering::Equal);
        }
        assert_eq!(compare("13.04", "13.4"), Ordering::Equal);
        assert_eq!(compare("", ""), Ordering::Equal);
    }
}
