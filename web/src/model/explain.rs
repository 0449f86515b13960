//! A question about the policy, from what a person fills in.

use policy::Document;
use wire::api::{
    node::Node,
    policy::explain::{Case, Names, Question, Traffic, Verdict},
    user::User,
};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ask {
    /// May packets go from here to there?
    #[default]
    Reach,
    /// May somebody sign in by SSH?
    SignIn,
    /// Who can reach it?
    WhoReaches,
    /// Who can sign in to it by SSH?
    WhoSignsIn,
}

impl Ask {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::Reach,
        Self::SignIn,
        Self::WhoReaches,
        Self::WhoSignsIn,
    ];

    /// For forms and tests.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::SignIn => "sign-in",
            Self::WhoReaches => "who",
            Self::WhoSignsIn => "who-signs-in",
        }
    }

    /// For people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Reach => "From one to another",
            Self::SignIn => "Sign in by SSH",
            Self::WhoReaches => "Who can reach…",
            Self::WhoSignsIn => "Who can sign in…",
        }
    }

    /// Whether it begins at somebody.
    pub(crate) const fn has_source(self) -> bool {
        matches!(self, Self::Reach | Self::SignIn)
    }

    /// Whether it is about a login name, not about packets.
    pub(crate) const fn is_of_ssh(self) -> bool {
        matches!(self, Self::SignIn | Self::WhoSignsIn)
    }

    /// From its word.
    pub(crate) fn parse(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|ask| ask.word() == word).unwrap_or_default()
    }
}

/// What is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Form {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) protocol: String,
    pub(crate) ports: String,
    pub(crate) login: String,
}

impl Form {
    /// The question.
    pub(crate) fn question(&self, ask: Ask) -> Question {
        let (from, to) = (self.from.trim().to_owned(), self.to.trim().to_owned());
        match ask {
            Ask::Reach => Question::Reach {
                from,
                to,
                traffic: self.traffic(),
            },
            Ask::SignIn => Question::SignIn {
                from,
                to,
                login: self.login.trim().to_owned(),
            },
            Ask::WhoReaches => Question::WhoReaches {
                to,
                traffic: self.traffic(),
            },
            Ask::WhoSignsIn => Question::WhoSignsIn {
                to,
                login: self.login.trim().to_owned(),
            },
        }
    }

    fn traffic(&self) -> Traffic {
        let or = |text: &str, default: String| match text.trim() {
            "" => default,
            text => text.to_owned(),
        };
        let all = Traffic::default();
        Traffic {
            protocol: or(&self.protocol, all.protocol),
            ports: or(&self.ports, all.ports),
        }
    }
}

/// The most names that are suggested.
const MOST: usize = 2_000;

/// Names that a question may be about: people, groups, tags, hosts, machines.
pub(crate) fn names(document: &Document, users: &[User], nodes: &[Node]) -> Vec<String> {
    let users = users.iter().map(|user| &user.email);
    let groups = document.groups.iter().map(|group| &group.name.text);
    let tags = document.tag_owners.iter().map(|tag| &tag.tag.text);
    let hosts = document.hosts.iter().map(|host| &host.name.text);
    let nodes = nodes.iter().map(|node| &node.name);
    let all = users.chain(groups).chain(tags).chain(hosts).chain(nodes);
    let mut seen = std::collections::BTreeSet::new();
    all.filter(|name| seen.insert(*name))
        .take(MOST)
        .cloned()
        .collect()
}

/// How one of the answers is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It is the only one.
    Alone,
    /// With its reasons.
    Open,
    /// Its sentence, and its reasons on demand.
    Folded,
}

/// As many answers show their reasons at once.
const OPEN: usize = 2;

/// What is let through first, and how each is shown.
pub(crate) fn in_order(mut cases: Vec<Case>) -> impl Iterator<Item = (Case, Shape)> {
    cases.sort_by_key(|case| match case.verdict {
        Verdict::Allowed => 0,
        Verdict::Partly => 1,
        Verdict::Denied => 2,
        Verdict::Unasked => 3,
    });
    let is_alone = cases.len() == 1;
    cases.into_iter().enumerate().map(move |(at, case)| {
        let shape = match at {
            _ if is_alone => Shape::Alone,
            0 => Shape::Open,
            at if at < OPEN && case.verdict != Verdict::Denied => Shape::Open,
            _ => Shape::Folded,
        };
        (case, shape)
    })
}

/// `2 allowed, 14 denied`, where there are several.
pub(crate) fn tally(cases: &[Case]) -> Option<String> {
    if cases.len() < 2 {
        return None;
    }
    let parts = [
        (Verdict::Allowed, "allowed"),
        (Verdict::Partly, "partly"),
        (Verdict::Denied, "denied"),
    ];
    let parts = parts.into_iter().filter_map(|(verdict, word)| {
        let count = cases.iter().filter(|case| case.verdict == verdict).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let parts: Vec<String> = parts.collect();
    Some(format!("By reason: {}", parts.join(", ")))
}

/// `a, b and 3 more`.
pub(crate) fn listed(names: &Names) -> String {
    shortened(&names.first, names.total.saturating_sub(names.first.len()))
}

/// The names, and how many are left out.
pub(crate) fn shortened(names: &[String], more: usize) -> String {
    let first = names.join(", ");
    match more {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `1 machine`, `3 machines`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_empty_means_every_tcp_port() {
        let form = Form {
            from: " ada@example.com ".to_owned(),
            to: "tag:web".to_owned(),
            ..Form::default()
        };
        let Question::Reach { from, traffic, .. } = form.question(Ask::Reach) else {
            panic!("another question");
        };
        assert_eq!(from, "ada@example.com");
        assert_eq!(traffic, Traffic::default());
        for ask in Ask::ALL {
            assert_eq!(Ask::parse(ask.word()), ask);
        }
    }

    #[test]
    fn names_come_from_the_policy_and_the_tenant() {
        let (document, _) = policy::parse(policy::STARTER);
        let names = names(&document, &[], &[]);
        assert!(
            names.iter().any(|name| name.starts_with("tag:")),
            "{names:?}"
        );
    }

    #[test]
    fn what_is_let_through_comes_first_and_denials_are_folded() {
        let case = |verdict| Case {
            verdict,
            sentence: String::new(),
            from: Names::default(),
            to: Names::default(),
            pairs: 1,
            chains: Vec::new(),
            denied: None,
        };
        let one = vec![case(Verdict::Denied)];
        assert_eq!(tally(&one), None);
        assert_eq!(in_order(one).next().unwrap().1, Shape::Alone);
        let all = vec![
            case(Verdict::Denied),
            case(Verdict::Denied),
            case(Verdict::Allowed),
        ];
        assert_eq!(tally(&all).unwrap(), "By reason: 1 allowed, 2 denied");
        let shown: Vec<_> = in_order(all)
            .map(|(case, shape)| (case.verdict, shape))
            .collect();
        assert_eq!(
            shown,
            [
                (Verdict::Allowed, Shape::Open),
                (Verdict::Denied, Shape::Folded),
                (Verdict::Denied, Shape::Folded)
            ]
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let names = Names {
            first: vec!["a".to_owned(), "b".to_owned()],
            total: 5,
        };
        assert_eq!(listed(&names), "a, b and 3 more");
        assert_eq!(count(1, "machine", "machines"), "1 machine");
    }
}
