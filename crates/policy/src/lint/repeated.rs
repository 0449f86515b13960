//! Rules that say nothing that another does not say.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::PortRange;

use super::{
    covers::{NameId, Names},
    view::{self, Rule, View},
};
use crate::{
    diagnostic::{Code, Sink},
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
    sources: Vec<NameId>,
    targets: Vec<(NameId, Vec<PortRange>)>,
}

impl<'v> Acl<'v> {
    /// `None` for rules with conditions and for ports that cannot be read.
    fn of(rule: Rule<'v>, names: &mut Names<'v>) -> Option<Self> {
        if rule.parts.contains_key("srcPosture") {
            return None;
        }
        let targets: Option<Vec<_>> = rule
            .texts("dst")
            .map(|(text, _)| {
                let (name, ports) = view::target(text);
                Some((names.number(name), view::ports(ports)?))
            })
            .collect();
        Some(Self {
            protocol: rule.texts("proto").next().map(|(text, _)| text),
            sources: rule
                .texts("src")
                .map(|(text, _)| names.number(text))
                .collect(),
            targets: targets?,
            rule,
        })
    }

    /// True when it allows all that the other allows.
    fn covers(&self, narrow: &Self, names: &Names<'_>) -> bool {
        let protocols = self
            .protocol
            .is_none_or(|_| self.protocol == narrow.protocol)
            && (self.protocol.is_some() || is_default(narrow.protocol));
        let has = |n: &NameId| self.sources.iter().any(|w| names.has_source(*w, *n));
        let open = |name: NameId, range: &PortRange| {
            self.targets.iter().any(|(w, ports)| {
                ports
                    .iter()
                    .any(|p| p.first <= range.first && range.last <= p.last)
                    && names.has_target(*w, name)
            })
        };
        let targets =
            |(name, ports): &(NameId, Vec<PortRange>)| ports.iter().all(|range| open(*name, range));
        protocols
            && !narrow.targets.is_empty()
            && narrow.targets.iter().all(targets)
            && narrow.sources.iter().all(has)
    }
}

/// Rules of `acls` whose every part another rule allows too.
fn shadowed(view: &View<'_>, twins: &BTreeSet<usize>, sink: &mut Sink) {
    let mut names = Names::of(view);
    let rules = view.rules("acls").into_iter();
    let acls: Vec<Acl<'_>> = rules.filter_map(|r| Acl::of(r, &mut names)).collect();
    // A rule that covers another has its first source, or one that is wider.
    let mut by_source: BTreeMap<NameId, Vec<usize>> = BTreeMap::new();
    for (at, acl) in acls.iter().enumerate() {
        for source in &acl.sources {
            by_source.entry(*source).or_default().push(at);
        }
    }
    let mut wider: BTreeMap<NameId, Vec<usize>> = BTreeMap::new();
    let mut pairs = 0;
    for (at, acl) in acls.iter().enumerate() {
        let Some(source) = acl.sources.first() else {
            continue;
        };
        let wider = wider.entry(*source).or_insert_with(|| {
            let all = by_source.iter();
            let all = all.filter(|(other, _)| names.has_source(**other, *source));
            all.flat_map(|(_, rules)| rules).copied().collect()
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
            if !is_known && wide.covers(acl, &names) {
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

/// Protocols that a rule without `proto` allows too.
fn is_default(protocol: Option<&str>) -> bool {
    protocol.is_none_or(|p| matches!(p, "tcp" | "udp" | "icmp" | "6" | "17" | "1"))
}
