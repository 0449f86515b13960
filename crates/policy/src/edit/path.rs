//! Where in a document: a JSON pointer (RFC 6901).

use std::{fmt, str::FromStr};

use crate::{
    diagnostic::Span,
    source::{Kind, Value},
};

/// The keys and positions that lead to a value, outermost first; written as a
/// JSON pointer: `/groups/group:ops/0`, with `~1` for `/` and `~0` for `~`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(Vec<String>);

impl Path {
    /// The path of these keys and positions.
    pub fn new<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }

    /// The path one step deeper.
    #[must_use]
    pub fn join(&self, step: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// The path without its last step, and that step; `None` for the whole document.
    pub fn split_last(&self) -> Option<(Self, &str)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.to_vec()), last))
    }

    /// The keys and positions.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn find<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(root, |value, step| {
            let at = position(value, step)?;
            match &value.kind {
                Kind::Array(items) => items.get(at),
                Kind::Object(members) => members.get(at).map(|m| &m.value),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => None,
            }
        })
    }

    /// The path to the innermost value around a byte, and where that value
    /// stands. A byte in a key belongs to the key's value.
    pub fn at(root: &Value, byte: usize) -> (Self, Span) {
        let within = |span: Span| span.start <= byte && byte < span.end;
        let mut steps = Vec::new();
        let mut value = root;
        loop {
            let next = match &value.kind {
                Kind::Array(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| within(item.span))
                    .map(|(at, item)| (at.to_string(), item)),
                Kind::Object(members) => members
                    .iter()
                    .find(|m| within(Span::new(m.key.span.start, m.value.span.end)))
                    .map(|m| (m.key.text.clone(), &m.value)),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => None,
            };
            let Some((step, inner)) = next else {
                return (Self(steps), value.span);
            };
            steps.push(step);
            value = inner;
        }
    }
}

/// The place of `step` among the entries of an array or object.
pub(super) fn position(value: &Value, step: &str) -> Option<usize> {
    match &value.kind {
        Kind::Array(items) => {
            let plain = step == "0" || !step.starts_with(['0', '+']);
            let at: usize = plain.then(|| step.parse().ok())??;
            (at < items.len()).then_some(at)
        }
        Kind::Object(members) => members.iter().position(|m| m.key.text == step),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// A text that is no JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no JSON pointer: write `/groups/group:ops/0`, with `~1` for `/` and `~0` for `~`"
)]
pub struct PathError(String);

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let refused = || PathError(text.to_owned());
        let steps = text.strip_prefix('/').ok_or_else(refused)?;
        let read = |step: &str| {
            let strange = step.replace("~0", "").replace("~1", "").contains('~');
            (!strange).then(|| step.replace("~1", "/").replace("~0", "~"))
        };
        let steps: Option<Vec<String>> = steps.split('/').map(read).collect();
        steps.map(Self).ok_or_else(refused)
    }
}
