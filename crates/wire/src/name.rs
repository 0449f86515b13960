//! Names that exist only when they are valid.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a name was refused; the sentence is meant for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {what}: {why}")]
pub struct NameError {
    what: &'static str,
    text: String,
    why: &'static str,
}

fn refuse<T>(what: &'static str, text: &str, why: &'static str) -> Result<T, NameError> {
    Err(NameError {
        what,
        text: text.chars().take(80).collect(),
        why,
    })
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                $check(s).map(|s| Self(s.into_boxed_str()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(D::Error::custom)
            }
        }
    };
}

name_type!(
    /// A DNS label for a node: 1 to 63 of `a-z`, `0-9` and `-`, no hyphen at either end.
    Hostname,
    hostname
);
name_type!(
    /// A tenant's short name in URLs and DNS: a label of at most 32 characters that starts with a letter.
    TenantSlug,
    tenant_slug
);
name_type!(
    /// A tag with its prefix, `tag:web`: after the prefix a letter, then letters, digits or hyphens.
    Tag,
    tag
);
name_type!(
    /// An e-mail address as a login name: one `@`, something on both sides, lower-cased.
    Email,
    email
);

fn is_label_byte(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

fn hostname(s: &str) -> Result<String, NameError> {
    let what = "machine name";
    if s.is_empty() || s.len() > 63 {
        return refuse(what, s, "it needs 1 to 63 characters");
    }
    if !s.bytes().all(is_label_byte) {
        return refuse(what, s, "only a-z, 0-9 and - may be used");
    }
    if s.starts_with('-') || s.ends_with('-') {
        return refuse(what, s, "it may not start or end with a hyphen");
    }
    Ok(s.to_owned())
}

impl Hostname {
    /// The nearest valid name to what a machine calls itself: lower case, the
    /// part before the first dot, other characters as hyphens; `node` when
    /// nothing is left.
    pub fn sanitize(raw: &str) -> Self {
        let first = raw.split('.').next().unwrap_or_default();
        let mapped: String = first
            .chars()
            .take(63)
            .map(|c| c.to_ascii_lowercase())
            .map(|c| {
                if c.is_ascii_lowercase() || c.is_ascii_digit() {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let trimmed = mapped.trim_matches('-');
        Self(if trimmed.is_empty() {
            "node".into()
        } else {
            trimmed.into()
        })
    }
}

fn tenant_slug(s: &str) -> Result<String, NameError> {
    let what = "tenant short name";
    if s.is_empty() || s.len() > 32 {
        return refuse(what, s, "it needs 1 to 32 characters");
    }
    if !s.bytes().all(is_label_byte) || s.ends_with('-') {
        return refuse(
            what,
            s,
            "only a-z, 0-9 and - may be used, no hyphen at the end",
        );
    }
    if !s.starts_with(|c: char| c.is_ascii_lowercase()) {
        return refuse(what, s, "it must start with a letter");
    }
    Ok(s.to_owned())
}

fn tag(s: &str) -> Result<String, NameError> {
    let what = "tag";
    let Some(name) = s.strip_prefix("tag:") else {
        return refuse(what, s, "it must start with `tag:`");
    };
    if name.len() > 63 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return refuse(
            what,
            s,
            "after `tag:` it needs a letter and at most 63 characters",
        );
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return refuse(what, s, "only letters, digits and - may be used");
    }
    Ok(s.to_owned())
}

fn email(s: &str) -> Result<String, NameError> {
    let what = "e-mail address";
    let s = s.trim();
    if s.len() > 254
        || s.bytes()
            .any(|b| b.is_ascii_whitespace() || b.is_ascii_control())
    {
        return refuse(what, s, "it may hold no spaces and at most 254 characters");
    }
    match s.split_once('@') {
        Some((local, domain))
            if !local.is_empty() && !domain.is_empty() && !domain.contains('@') =>
        {
            Ok(s.to_lowercase())
        }
        _ => refuse(what, s, "it must look like name@example.com"),
    }
}

impl Email {
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, d)| d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostnames_are_labels() {
        assert!("web-1".parse::<Hostname>().is_ok());
        for bad in ["", "-a", "a-", "Web", "a.b", "a b", &"x".repeat(64)] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_machine_calls_itself_becomes_a_label() {
        for (raw, want) in [
            ("Ada's MacBook Pro.local", "ada-s-macbook-pro"),
            ("DESKTOP_1", "desktop-1"),
            ("ü", "node"),
            ("", "node"),
        ] {
            assert_eq!(Hostname::sanitize(raw).as_str(), want);
        }
    }

    #[test]
    fn a_refusal_names_what_and_why() {
        let e = "web".parse::<Tag>().unwrap_err();
        assert_eq!(
            e.to_string(),
            "`web` is not a valid tag: it must start with `tag:`"
        );
    }

    #[test]
    fn e_mail_addresses_are_lower_cased() {
        assert_eq!(
            "Ada@Example.com".parse::<Email>().unwrap().as_str(),
            "ada@example.com"
        );
        assert!("ada".parse::<Email>().is_err());
    }
}
