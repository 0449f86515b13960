//! What stands at a place, in a few words.

use crate::{
    cursor::{Cursor, Place, Token},
    diagnostic::Span,
    directory::Directory,
    keyword::{
        self,
        form::{Form, Names, Need},
    },
    posture::{Known, attribute},
    selector::autogroup::Autogroup,
    source::{self, Kind, Value},
};

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// What it is: lines of plain text.
    pub text: String,
}

/// The most bytes of a definition that are shown.
const MAX_SHOWN: usize = 200;

/// What stands at byte `at` of `text`; `None` where there is nothing to say.
pub fn hover(text: &str, at: usize, directory: &Directory) -> Option<Hover> {
    let cursor = Cursor::at(text, at)?;
    let Some(Token::String(span, says)) = cursor.token else {
        return None;
    };
    let frame = cursor.open.last()?;
    let place = cursor.form()?;
    let told = if frame.expects_key() {
        key(place, says).or_else(|| name(text, says, directory))
    } else {
        let Place::In(form) = place.step(frame)? else {
            return None;
        };
        let bare = match form {
            Form::Name(_) => says,
            Form::Target(_) => says.rsplit_once(':').map_or(says, |(name, _)| name),
            Form::Boolean
            | Form::Text(_)
            | Form::OneOf(_)
            | Form::List(_)
            | Form::Map(..)
            | Form::Object(_)
            | Form::Any => return None,
        };
        name(text, says, directory).or_else(|| name(text, bare, directory))
    };
    told.map(|text| Hover { span, text })
}

/// What a key of the language is for.
fn key(place: Place, name: &str) -> Option<String> {
    match place {
        Place::Top => {
            let found = keyword::find(name)?;
            Some(if found.is_supported() {
                described(found.summary, &found.form, found.example)
            } else {
                format!("{}\nNothing acts on it yet.", found.summary)
            })
        }
        Place::In(_) => {
            let field = place.field(name)?;
            Some(match field.need {
                Need::Required => described(field.summary, &field.form, field.example),
                Need::Optional => {
                    let told = described(field.summary, &field.form, field.example);
                    format!("{told}\nIt may be left out.")
                }
                Need::Spells(newer) => format!("An older spelling of `{newer}`."),
            })
        }
    }
}

fn described(summary: &str, form: &Form, example: &str) -> String {
    format!("{summary}\nValue: {}\nFor example: {example}", form.label())
}

/// What a name stands for.
fn name(text: &str, name: &str, directory: &Directory) -> Option<String> {
    if name == "*" {
        return Some("Everything.".to_owned());
    }
    if let Some(group) = Autogroup::ALL.iter().find(|g| g.as_str() == name) {
        return Some(group.summary().to_owned());
    }
    if let Some(user) = directory
        .users
        .iter()
        .find(|u| u.email.eq_ignore_ascii_case(name))
    {
        let role = serde_json::to_value(user.role).ok()?;
        let role = role.as_str().unwrap_or_default().replace('_', " ");
        return Some(format!("A user of this tenant, with the role {role}."));
    }
    if let Some(known) = attribute_of(name) {
        return Some(attribute(known));
    }
    let root = source::read(text).ok()?;
    definition(text, &root, name)
}

/// The attribute that a condition begins with.
fn attribute_of(condition: &str) -> Option<&'static Known> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>');
    let name = condition.trim_start().split(is_end).next()?;
    attribute::find(name)
}

fn attribute(known: &Known) -> String {
    let Known {
        name,
        summary,
        example,
        ..
    } = known;
    let values = match known.kind {
        attribute::Kind::OneOf(values) => values.join(", "),
        attribute::Kind::Text => "a text".to_owned(),
        attribute::Kind::Version => "a version, as a text".to_owned(),
        attribute::Kind::Flag => "true or false".to_owned(),
    };
    let mut told = format!("`{name}`: {summary}\nValue: {values}\nFor example: {example}");
    if !known.is_reported {
        told.push_str("\nThis server does not learn it of any device yet.");
    }
    told
}

/// The value that a top-level map gives to a name.
fn definition(text: &str, root: &Value, name: &str) -> Option<String> {
    let Kind::Object(sections) = &root.kind else {
        return None;
    };
    sections.iter().find_map(|section| {
        let Form::Map([kind, ..], _) = keyword::find(&section.key.text)?.form else {
            return None;
        };
        let Kind::Object(members) = &section.value.kind else {
            return None;
        };
        let member = members.iter().find(|m| m.key.text == name)?;
        let span = member.value.span;
        let shown = shortened(text.get(span.start..span.end)?);
        let count = match &member.value.kind {
            Kind::Array(items) => Some(items.len()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => {
                None
            }
        };
        let many = count.map(|count| format!(" ({count})")).unwrap_or_default();
        Some(match (*kind, count) {
            (Names::Tag, Some(0)) => format!("`{name}` may be given by administrators alone."),
            (Names::Tag, _) => {
                format!("`{name}` may be given by administrators and by{many}: {shown}")
            }
            (_, Some(0)) => format!("`{name}` stands for nobody."),
            _ => format!("`{name}` stands for{many}: {shown}"),
        })
    })
}

/// A definition on one line, cut where it is long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = line
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= MAX_SHOWN);
    match cut {
        Some(at) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
