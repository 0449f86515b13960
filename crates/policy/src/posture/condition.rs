//! One condition on one attribute.

use std::cmp::Ordering;

use super::{
    Attributes, Value,
    attribute::{self, Kind},
    version,
};
use crate::diagnostic::Span;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Where it stands.
    pub span: Span,
    /// As written.
    pub text: String,
    /// The attribute that it asks for.
    pub attribute: String,
    /// What it asks.
    pub test: Test,
}

/// What a condition asks of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `==`, or an attribute alone, which must be `true`.
    Equal(Value),
    /// `!=`
    Unequal(Value),
    /// `<`, `<=`, `>` and `>=`: numbers, and the versions of some attributes.
    Order(Order, Value),
    /// `IN`
    In(Vec<Value>),
    /// `NOT IN`
    NotIn(Vec<Value>),
    /// `IS SET`
    IsSet,
    /// `NOT SET`
    NotSet,
}

/// How the device's value must stand to the condition's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Order {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

impl Condition {
    /// True when a device with these attributes meets it. A value of another kind
    /// than the condition's meets nothing, not even `!=`.
    pub fn holds(&self, attributes: &Attributes) -> bool {
        let Some(value) = attributes.get(&self.attribute) else {
            // Of what nobody reports, nobody knows that it is not set.
            return self.test == Test::NotSet && attribute::is_reported(&self.attribute);
        };
        let order = |wanted: &Value| self.compare(value, wanted);
        match &self.test {
            Test::Equal(wanted) => order(wanted).is_some_and(Ordering::is_eq),
            Test::Unequal(wanted) => order(wanted).is_some_and(Ordering::is_ne),
            Test::Order(how, wanted) => order(wanted).is_some_and(|o| how.holds(o)),
            Test::In(list) => list.iter().filter_map(order).any(Ordering::is_eq),
            Test::NotIn(list) => {
                let mut orders = list.iter().filter_map(order).peekable();
                orders.peek().is_some() && orders.all(Ordering::is_ne)
            }
            Test::IsSet => true,
            Test::NotSet => false,
        }
    }

    /// `None` when the two cannot be compared.
    fn compare(&self, value: &Value, wanted: &Value) -> Option<Ordering> {
        match (value, wanted) {
            (Value::Text(a), Value::Text(b)) if self.is_of_versions() => {
                Some(version::compare(a, b))
            }
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
            (Value::Flag(a), Value::Flag(b)) => Some(a.cmp(b)),
            (Value::Text(_) | Value::Number(_) | Value::Flag(_), _) => None,
        }
    }

    fn is_of_versions(&self) -> bool {
        attribute::find(&self.attribute).is_some_and(|k| k.kind == Kind::Version)
    }

    /// The values that it names.
    pub(super) fn values(&self) -> &[Value] {
        match &self.test {
            Test::Equal(value) | Test::Unequal(value) | Test::Order(_, value) => {
                std::slice::from_ref(value)
            }
            Test::In(values) | Test::NotIn(values) => values,
            Test::IsSet | Test::NotSet => &[],
        }
    }
}
