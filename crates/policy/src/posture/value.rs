//! What an attribute may be.

use std::cmp::Ordering;

use crate::source::Kind;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(Number),
    /// True or false.
    Flag(bool),
}

/// A finite number; `-0` is `0`.
#[derive(Debug, Clone, Copy)]
pub struct Number(f64);

impl Number {
    /// `None` for what is no finite number.
    pub fn new(number: f64) -> Option<Self> {
        // Adding zero turns `-0` into `0`.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// Reads a number as JSON writes it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let is_json = serde_json::from_str::<serde_json::Number>(text).is_ok();
        is_json
            .then(|| text.parse().ok())
            .flatten()
            .and_then(Self::new)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Value {
    /// The value of a plain member of a document; `None` for lists, objects and `null`.
    pub(crate) fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Bool(flag) => Some(Self::Flag(*flag)),
            Kind::Number(text) => Number::read(text).map(Self::Number),
            Kind::String(text) => Some(Self::Text(text.clone())),
            Kind::Null | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    /// The word for what it is in messages.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "`true` or `false`",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl std::fmt::Display for Value {
    /// As a condition writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) if text.contains('\'') => write!(f, "\"{text}\""),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(number) => number.0.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}
