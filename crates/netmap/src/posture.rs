//! What postures may ask of a node: attributes, from what its client reports.

use policy::posture::{Attributes, Value};
use wire::control::Hostinfo;

/// The attributes of a node. What the client does not say is not set.
pub(crate) fn attributes(told: &Hostinfo) -> Attributes {
    let mut all = Attributes::default();
    let mut set = |name, value: Option<Value>| {
        if let Some(value) = value {
            all.set(name, value);
        }
    };
    let version = version(&told.client_version);
    set("node:os", text(&told.os.to_ascii_lowercase()));
    set("node:osVersion", text(&told.os_version));
    set("node:tsVersion", version.and_then(text));
    set(
        "node:tsReleaseTrack",
        version.and_then(track).map(Value::from),
    );
    // Clients say that they update themselves, and nothing when they do not.
    let updates = (!told.client_version.is_empty()).then_some(told.allows_update);
    set("node:tsAutoUpdate", updates.map(Value::from));
    set(
        "node:tsStateEncrypted",
        told.state_encrypted.map(Value::from),
    );
    all
}

/// True when both say the same of what [`attributes`] reads.
pub(crate) fn is_alike(a: &Hostinfo, b: &Hostinfo) -> bool {
    (&a.os, &a.os_version, &a.client_version) == (&b.os, &b.os_version, &b.client_version)
        && a.allows_update == b.allows_update
        && a.state_encrypted == b.state_encrypted
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

/// `1.80.3` of `1.80.3-t1234abcd-g5678`; nothing of what is no version.
fn version(long: &str) -> Option<&str> {
    let (short, _) = long.split_once('-').unwrap_or((long, ""));
    short
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(short)
}

/// Stable versions have an even second number.
fn track(version: &str) -> Option<&'static str> {
    let minor: u32 = version.split('.').nth(1)?.parse().ok()?;
    Some(if minor.is_multiple_of(2) {
        "stable"
    } else {
        "unstable"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_s_report_becomes_attributes() {
        let told = Hostinfo {
            os: "macOS".to_owned(),
            os_version: "14.5.0".to_owned(),
            client_version: "1.80.3-t1a2b3c4d5-g6e7f8a9b0".to_owned(),
            allows_update: true,
            state_encrypted: Some(false),
            ..Hostinfo::default()
        };
        let expected: Attributes = [
            ("node:os", Value::from("macos")),
            ("node:osVersion", "14.5.0".into()),
            ("node:tsVersion", "1.80.3".into()),
            ("node:tsReleaseTrack", "stable".into()),
            ("node:tsAutoUpdate", true.into()),
            ("node:tsStateEncrypted", false.into()),
        ]
        .into_iter()
        .collect();
        assert_eq!(attributes(&told), expected);
        let unstable = Hostinfo {
            client_version: "1.81.5".to_owned(),
            ..told.clone()
        };
        let track = attributes(&unstable);
        assert_eq!(track.get("node:tsReleaseTrack"), Some(&"unstable".into()));
        assert!(!is_alike(&told, &unstable));
    }

    #[test]
    fn what_is_not_said_is_not_set() {
        assert_eq!(attributes(&Hostinfo::default()), Attributes::default());
        let odd = Hostinfo {
            client_version: "date.20210812".to_owned(),
            ..Hostinfo::default()
        };
        assert_eq!(attributes(&odd).get("node:tsVersion"), None);
        assert_eq!(attributes(&odd).get("node:tsReleaseTrack"), None);
        assert_eq!(
            attributes(&odd).get("node:tsAutoUpdate"),
            Some(&false.into())
        );
    }

    #[test]
    fn everything_that_the_language_says_is_reported_is_read() {
        let told = Hostinfo {
            os: "linux".to_owned(),
            os_version: "6.1".to_owned(),
            client_version: "1.80.0".to_owned(),
            state_encrypted: Some(true),
            ..Hostinfo::default()
        };
        let all = attributes(&told);
        for known in policy::posture::attribute::KNOWN {
            assert_eq!(
                all.get(known.name).is_some(),
                known.is_reported,
                "{known:?}"
            );
        }
    }
}
