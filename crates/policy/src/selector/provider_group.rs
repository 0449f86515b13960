//! Groups that an identity provider tells of.

/// A group of an identity provider: `group:NAME@AT`. Names are compared after
/// trimming and case folding, which reading does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderGroup {
    /// The group's name there.
    pub name: String,
    /// The slug of the connection, or a domain that one connection owns.
    pub at: String,
}

impl ProviderGroup {
    /// Reads `group:NAME@AT`; `None` when there is no `@`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (name, at) = text.strip_prefix("group:")?.rsplit_once('@')?;
        Some(Self {
            name: fold(name),
            at: fold(at),
        })
    }
}

impl std::fmt::Display for ProviderGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "group:{}@{}", self.name, self.at)
    }
}

/// A name as it is compared.
pub(crate) fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_stands_after_the_last_at() {
        let read = |t: &str| ProviderGroup::read(t).map(|g| g.to_string());
        assert_eq!(read("group: Ops @Okta").as_deref(), Some("group:ops@okta"));
        assert_eq!(
            read("group:a@b@example.com").as_deref(),
            Some("group:a@b@example.com")
        );
        assert_eq!(read("group:ops"), None);
    }
}
