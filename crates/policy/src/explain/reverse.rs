//! Who can reach this?

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wire::{UserId, net::PortRange};

use super::{
    Behind, Explainer, Link, RuleAt,
    behind::Router,
    flow,
    judge::{self, Opinion, Passage, Question},
    names::{Names, Party},
    ports,
    rules::Rule,
    steer::Named,
};
use crate::{
    decide::End,
    diagnostic::Span,
    directory::NodeFacts,
    selector::{SelectorKind, sort::Sort},
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
    /// True when it is for other protocols than ICMP and lets pings in by what it opens.
    #[serde(default)]
    pub is_echo: bool,
    /// Why the destination is one of its destinations, by the first selector that has it.
    pub target: Link,
    /// The ports of the question that it lets in.
    #[serde(with = "super::ports::text")]
    pub ports: Vec<PortRange>,
    /// The postures of which a source device must meet one: `posture:a or posture:b`.
    #[serde(default)]
    pub postures: Option<String>,
    /// True when the rule names no posture itself, and these are the document's default ones.
    #[serde(default)]
    pub is_default_posture: bool,
    /// True when the device asked about takes the packets.
    pub is_direct: bool,
    /// Routers that take them in its place, as the rule names them with `via`: their places among
    /// the nodes given.
    pub routers: Vec<usize>,
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
    /// The users behind it of whom a device gets through, sorted; none for sources that are
    /// not people.
    pub people: Vec<UserId>,
    /// The devices behind it that get through: their places among the nodes given.
    pub devices: Vec<usize>,
    /// What of it lies behind subnet routers and gets through.
    pub behind: Vec<Behind>,
}

impl Explainer<'_> {
    /// Who can reach this, by rule; rules that let nobody in are left out.
    /// `nodes` are the devices that are asked for. Packets to what lies behind a router may go to
    /// another of `nodes`, where rules with `via` say so; pings fare as [`Self::explain_sent`] says.
    pub fn who_reaches(&self, inbound: &Inbound<'_>, nodes: &[NodeFacts]) -> Vec<Reach> {
        let to = self.names.party(inbound.to);
        if !inbound.to.node.holds(inbound.to.address) || self.is_disabled(inbound.to) {
            return Vec::new();
        }
        let parties: Vec<(usize, Party<'_>)> = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| *node != inbound.to.node)
            .flat_map(|(at, node)| self.ends(node, inbound.to).map(move |end| (at, end)))
            .map(|(at, end)| (at, self.names.party(end)))
            .collect();
        let from = Askers {
            parties,
            routers: Router::all(nodes, inbound.to),
            named: self.named_routers(nodes.iter()),
        };
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

    /// What is asked of a rule: about packets to there, and where it names routers, about packets
    /// that go to one of those instead, each with its place.
    fn asked<'n>(
        &'n self,
        rule: &Rule<'_>,
        (from, to): (Party<'n>, Party<'n>),
        inbound: &Inbound<'n>,
        (is_echo, named): (bool, &[Named<'n>]),
    ) -> Vec<(Option<usize>, Question<'n>)> {
        let question = |to| Question {
            from,
            to,
            proto: inbound.proto,
            ports: inbound.ports,
            is_echo,
        };
        let mut all = vec![(None, question(to))];
        if !rule.via.is_empty() {
            let others = self.instead(named, &from, inbound.to).into_iter();
            all.extend(others.map(|(at, end)| (Some(at), question(self.names.party(end)))));
        }
        all
    }

    fn reach(
        &self,
        rule: &Rule<'_>,
        inbound: &Inbound<'_>,
        to: Party<'_>,
        from: &Askers<'_>,
    ) -> Option<Reach> {
        let is_echo = !rule.is_of(inbound.proto);
        if is_echo && !flow::is_echo(inbound.proto, inbound.to) {
            return None;
        }
        let leads_there = rule.leads_to_any(&self.names, &to);
        if !leads_there && !rule.leads_to_own() {
            return None;
        }
        let mut let_in = LetIn::by(rule, is_echo);
        // Other rules lead to the own devices of a user, for himself alone.
        let owner = to.end.node.owner();
        let may_ask = |party: &Party<'_>| {
            let is_own = owner.is_some() && party.end.node.owner() == owner;
            (leads_there || is_own) && rule.has_source(&self.names, party)
        };
        for (at, party) in from.parties.iter().filter(|(_, party)| may_ask(party)) {
            for (router, asked) in self.asked(rule, (*party, to), inbound, (is_echo, &from.named)) {
                let Opinion::Passes(passages) = rule.opinion(&self.names, &asked) else {
                    continue;
                };
                let_in.routers.insert(router);
                for passage in &passages {
                    let_in.note(&self.names, &asked, passage);
                    let to_self = judge::is_self(passage.target);
                    let_in.device(*at, party.end.node.owner(), |source| {
                        if to_self {
                            self.names.is_self_source(source, party)
                        } else {
                            self.names.is_source(source, party)
                        }
                    });
                }
            }
        }
        for router in from.routers.iter().filter(|_| leads_there) {
            for (place, source) in rule.sources.iter().enumerate() {
                let Some((behind, end)) = router.behind(self, &source.kind) else {
                    continue;
                };
                let ends = (self.names.party(end), to);
                for (router, asked) in self.asked(rule, ends, inbound, (is_echo, &from.named)) {
                    let Opinion::Passes(passages) = rule.opinion(&self.names, &asked) else {
                        continue;
                    };
                    let_in.routers.insert(router);
                    for passage in &passages {
                        let_in.note(&self.names, &asked, passage);
                    }
                    let_in.behind(place, behind.clone());
                }
            }
        }
        let_in.told()
    }
}

/// Whoever may ask.
struct Askers<'n> {
    parties: Vec<(usize, Party<'n>)>,
    routers: Vec<Router<'n>>,
    /// Those that rules name with `via`.
    named: Vec<Named<'n>>,
}

/// What a rule lets in, while it is found out.
struct LetIn<'r, 'd> {
    rule: &'r Rule<'d>,
    is_echo: bool,
    /// How it leads there: the rule and the first destination that does.
    way: Option<(RuleAt, Link)>,
    ports: Vec<PortRange>,
    /// Who takes the packets: `None` for the device asked about.
    routers: BTreeSet<Option<usize>>,
    /// By source.
    people: Vec<BTreeSet<UserId>>,
    devices: Vec<BTreeSet<usize>>,
    behind: Vec<Vec<Behind>>,
}

impl<'r, 'd> LetIn<'r, 'd> {
    fn by(rule: &'r Rule<'d>, is_echo: bool) -> Self {
        Self {
            rule,
            is_echo,
            way: None,
            ports: Vec::new(),
            routers: BTreeSet::new(),
            people: vec![BTreeSet::new(); rule.sources.len()],
            devices: vec![BTreeSet::new(); rule.sources.len()],
            behind: vec![Vec::new(); rule.sources.len()],
        }
    }

    fn note(&mut self, names: &Names<'_>, asked: &Question<'_>, passage: &Passage<'_>) {
        self.way.get_or_insert_with(|| {
            let chain = self
                .rule
                .chain(names, asked, passage, passage.ports.clone());
            (chain.rule, chain.target)
        });
        self.ports.extend(&passage.ports);
    }

    /// A device that gets through, by every source that holds it.
    fn device(&mut self, at: usize, owner: Option<UserId>, holds: impl Fn(&SelectorKind) -> bool) {
        let sources = self.rule.sources.iter();
        for ((source, devices), people) in sources.zip(&mut self.devices).zip(&mut self.people) {
            if holds(&source.kind) && devices.insert(at) && source.kind.is_of_users() {
                people.extend(owner);
            }
        }
    }

    fn behind(&mut self, place: usize, behind: Behind) {
        let all = self.behind.get_mut(place);
        if let Some(all) = all.filter(|all| !all.contains(&behind)) {
            all.push(behind);
        }
    }

    fn told(self) -> Option<Reach> {
        let (rule, target) = self.way?;
        let mut ports = self.ports;
        ports::join(&mut ports);
        let sources = self.rule.sources.iter();
        let let_in = self.people.into_iter().zip(self.devices).zip(self.behind);
        let sources = sources
            .zip(let_in)
            .filter(|(_, ((_, devices), behind))| !devices.is_empty() || !behind.is_empty())
            .map(|(source, ((people, devices), behind))| Sources {
                selector: source.kind.to_string(),
                span: source.span,
                sort: Sort::of(&source.kind),
                people: people.into_iter().collect(),
                devices: devices.into_iter().collect(),
                behind,
            });
        Some(Reach {
            rule,
            is_echo: self.is_echo,
            postures: self.rule.requirement.as_ref().map(ToString::to_string),
            is_default_posture: self.rule.is_default && self.rule.requirement.is_some(),
            target,
            ports,
            is_direct: self.routers.contains(&None),
            routers: self.routers.into_iter().flatten().collect(),
            sources: sources.collect(),
        })
    }
}
