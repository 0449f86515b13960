//! May this node sign in to that one, under this name?

use wire::UserId;

use super::table::{Resolved, SshTable};
use crate::{diagnostic::Span, directory::NodeFacts};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshDecision {
    /// A rule lets it in.
    Allowed {
        /// Its place in `ssh`, from 0.
        rule: usize,
        /// Where it stands.
        span: Span,
        /// True when the person must have signed in lately.
        check: bool,
    },
    /// No rule lets it in.
    Denied,
}

impl SshTable {
    /// The first rule that lets `from` sign in to `to` as `login`.
    pub fn decide(&self, from: &NodeFacts, to: &NodeFacts, login: &str) -> SshDecision {
        self.allowing(from, to, login)
            .next()
            .unwrap_or(SshDecision::Denied)
    }

    /// Every rule that lets `from` sign in to `to` as `login`, in the order in which they are tried.
    pub fn allowing<'s>(
        &'s self,
        from: &'s NodeFacts,
        to: &'s NodeFacts,
        login: &'s str,
    ) -> impl Iterator<Item = SshDecision> + 's {
        let matching = move |r: &&Resolved| r.meets(from, to) && r.names(from.owner(), login);
        self.rules
            .iter()
            .filter(matching)
            .map(|r| SshDecision::Allowed {
                rule: r.rule.index,
                span: r.rule.span,
                check: r.rule.is_check(),
            })
    }
}

impl Resolved {
    /// True when the rule is about connections from one to the other.
    fn meets(&self, from: &NodeFacts, to: &NodeFacts) -> bool {
        if !self.is_open() || !self.rule.is_source(from) {
            return false;
        }
        let same_owner = from.owner().is_some() && from.owner() == to.owner();
        let own = self.rule.to_self && same_owner;
        own || self.rule.is_target(to) || (self.rule.reaches_itself(to) && same_place(from, to))
    }

    /// True when it lets a user's device in as `login`.
    pub(crate) fn names(&self, owner: Option<UserId>, login: &str) -> bool {
        let own = owner.and_then(|u| self.rule.local_part(u));
        !login.is_empty() && (own == Some(login) || grants(&self.rule.names, login))
    }
}

fn same_place(from: &NodeFacts, to: &NodeFacts) -> bool {
    match to.owner() {
        Some(user) => from.owner() == Some(user),
        None => from.addresses == to.addresses,
    }
}

/// True when the map of names has an account for the login name. `*` never stands for `root`.
fn grants(names: &std::collections::BTreeMap<String, String>, login: &str) -> bool {
    match names.get(login).or_else(|| names.get("*")) {
        Some(account) => !account.is_empty(),
        None => false,
    }
}
