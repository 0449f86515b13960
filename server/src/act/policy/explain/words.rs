//! What the engine says, in the API's form.

use std::collections::BTreeSet;

use policy::{
    Span,
    explain::{self, Because, Case, Chain, Denial, Device, Link, RuleAt, Spot, Typed},
};
use serde::Serialize;
use wire::{
    api::policy::explain::{self as api, Names, Place, Rule, Step},
    net::{PortRange, Prefix},
};

use super::Scene;

/// The most names of a list that are told.
const MOST_NAMES: usize = 20;

/// How pings differ from what rules say.
pub(super) const ECHO: &str = "Machines answer a ping from whoever may reach any port of theirs, by \
    whatever protocol; a rule need not name ICMP. `tests` of the policy look at rules for ICMP alone.";

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
        if chain.is_echo {
            steps.push(Step {
                text: "the rule opens something there by another protocol, and that lets a ping in"
                    .to_owned(),
                place: None,
            });
        }
        steps.extend(self.met(chain.posture.as_ref()));
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

    /// The posture that the source meets.
    pub(super) fn met(self, posture: Option<&(String, Span)>) -> Option<Step> {
        let (name, span) = posture?;
        Some(Step {
            text: format!("the device meets `{name}`"),
            place: Some(self.place(*span)),
        })
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

/// An address where the prefix is one, else the prefix.
pub(super) fn prefix(prefix: Prefix) -> String {
    if prefix.is_host() {
        prefix.addr.to_string()
    } else {
        prefix.to_string()
    }
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
    let mut spots = spots.to_vec();
    explain::joined(&mut spots);
    let mut all = Vec::new();
    for of_one in spots.chunk_by(|a, b| a.device == b.device) {
        let device = of_one
            .first()
            .and_then(|spot| scene.devices.get(spot.device));
        if let Some(device) = device {
            all.extend(of_device(device, of_one));
        }
    }
    names(all)
}

/// What a device, or what of it and behind it, is called.
fn of_device(device: &Device<'_>, spots: &[Spot]) -> Vec<String> {
    let (own, behind): (Vec<&Spot>, Vec<&Spot>) =
        spots.iter().partition(|spot| spot.is_own(device.facts));
    let own = own.into_iter().map(|spot| match spot.ends() {
        Some((address, _)) if device.facts.addresses.len() > 1 => {
            format!("{} at {address}", device.name)
        }
        Some(_) | None => device.name.to_owned(),
    });
    let ranges: Vec<_> = behind.into_iter().filter_map(Spot::ends).collect();
    let behind = explain::written(&ranges).into_iter();
    own.chain(behind.map(|range| format!("{range} behind {}", device.name)))
        .collect()
}

/// An end as a sentence names it: what was typed where the case is about all of
/// it, else the machines.
pub(super) fn end(typed: &Typed, covered: &[Spot], names: &Names) -> String {
    if covered == typed.spots && typed.nowhere.is_empty() {
        return typed.name.clone();
    }
    match names.first.as_slice() {
        [one] if names.total == 1 => one.clone(),
        [one, two] if names.total == 2 => format!("{one} and {two}"),
        [one, ..] if typed.name == "every machine" => {
            format!("{one} and {} more machines", names.total - 1)
        }
        [one, ..] => format!("{one} and {} more of {}", names.total - 1, typed.name),
        [] => typed.name.clone(),
    }
}

/// The source as a sentence names it: which of its addresses packets come from is told by the
/// destination's.
pub(super) fn source(typed: &Typed, covered: &[Spot], names: &Names) -> String {
    let is_machine = |spot: &Spot| spot.v4.is_some() && spot.v6.is_some();
    let devices = |spots: &[Spot]| spots.iter().map(|spot| spot.device).collect::<Vec<_>>();
    if typed.spots.iter().all(is_machine) && devices(covered) == devices(&typed.spots) {
        return typed.name.clone();
    }
    end(typed, covered, names)
}

/// The first of some names in a sentence, and how many more there are.
pub(super) fn listed(names: &Names) -> String {
    const MOST: usize = 3;
    let first: Vec<&str> = names.first.iter().take(MOST).map(String::as_str).collect();
    let more = names.total - first.len();
    match (first.as_slice(), more) {
        (all, 1..) => format!("{} and {more} more", all.join(", ")),
        ([all @ .., last], 0) if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        (all, 0) => all.join(", "),
    }
}

/// What a sentence adds where a case is about some pairs of its ends alone.
pub(super) fn pairs<E>(case: &Case<E>, [from, to]: [&Names; 2]) -> String {
    let all = from.total * to.total;
    match case.pairs {
        _ if case.is_every_pair => String::new(),
        1 => ", for one pair of them".to_owned(),
        n if n < all => format!(", for {n} of the {all} pairs of them"),
        n => format!(", for {n} pairs of them"),
    }
}
