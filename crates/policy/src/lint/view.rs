//! A document as the lints see it: rules by what they say, whatever the spelling.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::PortRange;

use crate::{
    diagnostic::Span,
    keyword::{
        self,
        form::{Form, Need},
    },
    source::{Kind, Member, Value},
};

/// The sections of a document.
pub(super) struct View<'v> {
    members: &'v [Member],
}

/// A rule of `acls`, `grants` or `ssh`.
pub(super) struct Rule<'v> {
    /// Its place in its section, from 0.
    pub(super) index: usize,
    pub(super) span: Span,
    /// By today's spelling of the key.
    pub(super) parts: BTreeMap<&'static str, &'v Value>,
}

impl<'v> Rule<'v> {
    /// The strings of a part.
    pub(super) fn texts(&self, key: &str) -> impl Iterator<Item = (&'v str, Span)> + use<'v> {
        self.parts.get(key).copied().into_iter().flat_map(texts)
    }
}

impl<'v> View<'v> {
    pub(super) fn of(root: &'v Value) -> Option<Self> {
        match &root.kind {
            Kind::Object(members) => Some(Self { members }),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => None,
        }
    }

    /// The member with this top-level key.
    pub(super) fn section(&self, name: &str) -> Option<&'v Member> {
        let named = |m: &&Member| m.key.text.eq_ignore_ascii_case(name);
        self.members.iter().find(named)
    }

    /// The members of a section that is an object.
    pub(super) fn names(&self, section: &str) -> &'v [Member] {
        self.section(section).map_or(&[], |m| members(&m.value))
    }

    /// The rules of a section that is an array of objects.
    pub(super) fn rules(&self, section: &str) -> Vec<Rule<'v>> {
        let Some(Form::List(Form::Object(fields))) = keyword::find(section).map(|k| k.form) else {
            return Vec::new();
        };
        let Some(Kind::Array(items)) = self.section(section).map(|m| &m.value.kind) else {
            return Vec::new();
        };
        let part = |m: &'v Member| {
            let field = fields
                .iter()
                .find(|f| f.name.eq_ignore_ascii_case(&m.key.text))?;
            let name = match field.need {
                Need::Spells(newer) => newer,
                Need::Required | Need::Optional => field.name,
            };
            Some((name, &m.value))
        };
        let rule = |(index, item): (usize, &'v Value)| {
            let Kind::Object(members) = &item.kind else {
                return None;
            };
            Some(Rule {
                index,
                span: item.span,
                parts: members.iter().filter_map(part).collect(),
            })
        };
        items.iter().enumerate().filter_map(rule).collect()
    }

    /// Every name that stands where names are used: in tests, or in all other sections.
    pub(super) fn used(&self, in_tests: bool) -> BTreeSet<&'v str> {
        let mut used = BTreeSet::new();
        let mut left: Vec<(&'v Value, Form)> = self
            .members
            .iter()
            .filter_map(|m| Some((&m.value, keyword::find(&m.key.text)?)))
            .filter(|(_, k)| matches!(k.name, "tests" | "sshTests") == in_tests)
            .map(|(value, k)| (value, k.form))
            .collect();
        while let Some((value, form)) = left.pop() {
            match &value.kind {
                Kind::String(text) => note(text, form, &mut used),
                Kind::Array(items) => {
                    let inner = form.inner(None);
                    left.extend(items.iter().filter_map(|i| Some((i, inner?))));
                }
                Kind::Object(members) => {
                    let known = |key: &str| {
                        let fields = form.fields().iter();
                        let field = fields
                            .filter(|f| f.name.eq_ignore_ascii_case(key))
                            .map(|f| f.form);
                        field.chain(form.inner(Some(key))).next()
                    };
                    left.extend(
                        members
                            .iter()
                            .filter_map(|m| Some((&m.value, known(&m.key.text)?))),
                    );
                }
                Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
            }
        }
        // The services of `autoApprovers` are named by their keys.
        for member in self.names("autoApprovers") {
            used.extend(members(&member.value).iter().map(|m| m.key.text.as_str()));
        }
        used
    }
}

fn note<'v>(text: &'v str, form: Form, used: &mut BTreeSet<&'v str>) {
    match form {
        Form::Name(_) => {
            used.insert(text);
            // Entries of `ipsets`: `add host:printer`.
            let last = text.rsplit(' ').next().unwrap_or_default();
            used.insert(last.strip_prefix("host:").unwrap_or(last));
        }
        Form::Target(_) => {
            used.insert(text);
            used.insert(target(text).0);
        }
        Form::Boolean
        | Form::Text(_)
        | Form::OneOf(_)
        | Form::List(_)
        | Form::Map(..)
        | Form::Object(_)
        | Form::Any => {}
    }
}

/// The members of an object; none of other values.
fn members(value: &Value) -> &[Member] {
    if let Kind::Object(members) = &value.kind {
        members
    } else {
        &[]
    }
}

/// The strings of an array, or the one string.
pub(super) fn texts(value: &Value) -> Vec<(&str, Span)> {
    let items = if let Kind::Array(items) = &value.kind {
        items
    } else {
        std::slice::from_ref(value)
    };
    items
        .iter()
        .filter_map(|item| {
            let Kind::String(says) = &item.kind else {
                return None;
            };
            Some((says.as_str(), item.span))
        })
        .collect()
}

/// A destination's name and its ports, as written.
pub(super) fn target(text: &str) -> (&str, &str) {
    let (name, ports) = text.rsplit_once(':').unwrap_or((text, "*"));
    (name.trim_start_matches('[').trim_end_matches(']'), ports)
}

/// Ports as ranges; `None` for what is none.
pub(super) fn ports(text: &str) -> Option<Vec<PortRange>> {
    if text == "*" {
        return Some(vec![PortRange::ANY]);
    }
    let read = |part: &str| {
        let part = part.trim();
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = PortRange {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
        };
        (range.first <= range.last).then_some(range)
    };
    text.split(',').map(read).collect()
}
