//! Login names as documents write them.
//!
//! Tailscale's service knows the whole name, `ada@example.com`. Headscale also
//! writes `ada@`, without a domain (its manual, "ACLs": users are named with an
//! `@` at the end): here it means the one user whose login name begins so.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Sink, Span};
use wire::name::{Email, NameError};

/// Users by login name.
#[derive(Debug, Default)]
pub(crate) struct Logins<T> {
    by_name: BTreeMap<String, T>,
}

impl<T> Logins<T> {
    /// By names in whatever case.
    pub(crate) fn new<'n>(users: impl Iterator<Item = (&'n str, T)>) -> Self {
        Self {
            by_name: users
                .map(|(name, user)| (name.to_lowercase(), user))
                .collect(),
        }
    }

    /// Whom a name in a document means; nobody, where several begin as it does.
    pub(crate) fn find(&self, written: &str) -> Option<&T> {
        if !written.ends_with('@') {
            return self.by_name.get(written);
        }
        let from = self.by_name.range(written.to_owned()..);
        let mut begin_so = from.take_while(|(name, _)| name.starts_with(written));
        let only = begin_so.next();
        only.filter(|_| begin_so.next().is_none())
            .map(|(_, user)| user)
    }

    /// Warns of a name that means nobody.
    pub(crate) fn must_know(&self, written: &str, span: Span, sink: &mut Sink) {
        if self.find(written).is_some() {
            return;
        }
        let found = sink.warning(
            Code::UnknownUser,
            span,
            format!("`{written}` is no user of this tenant and matches nothing"),
        );
        let mut begin_so = self.all().map(|(name, _)| name);
        if written.ends_with('@') && begin_so.any(|name| name.starts_with(written)) {
            found.help("several login names begin so: write the whole one");
        } else {
            found.did_you_mean(written, self.all().map(|(name, _)| name));
        }
    }

    /// All of them, in the order of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        self.by_name
            .iter()
            .map(|(name, user)| (name.as_str(), user))
    }
}

/// Reads a name, whole or without a domain.
pub(crate) fn read(text: &str) -> Result<String, NameError> {
    let whole = |name: &str| format!("{name}@example.com").parse::<Email>().is_ok();
    if text.strip_suffix('@').is_some_and(whole) {
        return Ok(text.to_lowercase());
    }
    text.parse::<Email>().map(|email| email.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_domain_means_the_only_user_that_begins_so() {
        let users = [
            "Ada@example.com",
            "adam@example.com",
            "bob@a.example",
            "bob@b.example",
        ];
        let logins = Logins::new(users.into_iter().zip(0..));
        for (written, found) in [
            ("ada@example.com", Some(0)),
            ("ada@", Some(0)),
            ("adam@", Some(1)),
            ("ad@", None),
            ("bob@", None),
            ("bob@b.example", Some(3)),
        ] {
            assert_eq!(logins.find(written).copied(), found, "{written}");
        }
    }

    #[test]
    fn names_are_read_whole_and_without_a_domain() {
        assert_eq!(read("Ada@").unwrap(), "ada@");
        assert_eq!(read("Ada@Example.com").unwrap(), "ada@example.com");
        for wrong in ["@", "a b@", "a@b@", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
