//! Rules that say nothing that another does not say.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::{PortRange, Prefix};

use super::view::{self, Rule, View};
use crate::{
    diagnostic::{Code, Sink},
    selector::autogroup::Autogroup,
    source::{Kind, Value},
};

/// The most pairs of rules that are compared, so that ten thousand rules do not take minutes.
const MAX_PAIRS: usize = 500_000;

pub(super) fn look(view: &View<'_>, sink: &mut Sink) {
    let mut twins = BTreeSet::new();
    for section in ["acls", "grants", "ssh", "nodeAttrs"] {
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for rule in view.rules(section) {
            let says = canonical_rule(&rule);
            if let Some(twin) = first.get(&says) {
                let number = twin + 1;
                sink.warning(
                    Code::DuplicateRule,
                    rule.span,
                    format!("this rule says what rule {number} of `{section}` says"),
                )
                .help("take one of the two out");
                if section == "acls" {
                    twins.insert(rule.index);
                }
            } else {
                first.insert(says, rule.index);
            }
        }
    }
    shadowed(view, &twins, sink);
}

fn canonical_rule(rule: &Rule<'_>) -> String {
    let parts = rule.parts.iter();
    let parts = parts.map(|(key, value)| format!("{key}={}", canonical(value)));
    parts.collect::<Vec<_>>().join(";")
}

/// A value whatever its formatting; lists of strings are sets.
fn canonical(value: &Value) -> String {
    let strings = view::texts(value);
    if let Kind::Array(items) = &value.kind
        && strings.len() == items.len()
    {
        let all: BTreeSet<&str> = strings.iter().map(|(text, _)| *text).collect();
        return format!("{all:?}");
    }
    spell(value)
}

/// A value without its formatting.
fn spell(value: &Value) -> String {
    enum Part<'v> {
        Value(&'v Value),
        Word(String),
    }
    let mut out = String::new();
    let mut left = vec![Part::Value(value)];
    while let Some(part) = left.pop() {
        let value = match part {
            Part::Value(value) => value,
            Part::Word(word) => {
                out.push_str(&word);
                continue;
            }
        };
        match &value.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => out.push_str(n),
            Kind::String(s) => out.push_str(&serde_json::Value::from(s.as_str()).to_string()),
            Kind::Array(items) => {
                out.push('[');
                left.push(Part::Word("]".to_owned()));
                for item in items.iter().rev() {
                    left.push(Part::Word(",".to_owned()));
                    left.push(Part::Value(item));
                }
            }
            Kind::Object(members) => {
                out.push('{');
                left.push(Part::Word("}".to_owned()));
                for member in members.iter().rev() {
                    left.push(Part::Word(",".to_owned()));
                    left.push(Part::Value(&member.value));
                    left.push(Part::Word(format!("{:?}:", member.key.text)));
                }
            }
        }
    }
    out
}

/// A rule of `acls`, taken apart.
struct Acl<'v> {
    rule: Rule<'v>,
    protocol: Option<&'v str>,
    sources: Vec<&'v str>,
    targets: Vec<(&'v str, Vec<PortRange>)>,
}

impl<'v> Acl<'v> {
    /// `None` for rules with conditions and for ports that cannot be read.
    fn of(rule: Rule<'v>) -> Option<Self> {
        if rule.parts.contains_key("srcPosture") {
            return None;
        }
        let targets: Option<Vec<_>> = rule
            .texts("dst")
            .map(|(text, _)| {
                let (name, ports) = view::target(text);
                Some((name, view::ports(ports)?))
            })
            .collect();
        Some(Self {
            protocol: rule.texts("proto").next().map(|(text, _)| text),
            sources: rule.texts("src").map(|(text, _)| text).collect(),
            targets: targets?,
            rule,
        })
    }
}

/// Rules of `acls` whose every part another rule allows too.
fn shadowed(view: &View<'_>, twins: &BTreeSet<usize>, sink: &mut Sink) {
    let covers = Covers::of(view);
    let acls: Vec<Acl<'_>> = view.rules("acls").into_iter().filter_map(Acl::of).collect();
    // A rule that covers another has its first source, or one that is wider.
    let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, acl) in acls.iter().enumerate() {
        for source in &acl.sources {
            by_source.entry(source).or_default().push(at);
        }
    }
    let mut wider: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut pairs = 0;
    for (at, acl) in acls.iter().enumerate() {
        let Some(source) = acl.sources.first() else {
            continue;
        };
        let wider = wider.entry(source).or_insert_with(|| {
            let names = by_source.iter();
            let names = names.filter(|(other, _)| covers.source(other, source));
            names.flat_map(|(_, rules)| rules).copied().collect()
        });
        for other in wider.iter().copied().filter(|other| *other != at) {
            pairs += 1;
            if pairs > MAX_PAIRS {
                return;
            }
            let Some(wide) = acls.get(other) else {
                continue;
            };
            let is_known = twins.contains(&acl.rule.index) || twins.contains(&wide.rule.index);
            if !is_known && covers.rule(wide, acl) {
                let number = wide.rule.index + 1;
                sink.warning(
                    Code::ShadowedRule,
                    acl.rule.span,
                    format!("rule {number} of `acls` allows all that this rule allows"),
                )
                .help("take this one out, or narrow the other");
                break;
            }
        }
    }
}

/// Which names include which.
struct Covers<'v> {
    groups: BTreeMap<&'v str, BTreeSet<String>>,
    /// Every name of a rule that stands for addresses.
    prefixes: BTreeMap<&'v str, Prefix>,
}

impl<'v> Covers<'v> {
    fn of(view: &View<'v>) -> Self {
        let members = |value: &Value| {
            let all = view::texts(value);
            all.iter().map(|(text, _)| text.to_lowercase()).collect()
        };
        let read = |text: &str| Some(Prefix::parse_any(text).ok()?.masked());
        let groups = view.names("groups").iter();
        let hosts = view.names("hosts").iter().filter_map(|m| {
            let (text, _) = *view::texts(&m.value).first()?;
            Some((m.key.text.as_str(), read(text)?))
        });
        let mut prefixes: BTreeMap<&str, Prefix> = hosts.collect();
        for rule in view.rules("acls") {
            let targets = rule.texts("dst").map(|(text, _)| view::target(text).0);
            for name in targets.chain(rule.texts("src").map(|(text, _)| text)) {
                if !prefixes.contains_key(name) {
                    prefixes.extend(read(name).map(|prefix| (name, prefix)));
                }
            }
        }
        Self {
            groups: groups
                .map(|m| (m.key.text.as_str(), members(&m.value)))
                .collect(),
            prefixes,
        }
    }

    /// Whether every source by the name `narrow` is one by the name `wide`.
    fn source(&self, wide: &str, narrow: &str) -> bool {
        if wide == narrow {
            return true;
        }
        if let Some(narrow) = self.prefixes.get(narrow) {
            let wide = self.prefixes.get(wide);
            return wide.is_some_and(|w| w.bits <= narrow.bits && w.contains(narrow.addr));
        }
        let of_people = is_of_people(narrow);
        match wide {
            "*" => of_people || narrow.starts_with("tag:") || narrow == Autogroup::Tagged.as_str(),
            "autogroup:member" => of_people,
            "autogroup:tagged" => narrow.starts_with("tag:"),
            group => {
                let members = self.groups.get(group);
                members.is_some_and(|m| m.contains(&narrow.to_lowercase()))
            }
        }
    }

    fn target(&self, wide: &str, narrow: &str) -> bool {
        // Everything but what only an exit node reaches.
        (wide == "*" && narrow != Autogroup::Internet.as_str()) || self.source(wide, narrow)
    }

    fn rule(&self, wide: &Acl<'_>, narrow: &Acl<'_>) -> bool {
        let protocols = wide
            .protocol
            .is_none_or(|_| wide.protocol == narrow.protocol)
            && (wide.protocol.is_some() || is_default(narrow.protocol));
        let sources = narrow
            .sources
            .iter()
            .all(|n| wide.sources.iter().any(|w| self.source(w, n)));
        let open = |name: &str, range: &PortRange| {
            wide.targets.iter().any(|(w, ports)| {
                self.target(w, name)
                    && ports
                        .iter()
                        .any(|p| p.first <= range.first && range.last <= p.last)
            })
        };
        let targets = narrow
            .targets
            .iter()
            .all(|(name, ports)| ports.iter().all(|range| open(name, range)));
        protocols && sources && targets && !narrow.targets.is_empty()
    }
}

/// Protocols that a rule without `proto` allows too.
fn is_default(protocol: Option<&str>) -> bool {
    protocol.is_none_or(|p| matches!(p, "tcp" | "udp" | "icmp" | "6" | "17" | "1"))
}

fn is_of_people(name: &str) -> bool {
    let autogroup = Autogroup::ALL.iter().find(|g| g.as_str() == name);
    match autogroup {
        Some(group) => group.is_of_people(),
        None => name.starts_with("group:") || (name.contains('@') && !name.contains(':')),
    }
}
