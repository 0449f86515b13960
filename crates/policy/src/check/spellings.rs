//! A document that spells one thing in two ways.

use crate::{
    diagnostic::{Code, Sink, Span},
    source::{Kind, Value},
};

const OLDER: &str = "autogroup:members";
const NEWER: &str = "autogroup:member";

/// As at the service a document has either the older or the newer spelling of the
/// group of all users, not both.
pub(crate) fn check(root: &Value, sink: &mut Sink) {
    let (mut older, mut newer): (Option<Span>, bool) = (None, false);
    let mut left = vec![root];
    while let Some(value) = left.pop() {
        match &value.kind {
            Kind::String(text) if is(text, OLDER) => {
                older = Some(older.map_or(value.span, |first| first.min(value.span)));
            }
            Kind::String(text) => newer |= is(text, NEWER),
            Kind::Array(items) => left.extend(items),
            // What applications are told is theirs.
            Kind::Object(members) => left.extend(
                members
                    .iter()
                    .filter(|m| !m.key.text.eq_ignore_ascii_case("app"))
                    .map(|m| &m.value),
            ),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
        }
    }
    if let Some(span) = older.filter(|_| newer) {
        sink.error(
            Code::InvalidSelector,
            span,
            format!("`{OLDER}` and `{NEWER}` cannot be used in the same policy"),
        )
        .help(format!("write `{NEWER}` everywhere"));
    }
}

/// The group alone, or with ports behind it.
fn is(text: &str, group: &str) -> bool {
    let rest = text.strip_prefix(group);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
