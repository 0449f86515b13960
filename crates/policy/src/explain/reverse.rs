//! Who can reach this?

use serde::{Deserialize, Serialize};
use wire::{UserId, net::PortRange};

use super::{
    Explainer, Link, RuleAt,
    judge::{self, Opinion, Question},
    names::Party,
    ports,
};
use crate::{
    decide::End,
    diagnostic::Span,
    directory::NodeFacts,
    selector::{Selector, sort::Sort},
};

/// Traffic to a device, or to an address behind it.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// Where it goes to.
    pub to: End<'a>,
    /// The protocol's number.
    pub proto: u8,
    /// The ports, of which one at least must be open.
    pub ports: &'a [PortRange],
}

/// What one rule lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The rule.
    pub rule: RuleAt,
    /// Why the destination is one of its destinations, by the first selector that has it.
    pub target: Link,
    /// The ports of the question that it lets in.
    #[serde(with = "super::ports::text")]
    pub ports: Vec<PortRange>,
    /// Whom it lets in, in the order written.
    pub sources: Vec<Sources>,
}

/// One source of a rule, and who is behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// As the document writes it.
    pub selector: String,
    /// Where.
    pub span: Span,
    /// What kind of source.
    pub sort: Sort,
    /// The users behind it, sorted; of those who have no device too.
    pub people: Vec<UserId>,
    /// The devices behind it that get through: their places among the nodes given.
    pub devices: Vec<usize>,
}

impl Explainer<'_> {
    /// Who can reach this, by rule; rules that let nobody in are left out.
    /// `nodes` are the devices that are asked for.
    pub fn who_reaches(&self, inbound: &Inbound<'_>, nodes: &[NodeFacts]) -> Vec<Reach> {
        let to = self.names.party(inbound.to);
        if !inbound.to.node.holds(inbound.to.address) || self.is_disabled(inbound.to) {
            return Vec::new();
        }
        let from: Vec<(usize, Party<'_>)> = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| *node != inbound.to.node)
            .flat_map(|(at, node)| self.ends(node, inbound.to).map(move |end| (at, end)))
            .map(|(at, end)| (at, self.names.party(end)))
            .collect();
        self.rules
            .iter()
            .filter_map(|rule| self.reach(rule, inbound, to, &from))
            .collect()
    }

    /// The device's addresses that packets to there may come from.
    fn ends<'n>(&self, node: &'n NodeFacts, to: End<'_>) -> impl Iterator<Item = End<'n>> {
        let is_ipv4 = to.address.is_ipv4();
        let ends = node.addresses.iter().map(move |address| End {
            node,
            address: *address,
        });
        ends.filter(move |end| end.address.is_ipv4() == is_ipv4 && !self.is_disabled(*end))
    }

    fn reach(
        &self,
        rule: &super::rules::Rule<'_>,
        inbound: &Inbound<'_>,
        to: Party<'_>,
        from: &[(usize, Party<'_>)],
    ) -> Option<Reach> {
        if !rule.is_of(inbound.proto) {
            return None;
        }
        let leads_there = rule.leads_to_any(&self.names, &to);
        if !leads_there && !rule.leads_to_own() {
            return None;
        }
        // Other rules lead to the own devices of a user, for himself alone.
        let owner = to.end.node.owner();
        let may_ask = |party: &Party<'_>| {
            let is_own = owner.is_some() && party.end.node.owner() == owner;
            (leads_there || is_own) && rule.has_source(&self.names, party)
        };
        let mut reach: Option<Reach> = None;
        let mut by_source: Vec<Vec<usize>> = vec![Vec::new(); rule.sources.len()];
        for (at, party) in from.iter().filter(|(_, party)| may_ask(party)) {
            let asked = Question {
                from: *party,
                to,
                proto: inbound.proto,
                ports: inbound.ports,
            };
            let Opinion::Passes(passages) = rule.opinion(&self.names, &asked) else {
                continue;
            };
            for passage in &passages {
                let chain = || rule.chain(&self.names, &asked, passage, passage.ports.clone());
                let entry = reach.get_or_insert_with(|| {
                    let chain = chain();
                    Reach {
                        rule: chain.rule,
                        target: chain.target,
                        ports: Vec::new(),
                        sources: Vec::new(),
                    }
                });
                entry.ports.extend(&passage.ports);
                let to_self = judge::is_self(passage.target);
                for (source, devices) in rule.sources.iter().zip(&mut by_source) {
                    let holds = if to_self {
                        self.names.is_self_source(&source.kind, party)
                    } else {
                        self.names.is_source(&source.kind, party)
                    };
                    if holds && devices.last() != Some(at) {
                        devices.push(*at);
                    }
                }
            }
        }
        let mut reach = reach?;
        ports::join(&mut reach.ports);
        let sources = rule.sources.iter().zip(by_source);
        reach.sources = sources
            .filter(|(_, devices)| !devices.is_empty())
            .map(|(source, devices)| self.sources(source, devices))
            .collect();
        Some(reach)
    }

    fn sources(&self, source: &Selector, devices: Vec<usize>) -> Sources {
        Sources {
            selector: source.kind.to_string(),
            span: source.span,
            sort: Sort::of(&source.kind),
            people: self.names.members(&source.kind),
            devices,
        }
    }
}
