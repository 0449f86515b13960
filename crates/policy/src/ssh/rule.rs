//! One SSH rule over users and tags.

use std::collections::{BTreeMap, BTreeSet};

use wire::UserId;

use crate::{
    compile::People,
    diagnostic::Span,
    directory::{Directory, NodeFacts},
    document::{
        Document,
        ssh::{LoginKind, SshAction, SshRule},
    },
    posture::{self, Requirement},
    selector::{SelectorKind, autogroup::Autogroup},
};

/// Some of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// The own devices of these users.
    Users(BTreeSet<UserId>),
    /// Nodes with this tag.
    Tag(String),
    /// Nodes without tags.
    Member,
    /// Nodes with tags.
    Tagged,
}

impl Who {
    fn new(kind: &SelectorKind, people: &People<'_>, directory: &Directory) -> Self {
        match kind {
            SelectorKind::User(email) => Self::Users(people.user(email)),
            SelectorKind::Group(name) => Self::Users(people.group(name)),
            SelectorKind::UsersOf(domain) => Self::Users(people.of_domain(directory, domain)),
            SelectorKind::ProviderGroup(group) => {
                Self::Users(People::provider_group(directory, group))
            }
            SelectorKind::Tag(tag) => Self::Tag(tag.clone()),
            SelectorKind::Autogroup(Autogroup::Member) => Self::Member,
            SelectorKind::Autogroup(Autogroup::Tagged) => Self::Tagged,
            SelectorKind::Autogroup(group) => {
                Self::Users(people.with_role(|role| group.holds_role(role) == Some(true)))
            }
            // Nobody can be sure whose an address is: these may not stand in `ssh`.
            SelectorKind::Any
            | SelectorKind::Host(_)
            | SelectorKind::IpSet(_)
            | SelectorKind::Service(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Range(..) => Self::Users(BTreeSet::new()),
        }
    }

    fn holds(&self, node: &NodeFacts) -> bool {
        match self {
            Self::Users(users) => node.owner().is_some_and(|u| users.contains(&u)),
            Self::Tag(tag) => node.tags.contains(tag),
            Self::Member => node.owner().is_some(),
            Self::Tagged => !node.tags.is_empty(),
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its place in `ssh`.
    pub(super) index: usize,
    pub(super) span: Span,
    pub(super) action: SshAction,
    pub(super) accept_env: Vec<String>,
    sources: Vec<Who>,
    /// Destinations other than `autogroup:self`.
    targets: Vec<Who>,
    /// `autogroup:self` is a destination.
    pub(super) to_self: bool,
    /// Login names that every source has, to accounts.
    pub(super) names: BTreeMap<String, String>,
    /// True when `users` has a `localpart:`.
    pub(super) personal: bool,
    /// By user: his own login name.
    local_parts: BTreeMap<UserId, String>,
    recorders: Vec<Who>,
    enforce: bool,
    /// Postures of which a source must meet one; `None`: it asks for none.
    requirement: Option<Requirement>,
}

impl Rule {
    pub(super) fn new(
        rule: &SshRule,
        document: &Document,
        people: &People<'_>,
        directory: &Directory,
    ) -> Self {
        let is_self =
            |kind: &SelectorKind| *kind == SelectorKind::Autogroup(Autogroup::SelfDevices);
        let who = |kind: &SelectorKind| Who::new(kind, people, directory);
        let logins = || rule.logins.iter().map(|l| &l.kind);
        let domains: BTreeSet<&str> = logins().filter_map(local_domain).collect();
        let targets = rule.destinations.iter().map(|s| &s.kind);
        Self {
            index: rule.index,
            span: rule.span,
            action: rule.action,
            accept_env: rule.accept_env.iter().map(|t| t.text.clone()).collect(),
            sources: rule.sources.iter().map(|s| who(&s.kind)).collect(),
            targets: targets.clone().filter(|k| !is_self(k)).map(who).collect(),
            to_self: targets.clone().any(is_self),
            names: names(logins()),
            personal: !domains.is_empty(),
            local_parts: local_parts(&domains, directory),
            recorders: rule.recorders.iter().map(|s| who(&s.kind)).collect(),
            enforce: rule.enforce_recorder,
            requirement: posture::asks(document, &rule.postures)
                .map(|names| Requirement::new(document, names)),
        }
    }

    /// The rule without its place: equal ones let the same devices in.
    pub(super) fn essence(&self) -> Self {
        Self {
            index: 0,
            span: Span::default(),
            ..self.clone()
        }
    }

    pub(super) fn is_check(&self) -> bool {
        matches!(self.action, SshAction::Check(_))
    }

    /// True when the node is among the sources and meets what they must.
    pub(super) fn is_source(&self, node: &NodeFacts) -> bool {
        let requirement = self.requirement.as_ref();
        self.names_source(node) && requirement.is_none_or(|r| r.is_met(&node.posture))
    }

    /// True when the node is among the sources, whatever its posture.
    pub(super) fn names_source(&self, node: &NodeFacts) -> bool {
        self.sources.iter().any(|w| w.holds(node))
    }

    /// True when a source is let in for who it is alone.
    pub(super) fn asks_no_posture(&self) -> bool {
        self.requirement.is_none()
    }

    /// True when the user's own devices are sources.
    pub(super) fn has_source(&self, user: UserId) -> bool {
        self.sources.iter().any(|who| match who {
            Who::Users(users) => users.contains(&user),
            Who::Member => true,
            Who::Tag(_) | Who::Tagged => false,
        })
    }

    pub(super) fn is_target(&self, node: &NodeFacts) -> bool {
        self.targets.iter().any(|w| w.holds(node))
    }

    /// With `localpart:`, a source may also sign in to where it is.
    pub(super) fn reaches_itself(&self, node: &NodeFacts) -> bool {
        let elsewhere = self.personal && !self.targets.is_empty() && !self.is_target(node);
        elsewhere && self.names_source(node)
    }

    pub(super) fn is_recorder(&self, node: &NodeFacts) -> bool {
        self.recorders.iter().any(|w| w.holds(node))
    }

    /// True when a session that cannot be recorded ends.
    pub(super) fn enforces(&self) -> bool {
        self.enforce
    }

    /// The user's own login name under this rule.
    pub(super) fn local_part(&self, user: UserId) -> Option<&str> {
        self.local_parts.get(&user).map(String::as_str)
    }
}

fn local_domain(kind: &LoginKind) -> Option<&str> {
    match kind {
        LoginKind::LocalPart(domain) => Some(domain),
        LoginKind::Root | LoginKind::Nonroot | LoginKind::Named(_) => None,
    }
}

/// As clients read it: `root` always stands there, with or without an account.
fn names<'a>(logins: impl Iterator<Item = &'a LoginKind>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::from([("root".to_owned(), String::new())]);
    for login in logins {
        match login {
            LoginKind::Root => names.insert("root".to_owned(), "root".to_owned()),
            LoginKind::Nonroot => names.insert("*".to_owned(), "=".to_owned()),
            LoginKind::Named(name) => names.insert(name.clone(), name.clone()),
            LoginKind::LocalPart(_) => None,
        };
    }
    names
}

/// The local part of every user's login in one of the domains, which must be the tenant's.
fn local_parts(domains: &BTreeSet<&str>, directory: &Directory) -> BTreeMap<UserId, String> {
    let ours = |domain: &str| {
        directory
            .domains
            .iter()
            .any(|d| d.eq_ignore_ascii_case(domain))
    };
    let asked = |domain: &str| domains.iter().any(|d| d.eq_ignore_ascii_case(domain));
    let users = directory.users.iter();
    users
        .filter_map(|user| {
            let (local, domain) = user.email.rsplit_once('@')?;
            (asked(domain) && ours(domain)).then(|| (user.id, local.to_owned()))
        })
        .collect()
}
