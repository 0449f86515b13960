//! What the readers of several keys share.

use crate::{
    diagnostic::{Code, Sink},
    posture::{self, Attributes},
    shape,
    source::{Text, Value},
};

/// The most entries of `tests` and of `sshTests`.
const MAX_TESTS: usize = 5_000;

/// The entries of an array of tests, numbered.
pub(super) fn entries<'v>(
    value: &'v Value,
    what: &str,
    sink: &mut Sink,
) -> impl Iterator<Item = (usize, &'v Value)> + use<'v> {
    let items = shape::items(value, what, sink).unwrap_or_default();
    let fits = shape::within(items.len(), MAX_TESTS, "tests", value.span, sink);
    items
        .iter()
        .enumerate()
        .take(if fits { items.len() } else { 0 })
}

/// A string without the spaces around it; none when nothing is left.
pub(super) fn word(value: Option<&Value>, what: &str, sink: &mut Sink) -> Option<Text> {
    let text = trimmed(&shape::text(value?, what, sink)?);
    (!text.text.is_empty()).then_some(text)
}

/// The entries of an array of strings, without the spaces around them.
pub(super) fn list(value: Option<&Value>, what: &str, sink: &mut Sink) -> Vec<Text> {
    let texts = value.and_then(|v| shape::texts(v, what, sink));
    texts.unwrap_or_default().iter().map(trimmed).collect()
}

pub(super) fn trimmed(text: &Text) -> Text {
    Text {
        span: text.span,
        text: text.text.trim().to_owned(),
    }
}

/// `srcPostureAttrs`: names and plain values.
pub(super) fn attributes(value: Option<&Value>, sink: &mut Sink) -> Attributes {
    let members = value.and_then(|v| shape::members(v, "`srcPostureAttrs`", sink));
    let mut all = Attributes::default();
    for member in members.unwrap_or_default() {
        let name = member.key.text.as_str();
        let kind = &member.value.kind;
        match posture::Value::of(kind) {
            Some(value) => {
                posture::check_given(&member.key, &value, sink);
                all.set(name, value);
            }
            None => sink
                .error(
                    Code::WrongType,
                    member.value.span,
                    format!(
                        "the attribute `{name}` must be a string, a number or a boolean, not {}",
                        kind.name()
                    ),
                )
                .help("write it as in `{ \"node:os\": \"linux\" }`"),
        }
    }
    all
}
