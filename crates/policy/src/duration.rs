//! Durations as Go writes them (`1h30m`), which the language uses.

use std::time::Duration;

/// The units, the longer spelling of each first letter first, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A duration, or less than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) negative: bool,
    pub(crate) duration: Duration,
}

/// Reads `12h`, `1h30m`, `1.5h`, `-5m`, `0`; the error is worded as Go does.
pub(crate) fn parse(text: &str) -> Result<Signed, String> {
    let invalid = || format!("time: invalid duration \"{text}\"");
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(Signed {
            negative: false,
            duration: Duration::ZERO,
        });
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| !c.is_ascii_digit() && c != '.');
        if !is_number(number) {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration \"{text}\""));
        }
        let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "time: unknown unit \"{unit}\" in duration \"{text}\""
            ));
        };
        nanos = times(number, *size)
            .and_then(|n| nanos.checked_add(n))
            .filter(|n| i64::try_from(*n).is_ok())
            .ok_or_else(invalid)?;
        rest = after;
    }
    Ok(Signed {
        negative: negative && nanos != 0,
        duration: Duration::from_nanos(nanos),
    })
}

/// The longest start whose characters all pass, and what follows.
fn split(text: &str, mut pass: impl FnMut(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !pass(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn is_number(text: &str) -> bool {
    text.bytes().filter(|b| *b == b'.').count() <= 1 && text.bytes().any(|b| b.is_ascii_digit())
}

fn times(number: &str, size: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = whole.checked_mul(size)?;
    let mut worth = size;
    for digit in part.bytes().take(18) {
        worth /= 10;
        nanos = nanos.checked_add(worth.checked_mul(u64::from(digit - b'0'))?)?;
    }
    Some(nanos)
}

/// As Go prints it: `200h0m0s`, `1m0s`, `1.5s`, `300ms`.
pub(crate) fn show(signed: Signed) -> String {
    let nanos = signed.duration.as_nanos();
    let sign = if signed.negative { "-" } else { "" };
    let text = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, m) => format!("{m}m{seconds}s"),
                (h, m) => format!("{h}h{m}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

fn decimal(nanos: u128, unit: u128) -> String {
    let width = unit.checked_ilog10().map_or(0, |d| d as usize);
    let rest = format!("{:0width$}", nanos % unit);
    match rest.trim_end_matches('0') {
        "" => (nanos / unit).to_string(),
        digits => format!("{}.{digits}", nanos / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, shown) in [
            ("12h", "12h0m0s"),
            ("200h", "200h0m0s"),
            ("1h30m", "1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("90m", "1h30m0s"),
            ("1m", "1m0s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("1500ms", "1.5s"),
            ("300ms", "300ms"),
            (".5s", "500ms"),
            ("-5m", "-5m0s"),
            ("+2s", "2s"),
            ("2us", "2µs"),
        ] {
            assert_eq!(parse(text).map(show).unwrap(), shown, "{text}");
        }
        for (text, why) in [
            ("abc", "time: invalid duration \"abc\""),
            ("", "time: invalid duration \"\""),
            ("20", "time: missing unit in duration \"20\""),
            ("7d", "time: unknown unit \"d\" in duration \"7d\""),
            ("h", "time: invalid duration \"h\""),
            (".h", "time: invalid duration \".h\""),
            ("1.2.3h", "time: invalid duration \"1.2.3h\""),
            ("9999999999h", "time: invalid duration \"9999999999h\""),
        ] {
            assert_eq!(parse(text).unwrap_err(), why);
        }
    }
}
