//! Cases as they are written: HuJSON, read by the crate's own reader.

use policy::source::{self, Kind, Member, Value};

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// What it shows, in a sentence.
    pub(crate) says: String,
    /// The public page that the rule comes from.
    pub(crate) page: String,
    /// The policy's text.
    pub(crate) policy: String,
    /// Nodes that its tenant has beside those of all tables, as `tenant.rs` reads them.
    pub(crate) nodes: Vec<(String, String)>,
    /// What follows from it.
    pub(crate) expect: Vec<Expect>,
}

/// One thing that follows.
#[derive(Debug, Clone)]
pub(crate) enum Expect {
    /// An error or a warning with this code, or with this text in its message.
    Error(String),
    Warning(String),
    /// No finding at all.
    Clean,
    /// `FROM > TO:PORT[/PROTOCOL]`
    Allows(String),
    Denies(String),
    /// `FROM > LOGIN@TO`
    SignsIn(String),
    SignsInAfterCheck(String),
    RefusesSignIn(String),
    /// Every SSH rule of a node, in their order.
    SshRules(String, Vec<String>),
    /// The whole filter of a node.
    Filter(String, Vec<String>),
    /// The subjects of all tests that fail, in their order.
    FailingTests(Vec<String>),
    /// `NODE PREFIX`: whether an offered route needs no approval.
    Approves(String),
    Leaves(String),
    /// `USER TAG` or `TAG TAG`: whether the first may give the second to a node.
    Assigns(String),
    RefusesTag(String),
    /// What a node is given, and what its peers are told.
    Attributes(String, Vec<String>),
    PeerAttributes(String, Vec<String>),
    /// Whom a node sees, and the routes that it sends to each of them.
    Sees(String, Vec<String>),
    Routes(String, Vec<String>),
    /// Who serves a prefix, whoever looks.
    Primary(String, Vec<String>),
    /// `VIEWER > NODE`: the addresses that the viewer is told.
    Addresses(String, Vec<String>),
}

/// The cases of a file. Members of `base` stand in every policy that does not have them itself.
pub(crate) fn read(area: &str, text: &str) -> Vec<Case> {
    let root = source::read(text).unwrap_or_else(|why| panic!("{area}: {why:?}"));
    let page = text_of(get(&root, "page"));
    let base = get(&root, "base").map(members).unwrap_or_default();
    let nodes = get(&root, "nodes").map(members).unwrap_or_default();
    let Kind::Array(cases) = &get(&root, "cases").unwrap().kind else {
        panic!("{area}: no cases");
    };
    cases
        .iter()
        .map(|value| Case {
            says: text_of(get(value, "says")),
            page: page_of(&page, get(value, "page")),
            policy: policy(text, base, get(value, "policy")),
            nodes: nodes
                .iter()
                .map(|m| (m.key.text.clone(), text_of(Some(&m.value))))
                .collect(),
            expect: members(value)
                .iter()
                .flat_map(|m| expects(area, m))
                .collect(),
        })
        .collect()
}

fn page_of(common: &str, own: Option<&Value>) -> String {
    match own.map(|v| text_of(Some(v))) {
        Some(own) if own.starts_with('#') => format!("{common}{own}"),
        Some(own) => own,
        None => common.to_owned(),
    }
}

/// The case's policy as written, with what it leaves out taken from the base. A string is the whole text.
fn policy(text: &str, base: &[Member], own: Option<&Value>) -> String {
    let own = match own.map(|v| &v.kind) {
        Some(Kind::String(whole)) => return whole.clone(),
        Some(Kind::Object(own)) => own.as_slice(),
        Some(other) => panic!("a policy is no {other:?}"),
        None => &[],
    };
    let kept = |m: &&Member| own.iter().all(|o| o.key.text != m.key.text);
    let all = base.iter().filter(kept).chain(own);
    let written: Vec<&str> = all
        .map(|m| &text[m.key.span.start..m.value.span.end])
        .collect();
    format!("{{{}}}", written.join(",\n"))
}

fn expects(area: &str, member: &Member) -> Vec<Expect> {
    let each = |make: fn(String) -> Expect| texts(&member.value).into_iter().map(make).collect();
    let by_node = |make: fn(String, Vec<String>) -> Expect| {
        let nodes = members(&member.value).iter();
        nodes
            .map(|m| make(m.key.text.clone(), texts(&m.value)))
            .collect()
    };
    match member.key.text.as_str() {
        "says" | "page" | "policy" => Vec::new(),
        "errors" => each(Expect::Error),
        "warnings" => each(Expect::Warning),
        "clean" => vec![Expect::Clean],
        "allows" => each(Expect::Allows),
        "denies" => each(Expect::Denies),
        "signsIn" => each(Expect::SignsIn),
        "signsInAfterCheck" => each(Expect::SignsInAfterCheck),
        "refusesSignIn" => each(Expect::RefusesSignIn),
        "ssh" => by_node(Expect::SshRules),
        "filter" => by_node(Expect::Filter),
        "failingTests" => vec![Expect::FailingTests(texts(&member.value))],
        "approves" => each(Expect::Approves),
        "leaves" => each(Expect::Leaves),
        "assigns" => each(Expect::Assigns),
        "refusesTag" => each(Expect::RefusesTag),
        "attributes" => by_node(Expect::Attributes),
        "peerAttributes" => by_node(Expect::PeerAttributes),
        "sees" => by_node(Expect::Sees),
        "routes" => by_node(Expect::Routes),
        "primary" => by_node(Expect::Primary),
        "addresses" => by_node(Expect::Addresses),
        other => panic!("{area}: a case has no `{other}`"),
    }
}

impl Case {
    /// The same case with one expectation turned around, for each that it has.
    pub(crate) fn distorted(&self) -> impl Iterator<Item = Self> {
        self.expect.iter().enumerate().map(|(at, expect)| {
            let mut case = self.clone();
            case.expect[at] = expect.turned();
            case
        })
    }
}

impl Expect {
    fn turned(&self) -> Self {
        let more = |list: &[String], odd: &str| {
            let mut list = list.to_vec();
            list.push(odd.to_owned());
            list
        };
        match self {
            Self::Error(_) => Self::Clean,
            Self::Warning(w) => Self::Error(w.clone()),
            Self::Clean => Self::Error("syntax".to_owned()),
            Self::Allows(flow) => Self::Denies(flow.clone()),
            Self::Denies(flow) => Self::Allows(flow.clone()),
            Self::SignsIn(way) | Self::SignsInAfterCheck(way) => Self::RefusesSignIn(way.clone()),
            Self::RefusesSignIn(way) => Self::SignsIn(way.clone()),
            Self::SshRules(node, rules) => {
                Self::SshRules(node.clone(), more(rules, "accept from web1 as root:root"))
            }
            Self::Filter(node, rules) => {
                Self::Filter(node.clone(), more(rules, "203.0.113.77 > 203.0.113.78:7"))
            }
            Self::FailingTests(list) => Self::FailingTests(more(list, "nobody")),
            Self::Approves(text) => Self::Leaves(text.clone()),
            Self::Leaves(text) => Self::Approves(text.clone()),
            Self::Assigns(text) => Self::RefusesTag(text.clone()),
            Self::RefusesTag(text) => Self::Assigns(text.clone()),
            Self::Attributes(node, all) => Self::Attributes(node.clone(), more(all, "odd")),
            Self::PeerAttributes(node, all) => Self::PeerAttributes(node.clone(), more(all, "odd")),
            Self::Sees(node, all) => Self::Sees(node.clone(), more(all, "nobody")),
            Self::Routes(node, all) => Self::Routes(node.clone(), more(all, "nobody 10.77.0.0/16")),
            Self::Primary(prefix, all) => Self::Primary(prefix.clone(), more(all, "nobody")),
            Self::Addresses(pair, all) => Self::Addresses(pair.clone(), more(all, "203.0.113.77")),
        }
    }
}

fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let found = members(value).iter().find(|m| m.key.text == name);
    found.map(|m| &m.value)
}

fn members(value: &Value) -> &[Member] {
    match &value.kind {
        Kind::Object(members) => members,
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => {
            panic!("an object, not {}", value.kind.name())
        }
    }
}

fn text_of(value: Option<&Value>) -> String {
    match value.map(|v| &v.kind) {
        Some(Kind::String(text)) => text.clone(),
        other => panic!("a string, not {other:?}"),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match &value.kind {
        Kind::Array(items) => items.iter().map(|v| text_of(Some(v))).collect(),
        Kind::String(text) => vec![text.clone()],
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Object(_) => {
            panic!("strings, not {}", value.kind.name())
        }
    }
}
