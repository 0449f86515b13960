//! What a comparison of two policies asks of each rule.

use wire::UserId;

use super::table::{Resolved, SshTable};
use crate::{diagnostic::Span, directory::NodeFacts};

impl SshTable {
    /// The rules in the order in which they are tried.
    pub(crate) fn rules(&self) -> &[Resolved] {
        &self.rules
    }
}

impl Resolved {
    /// Its place in `ssh` and in the document.
    pub(crate) fn place(&self) -> (usize, Span) {
        (self.rule.index, self.rule.span)
    }

    pub(crate) fn is_check(&self) -> bool {
        self.rule.is_check()
    }

    /// True when both let the same devices in, as far as rules go.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.rule.essence() == other.rule.essence()
    }

    /// True when it lets the node sign in somewhere.
    pub(crate) fn sends(&self, from: &NodeFacts) -> bool {
        self.is_open() && self.rule.is_source(from)
    }

    /// True when it lets all of its sources sign in to the node.
    pub(crate) fn receives(&self, to: &NodeFacts) -> bool {
        self.rule.is_target(to)
    }

    /// True when it lets users sign in to their own devices.
    pub(crate) fn is_to_own(&self) -> bool {
        self.rule.to_self
    }

    /// True when it lets the node's user sign in to it as one of its sources.
    pub(crate) fn receives_itself(&self, to: &NodeFacts) -> bool {
        self.rule.reaches_itself(to)
    }

    /// The login names that every source has, `*` for all but `root`.
    pub(crate) fn logins(&self) -> impl Iterator<Item = &str> {
        self.rule.names.keys().map(String::as_str)
    }

    /// True when users have login names of their own.
    pub(crate) fn is_personal(&self) -> bool {
        self.rule.personal
    }

    /// The user's own login name.
    pub(crate) fn own_login(&self, user: UserId) -> Option<&str> {
        self.rule.local_part(user)
    }
}
