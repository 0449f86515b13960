//! Words for a distance in time.

use wire::Timestamp;

/// `3 minutes ago`, `in 2 days`, `just now`.
pub(crate) fn relative(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.unix_seconds() - then.unix_seconds();
    if seconds.abs() < 30 {
        return "just now".to_owned();
    }
    let words = distance(seconds.unsigned_abs());
    if seconds > 0 {
        format!("{words} ago")
    } else {
        format!("in {words}")
    }
}

/// `3 minutes`; always the largest unit that fits.
fn distance(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let (count, unit) = match seconds {
        0..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ if seconds < 60 * DAY => (seconds / DAY, "day"),
        _ if seconds < 730 * DAY => (seconds / (30 * DAY), "month"),
        _ => (seconds / (365 * DAY), "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// `2026-11-24 21:08 UTC`, for a title or a table.
pub(crate) fn absolute(then: Timestamp) -> String {
    let text = then.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn distances_are_said_in_the_largest_unit_that_fits() {
        let now = at(2_000_000_000);
        for (before, words) in [
            (0, "just now"),
            (45, "45 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (3 * 86_400, "3 days ago"),
            (90 * 86_400, "3 months ago"),
            (800 * 86_400, "2 years ago"),
        ] {
            assert_eq!(relative(now, at(2_000_000_000 - before)), words);
        }
        assert_eq!(relative(now, at(2_000_000_000 + 7 * 86_400)), "in 7 days");
    }

    #[test]
    fn a_clock_a_little_ahead_says_just_now() {
        assert_eq!(relative(at(100), at(110)), "just now");
    }

    #[test]
    fn the_absolute_form_is_short_and_names_its_zone() {
        let then: Timestamp = "2026-11-24T21:08:32.123456Z".parse().unwrap();
        assert_eq!(absolute(then), "2026-11-24 21:08 UTC");
    }
}
