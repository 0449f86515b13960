//! Reads values as the shapes that keywords want, and says so where they are another.

use crate::{
    diagnostic::{Code, Sink, Span},
    source::{Kind, Member, Text, Value},
};

/// Keys of an object that are compared with each other, without a set of them.
const FEW: usize = 16;

/// The members of an object; a key that stands twice is an error and its later values are left out.
pub(crate) fn members<'v>(
    value: &'v Value,
    what: &str,
    sink: &mut Sink,
) -> Option<Vec<&'v Member>> {
    let Kind::Object(all) = &value.kind else {
        wrong(value, what, "an object", sink);
        return None;
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut kept: Vec<&Member> = Vec::with_capacity(all.len());
    for member in all {
        let key = member.key.text.as_str();
        let is_new = if all.len() <= FEW {
            kept.iter().all(|k| k.key.text != key)
        } else {
            seen.insert(key)
        };
        if is_new {
            kept.push(member);
        } else {
            sink.error(
                Code::DuplicateKey,
                member.key.span,
                format!("the key `{}` stands twice", member.key.text),
            )
            .help("keep one of the two");
        }
    }
    Some(kept)
}

/// The items of an array.
pub(crate) fn items<'v>(value: &'v Value, what: &str, sink: &mut Sink) -> Option<&'v [Value]> {
    match &value.kind {
        Kind::Array(items) => Some(items),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => {
            wrong(value, what, "an array", sink);
            None
        }
    }
}

/// A string.
pub(crate) fn text(value: &Value, what: &str, sink: &mut Sink) -> Option<Text> {
    match &value.kind {
        Kind::String(text) => Some(Text {
            span: value.span,
            text: text.clone(),
        }),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => {
            wrong(value, what, "a string", sink);
            None
        }
    }
}

/// An array of strings; what is no string is left out.
pub(crate) fn texts(value: &Value, what: &str, sink: &mut Sink) -> Option<Vec<Text>> {
    let items = items(value, what, sink)?;
    let read = |item: &Value| {
        if let Kind::String(text) = &item.kind {
            return Some(Text {
                span: item.span,
                text: text.clone(),
            });
        }
        wrong(item, &format!("an entry of {what}"), "a string", sink);
        None
    };
    Some(items.iter().filter_map(read).collect())
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value, what: &str, sink: &mut Sink) -> Option<bool> {
    match &value.kind {
        Kind::Bool(b) => Some(*b),
        Kind::Null | Kind::Number(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => {
            wrong(value, what, "`true` or `false`", sink);
            None
        }
    }
}

/// The value as plain JSON. The reader's limit of depth bounds the recursion.
pub(crate) fn json(value: &Value) -> serde_json::Value {
    match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(b) => serde_json::Value::Bool(*b),
        Kind::Number(text) => serde_json::from_str(text).unwrap_or_default(),
        Kind::String(text) => serde_json::Value::String(text.clone()),
        Kind::Array(items) => items.iter().map(json).collect(),
        Kind::Object(members) => members
            .iter()
            .map(|m| (m.key.text.clone(), json(&m.value)))
            .collect(),
    }
}

/// Reports a collection that holds more than `limit`; true when it does not.
pub(crate) fn within(count: usize, limit: usize, what: &str, span: Span, sink: &mut Sink) -> bool {
    if count <= limit {
        return true;
    }
    sink.error(Code::Limit, span, format!("more than {limit} {what}"));
    false
}

fn wrong(value: &Value, what: &str, wanted: &str, sink: &mut Sink) {
    sink.error(
        Code::WrongType,
        value.span,
        format!("{what} must be {wanted}, not {}", value.kind.name()),
    );
}
