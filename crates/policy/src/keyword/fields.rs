//! Reads objects whose keys are fixed: the keys are those of their form.

use super::form::{Field, Form, Need};
use crate::{
    diagnostic::{Code, Sink},
    shape,
    source::{Kind, Member, Value},
};

/// The members of an object, by today's names of their keys.
pub(super) struct Fields<'v> {
    found: Vec<(&'static str, &'v Member)>,
    /// False when a key was unknown or stood twice: the object says more than could be read.
    pub(super) sound: bool,
}

impl<'v> Fields<'v> {
    /// The value of a key; `null` counts as left out.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.member(name).map(|m| &m.value)
    }

    /// The key and its value.
    pub(super) fn member(&self, name: &str) -> Option<&'v Member> {
        let found = self.found.iter().find(|(n, _)| *n == name);
        found
            .map(|(_, m)| *m)
            .filter(|m| m.value.kind != Kind::Null)
    }
}

/// Reads an object of this form, or of a list with objects of this form. Case
/// does not count in keys, and older spellings count as what they spell.
pub(super) fn read<'v>(
    value: &'v Value,
    what: &str,
    form: Form,
    sink: &mut Sink,
) -> Option<Fields<'v>> {
    let members = shape::members(value, what, sink)?;
    Some(of(members, what, form, sink))
}

/// As [`read`]; keys that begin with `#` are notes and mean nothing. Headscale
/// and the programs around it keep such notes in rules of `acls`.
pub(super) fn read_with_notes<'v>(
    value: &'v Value,
    what: &str,
    form: Form,
    sink: &mut Sink,
) -> Option<Fields<'v>> {
    let mut members = shape::members(value, what, sink)?;
    members.retain(|member| !member.key.text.starts_with('#'));
    Some(of(members, what, form, sink))
}

fn of<'v>(members: Vec<&'v Member>, what: &str, form: Form, sink: &mut Sink) -> Fields<'v> {
    let known = form.inner(None).unwrap_or(form).fields();
    let before = sink.errors();
    let mut found: Vec<(&'static str, &Member)> = Vec::new();
    for member in members {
        let written = member.key.text.as_str();
        let Some(field) = known.iter().find(|f| f.name.eq_ignore_ascii_case(written)) else {
            unknown(member, what, known, sink);
            continue;
        };
        let name = match field.need {
            Need::Spells(newer) => newer,
            Need::Required | Need::Optional => field.name,
        };
        if found.iter().any(|(n, _)| *n == name) {
            sink.error(
                Code::DuplicateKey,
                member.key.span,
                format!("`{written}` says `{name}` a second time"),
            )
            .help("keep one of the two");
        } else {
            found.push((name, member));
        }
    }
    Fields {
        found,
        sound: sink.errors() == before,
    }
}

fn unknown(member: &Member, what: &str, known: &[Field], sink: &mut Sink) {
    let written = member.key.text.as_str();
    let offered = known.iter().filter(|f| !matches!(f.need, Need::Spells(_)));
    sink.error(
        Code::UnknownKey,
        member.key.span,
        format!("unknown key `{written}` in {what}"),
    )
    .did_you_mean(written, offered.map(|f| f.name));
}
