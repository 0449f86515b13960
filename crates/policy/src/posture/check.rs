//! What can be saved and does nothing: attributes that nobody reports, values that no device has.

use std::collections::BTreeSet;

use super::{
    Condition, Value,
    attribute::{self, KNOWN, Kind, NAMESPACES},
};
use crate::{
    diagnostic::{Code, Sink},
    document::Document,
    source::Text,
};

/// Warns of each attribute that nobody reports once, of values that no device
/// has, and of postures without conditions.
pub(crate) fn check(document: &Document, sink: &mut Sink) {
    let mut told = BTreeSet::new();
    for posture in &document.postures {
        if posture.is_sound && posture.conditions.is_empty() {
            sink.warning(
                Code::EmptyRule,
                posture.name.span,
                format!("`{}` has no conditions: nobody meets it", posture.name.text),
            );
        }
        for condition in &posture.conditions {
            if !attribute::is_reported(&condition.attribute) {
                if told.insert(condition.attribute.as_str()) {
                    warn_of_attribute(condition, sink);
                }
                continue;
            }
            warn_of_values(condition, sink);
        }
    }
}

fn warn_of_attribute(condition: &Condition, sink: &mut Sink) {
    let name = condition.attribute.as_str();
    let near = sink.warning(
        Code::NotActedOn,
        condition.span,
        format!("`{name}` is kept in the document, but this server does not learn it of any device yet: nobody meets a condition on it"),
    );
    let (namespace, _) = name.split_once(':').unwrap_or((name, ""));
    let is_defined = attribute::find(name).is_some();
    if matches!(namespace, "node" | "ip") && !is_defined {
        near.did_you_mean(name, KNOWN.iter().map(|k| k.name));
    }
}

/// Warns of an attribute of a test that no condition can be about as it is written.
pub(crate) fn check_given(name: &Text, value: &Value, sink: &mut Sink) {
    let text = name.text.as_str();
    let (namespace, _) = text.split_once(':').unwrap_or(("", text));
    let known = attribute::find(text);
    if !NAMESPACES.contains(&namespace) {
        sink.warning(
            Code::UnlikelyName,
            name.span,
            format!("`{text}` is not the name of an attribute: no condition asks for it"),
        )
        .did_you_mean(text, KNOWN.iter().map(|k| k.name));
    } else if known.is_some_and(|k| !k.kind.has(value)) {
        sink.warning(
            Code::UnlikelyName,
            name.span,
            format!("`{text}` is never {}: it meets no condition", value.name()),
        );
    }
}

/// `node:os == 'macOS'` is meant otherwise.
fn warn_of_values(condition: &Condition, sink: &mut Sink) {
    let Some(Kind::OneOf(known)) = attribute::find(&condition.attribute).map(|k| k.kind) else {
        return;
    };
    for value in condition.values() {
        if let Value::Text(text) = value
            && !known.contains(&text.as_str())
        {
            let name = &condition.attribute;
            sink.warning(
                Code::UnlikelyName,
                condition.span,
                format!("no device is known to report {value} for `{name}`"),
            )
            .did_you_mean(text, known.iter().copied());
        }
    }
}
