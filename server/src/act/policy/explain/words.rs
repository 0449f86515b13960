//! What the engine says, in the API's form.

use std::collections::BTreeSet;

use policy::{
    Span,
    explain::{Because, Chain, Denial, Link, RuleAt, Spot, Typed},
};
use serde::Serialize;
use wire::{
    api::policy::explain::{self as api, Names, Place, Rule, Step},
    net::PortRange,
};

use super::Scene;

/// The most names of a list that are told.
const MOST_NAMES: usize = 20;

/// The document that spans point into.
#[derive(Debug, Clone, Copy)]
pub(in crate::act::policy) struct Words<'a> {
    pub(in crate::act::policy) text: &'a str,
}

impl Words<'_> {
    pub(in crate::act::policy) fn rule(self, at: RuleAt) -> Rule {
        let is_somewhere = at.span.end > at.span.start;
        Rule {
            name: at.to_string().replace('`', ""),
            place: is_somewhere.then(|| self.place(at.span)),
        }
    }

    pub(super) fn place(self, span: Span) -> Place {
        let (line, _) = policy::diagnostic::line_and_column(self.text, span.start);
        Place {
            start: span.start,
            end: span.end,
            line,
        }
    }

    /// Why a selector holds an end of the question.
    pub(super) fn step(self, link: &Link) -> Step {
        let span = if let Because::Listed { span, .. }
        | Because::Host { span, .. }
        | Because::InSet { span, .. } = &link.because
        {
            *span
        } else {
            link.span
        };
        Step {
            text: link.because.to_string(),
            place: Some(self.place(span)),
        }
    }

    pub(super) fn chain(self, chain: &Chain) -> api::Chain {
        let mut steps = vec![self.step(&chain.source), self.step(&chain.target)];
        if let Some(route) = chain.route {
            steps.push(Step {
                text: format!("the approved route {route} leads there"),
                place: None,
            });
        }
        if let Some((tag, span)) = &chain.via {
            steps.push(Step {
                text: format!("the rule goes through routers with `{tag}`, and this is one"),
                place: Some(self.place(*span)),
            });
        }
        api::Chain {
            rule: self.rule(chain.rule),
            ports: ports(&chain.ports),
            steps,
        }
    }

    pub(super) fn denial(self, denial: &Denial) -> api::Denial {
        let nearest = denial.nearest.iter().map(|near| api::Near {
            rule: self.rule(near.rule),
            missing: near.words(),
        });
        api::Denial {
            cause: word(&denial.cause),
            text: denial.cause.to_string(),
            ports: ports(&denial.ports),
            nearest: nearest.collect(),
        }
    }
}

/// The stable word of a unit of a closed list.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}

/// As documents write them.
pub(super) fn ports(ranges: &[PortRange]) -> String {
    let one = |range: &PortRange| match range {
        range if *range == PortRange::ANY => "*".to_owned(),
        range if range.first == range.last => range.first.to_string(),
        range => format!("{}-{}", range.first, range.last),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The first of some names, and how many there are.
pub(super) fn names(all: impl IntoIterator<Item = String>) -> Names {
    let all: BTreeSet<String> = all.into_iter().collect();
    Names {
        total: all.len(),
        first: all.into_iter().take(MOST_NAMES).collect(),
    }
}

/// What the spots of a case are called: machines by their names, addresses behind them as such.
pub(super) fn spots(scene: &Scene<'_>, spots: &[Spot]) -> Names {
    names(spots.iter().map(|spot| self::spot(scene, *spot)))
}

fn spot(scene: &Scene<'_>, spot: Spot) -> String {
    let Some(device) = scene.devices.get(spot.device) else {
        return String::new();
    };
    let own = |address| device.facts.addresses.contains(&address);
    match spot.addresses().find(|address| !own(*address)) {
        Some(address) => format!("{address} behind {}", device.name),
        None => device.name.to_owned(),
    }
}

/// An end as a sentence names it: what was typed where the case is about all of
/// it, else the machines.
pub(super) fn end(typed: &Typed, covered: &[Spot], names: &Names) -> String {
    if covered.len() == typed.spots.len() {
        return typed.name.clone();
    }
    match names.first.as_slice() {
        [one] if names.total == 1 => one.clone(),
        [one, two] if names.total == 2 => format!("{one} and {two}"),
        [one, ..] => format!("{one} and {} more of {}", names.total - 1, typed.name),
        [] => typed.name.clone(),
    }
}
