//! The postures that a rule asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attributes, Condition};
use crate::{
    diagnostic::Span,
    document::{Document, Posture},
    source::Text,
};

/// The names of the postures that a rule asks for: its own, else the document's.
/// `None`: it asks for none.
pub(crate) fn asks<'d>(document: &'d Document, own: &'d [Text]) -> Option<&'d [Text]> {
    if !own.is_empty() {
        return Some(own);
    }
    if document.is_unreadably_narrowed {
        return Some(&[]);
    }
    document
        .default_postures
        .as_deref()
        .filter(|d| !d.is_empty())
}

/// Postures of which a device must meet one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    postures: Vec<Posture>,
}

/// A condition that a device does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The posture.
    pub posture: String,
    /// The first of its conditions that does not hold, as written; `None`: the
    /// posture has none that could be read, and nobody meets it.
    pub condition: Option<String>,
    /// Where the condition stands.
    pub span: Span,
    /// The value that the device has, as conditions write values; `None`: it has none.
    pub value: Option<String>,
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(condition) = &self.condition else {
            return write!(f, "`{}` is met by nobody", self.posture);
        };
        write!(f, "`{}` asks for `{condition}`", self.posture)?;
        match &self.value {
            Some(value) => write!(f, ", and the device has {value}"),
            None => f.write_str(", and the device does not report it"),
        }
    }
}

impl Requirement {
    /// The postures of these names; a name that nothing defines is a posture that nobody meets.
    pub(crate) fn new(document: &Document, names: &[Text]) -> Self {
        let defined: BTreeMap<&str, &Posture> = document
            .postures
            .iter()
            .map(|p| (p.name.text.as_str(), p))
            .collect();
        let mut postures: Vec<Posture> = names
            .iter()
            .filter_map(|name| defined.get(name.text.as_str()).map(|p| (*p).clone()))
            .collect();
        postures.sort_unstable_by(|a, b| a.name.text.cmp(&b.name.text));
        postures.dedup_by(|a, b| a.name.text == b.name.text);
        Self { postures }
    }

    /// True when a device with these attributes meets one of the postures.
    pub(crate) fn is_met(&self, attributes: &Attributes) -> bool {
        self.postures.iter().any(|p| p.is_met(attributes))
    }

    /// The first of the postures that a device with these attributes meets.
    pub(crate) fn met(&self, attributes: &Attributes) -> Option<&Text> {
        let met = self.postures.iter().find(|p| p.is_met(attributes));
        met.map(|posture| &posture.name)
    }

    /// What a device lacks, one condition for each posture; empty when it meets one.
    pub(crate) fn unmet(&self, attributes: &Attributes) -> Vec<Unmet> {
        if self.is_met(attributes) {
            return Vec::new();
        }
        let postures = self.postures.iter();
        postures.map(|p| p.unmet(attributes)).collect()
    }
}

impl std::fmt::Display for Requirement {
    /// The names, in their order.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, posture) in self.postures.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " or " })?;
            f.write_str(&posture.name.text)?;
        }
        Ok(())
    }
}

impl Posture {
    /// True when all its conditions hold, of which there must be one.
    pub fn is_met(&self, attributes: &Attributes) -> bool {
        self.is_sound
            && !self.conditions.is_empty()
            && self.conditions.iter().all(|c| c.holds(attributes))
    }

    fn unmet(&self, attributes: &Attributes) -> Unmet {
        let fails = |c: &&Condition| !c.holds(attributes);
        let first = self.conditions.iter().find(fails);
        let value = first.and_then(|c| attributes.get(&c.attribute));
        Unmet {
            posture: self.name.text.clone(),
            condition: first.map(|c| c.text.clone()),
            span: first.map_or(self.name.span, |c| c.span),
            value: value.map(ToString::to_string),
        }
    }
}
