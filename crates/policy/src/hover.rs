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

/// The most bytes of the names in a definition that are shown.
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
    definition(&root, name)
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

/// What a top-level map says of a name.
fn definition(root: &Value, name: &str) -> Option<String> {
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
        let all = texts(&member.value)?;
        Some(match (*kind, all.is_empty()) {
            (Names::Tag, true) => format!("`{name}` may be given by administrators alone."),
            (Names::Tag, false) => format!(
                "`{name}` may be given by administrators and by {}.",
                listed(&all)
            ),
            (Names::Posture, true) => format!("`{name}` asks for nothing."),
            (Names::Posture, false) => format!("`{name}` asks for {}.", listed(&all)),
            (Names::Ipset, true) => format!("`{name}` stands for no address."),
            (Names::Ipset, false) => format!("`{name}` stands for {}.", listed(&changes(&all))),
            (_, true) => format!("`{name}` stands for nobody."),
            (_, false) => format!("`{name}` stands for {}.", listed(&all)),
        })
    })
}

/// A text, or all texts of an array.
fn texts(value: &Value) -> Option<Vec<String>> {
    match &value.kind {
        Kind::String(text) => Some(vec![text.clone()]),
        Kind::Array(items) => items
            .iter()
            .map(|item| match &item.kind {
                Kind::String(text) => Some(text.clone()),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => {
                    None
                }
            })
            .collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Object(_) => None,
    }
}

/// The entries of a set, in words where some of them take addresses away.
fn changes(entries: &[String]) -> Vec<String> {
    let entries = entries.iter().enumerate();
    let told = entries.map(|(at, entry)| match entry.split_once(' ') {
        Some(("remove", rest)) if at > 0 => format!("without {}", rest.trim()),
        Some(("add", rest)) => rest.trim().to_owned(),
        _ => entry.clone(),
    });
    told.collect()
}

/// `a, b and c`; the last ones are counted where the list is long.
fn listed(all: &[String]) -> String {
    let mut room = MAX_SHOWN;
    let fits = all.iter().take_while(|one| {
        let left = room.checked_sub(one.len());
        room = left.unwrap_or_default();
        left.is_some()
    });
    let mut shown: Vec<String> = fits.cloned().collect();
    if shown.is_empty() {
        return format!("{} entries", all.len());
    }
    if shown.len() < all.len() {
        shown.push(format!("{} more", all.len() - shown.len()));
    }
    match shown.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        all => all.join(""),
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
