//! Rules and tags that are nobody's, and users that no rule names.

use std::collections::BTreeSet;

use super::view::{self, View};
use crate::{
    diagnostic::{Code, Sink, Span},
    directory::Directory,
    selector::autogroup::Autogroup,
};

/// How many users one finding names.
const NAMED: usize = 5;

pub(super) fn look(view: &View<'_>, directory: &Directory, sink: &mut Sink) {
    let people = People::of(view, directory);
    for section in ["acls", "grants", "ssh"] {
        for rule in view.rules(section) {
            for (part, what) in [("src", "source"), ("dst", "destination")] {
                let mut names = rule.texts(part).peekable();
                if names.peek().is_some() && names.all(|(n, _)| people.is_nobody(n)) {
                    sink.warning(
                        Code::MatchesNobody,
                        rule.span,
                        format!(
                            "no user of this tenant is a {what} of this rule: it allows nothing"
                        ),
                    )
                    .help("name users that there are, or fill its groups");
                    break;
                }
            }
        }
    }
    tags(view, &people, sink);
    strangers(view, &people, sink);
}

/// Tags whose owners are nobody.
fn tags(view: &View<'_>, people: &People<'_>, sink: &mut Sink) {
    for member in view.names("tagOwners") {
        let tag = member.key.text.as_str();
        let owners = view::texts(&member.value);
        let nobody = |name: &str| name == tag || people.is_nobody(name);
        if !owners.is_empty() && owners.iter().all(|(name, _)| nobody(name)) {
            sink.warning(
                Code::UnassignableTag,
                member.key.span,
                format!(
                    "nobody but administrators may give `{tag}` to a node: its owners are nobody"
                ),
            )
            .help("name users that there are, or write `[]` if that is meant");
        }
    }
}

/// Users whose devices no rule lets reach anything.
fn strangers(view: &View<'_>, people: &People<'_>, sink: &mut Sink) {
    let rules: Vec<_> = ["acls", "grants"]
        .iter()
        .flat_map(|s| view.rules(s))
        .collect();
    if rules.is_empty() {
        return;
    }
    let mut missing: BTreeSet<&str> = people.all.iter().map(|(email, _)| email.as_str()).collect();
    let sources = rules.iter().flat_map(|r| r.texts("src"));
    let sources: BTreeSet<&str> = sources.map(|(name, _)| name).collect();
    for name in sources {
        for email in people.named(name) {
            missing.remove(email);
        }
        // Addresses and the groups of identity providers may be anybody's.
        if name == "*" || people.is_unknown(name) {
            return;
        }
    }
    if missing.is_empty() {
        return;
    }
    let place = view.section("acls").or_else(|| view.section("grants"));
    let named: Vec<&str> = missing.iter().copied().take(NAMED).collect();
    let more = missing.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    sink.warning(
        Code::UserInNoRule,
        place.map_or(Span::default(), |m| m.key.span),
        format!("no rule has these users as a source: {}{more}", named.join(", ")),
    )
    .help("their devices reach nothing: name them, or a group of theirs, in a rule if that is not meant");
}

struct People<'a> {
    /// Login names, lower-cased, and roles.
    all: Vec<(String, &'a crate::User)>,
    emails: BTreeSet<String>,
    /// By name, sorted: members, lower-cased.
    groups: Vec<(&'a str, Vec<String>)>,
}

impl<'a> People<'a> {
    fn of(view: &View<'a>, directory: &'a Directory) -> Self {
        let all: Vec<_> = directory
            .users
            .iter()
            .map(|u| (u.email.to_lowercase(), u))
            .collect();
        let groups = view.names("groups").iter().map(|m| {
            let members = view::texts(&m.value)
                .into_iter()
                .map(|(t, _)| t.to_lowercase());
            (m.key.text.as_str(), members.collect())
        });
        let mut groups: Vec<(&str, Vec<String>)> = groups.collect();
        groups.sort_by_key(|(name, _)| *name);
        Self {
            emails: all.iter().map(|(email, _)| email.clone()).collect(),
            all,
            groups,
        }
    }

    /// The users that a name of people stands for; none for other names.
    fn named<'p>(&'p self, name: &'p str) -> Box<dyn Iterator<Item = &'p str> + 'p> {
        let (name, _) = without_ports(name);
        let emails = self.emails.iter().map(String::as_str);
        if let Some(domain) = name.strip_prefix("user:*@") {
            let of = move |email: &&str| {
                email
                    .rsplit_once('@')
                    .is_some_and(|(_, d)| d.eq_ignore_ascii_case(domain))
            };
            return Box::new(emails.filter(of));
        }
        if let Some(group) = Autogroup::ALL.iter().find(|g| g.as_str() == name) {
            let holds = |u: &crate::User| group.holds_role(u.role) == Some(true);
            let all = self.all.iter().filter(move |(_, u)| holds(u));
            return Box::new(all.map(|(email, _)| email.as_str()));
        }
        let one = |email: &str| self.emails.get(email).map(String::as_str);
        match self.group(name) {
            Some(members) => Box::new(members.iter().filter_map(move |m| one(m))),
            None => Box::new(one(&name.to_lowercase()).into_iter()),
        }
    }

    fn group(&self, name: &str) -> Option<&[String]> {
        let at = self.groups.binary_search_by_key(&name, |(n, _)| n).ok()?;
        self.groups.get(at).map(|(_, members)| members.as_slice())
    }

    /// True for names of people that stand for no user now.
    fn is_nobody(&self, name: &str) -> bool {
        let (bare, _) = without_ports(name);
        let autogroup = Autogroup::ALL.iter().find(|g| g.as_str() == bare);
        let of_people = match autogroup {
            Some(group) => group.is_of_people(),
            None => {
                self.group(bare).is_some()
                    || bare.starts_with("user:*@")
                    || (bare.contains('@') && !bare.contains(':'))
            }
        };
        of_people && self.named(bare).next().is_none()
    }

    /// True for names that may stand for people whom the directory does not tell.
    fn is_unknown(&self, name: &str) -> bool {
        let is_provider_group = name.starts_with("group:") && self.group(name).is_none();
        let is_address =
            !name.contains('@') && !name.starts_with("tag:") && !name.contains("group:");
        is_provider_group || is_address
    }
}

/// A destination of `acls` without its ports; other names as they are.
fn without_ports(name: &str) -> (&str, &str) {
    let is_ported = name.rsplit_once(':').is_some_and(|(_, ports)| {
        ports
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '*' | ',' | '-'))
    });
    if is_ported && !name.ends_with(":*@") {
        view::target(name)
    } else {
        (name, "")
    }
}
