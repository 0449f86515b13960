//! Instants for people.

use wire::Timestamp;

/// To the minute, in UTC.
pub(super) fn when(at: Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minute.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_to_the_minute() {
        assert_eq!(
            when(Timestamp::from_unix_seconds(1_800_000_000)),
            "2027-01-15 08:00 UTC"
        );
    }
}
