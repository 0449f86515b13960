//! One rule against one flow.

use std::borrow::Cow;

use wire::net::{MESH_IPV4, MESH_IPV6, PortRange};

use super::{
    Because, Chain, Link, Missing,
    names::{Names, Party},
    ports,
    rules::{Place, Rule, Traffic},
};
use crate::{
    diagnostic::Span,
    posture::{Attributes, Requirement, Unmet},
    routes::VIA_IPV6,
    selector::{Selector, SelectorKind, autogroup::Autogroup},
};

/// Both ends of a flow and what of it is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'n> {
    pub(super) from: Party<'n>,
    pub(super) to: Party<'n>,
    pub(super) proto: u8,
    pub(super) ports: &'n [PortRange],
    /// True for a ping, which any rule lets through that opens something there.
    pub(super) is_echo: bool,
}

/// What a rule says of a flow.
#[derive(Debug)]
pub(super) enum Opinion<'r> {
    /// It lets some of it through, by these of its selectors.
    Passes(Vec<Passage<'r>>),
    /// It lets none of it through.
    Misses(Vec<Missing>),
}

/// A source and a destination of a rule, and the ports that they let through.
#[derive(Debug)]
pub(super) struct Passage<'r> {
    source: &'r Selector,
    pub(super) target: &'r Selector,
    pub(super) ports: Vec<PortRange>,
}

impl Question<'_> {
    fn is_about(&self, traffic: &Traffic<'_>) -> bool {
        self.is_echo || traffic.is_of(self.proto)
    }

    fn is_within_one_user(&self) -> bool {
        let (from, to) = (self.from.end, self.to.end);
        from.node.owner().is_some()
            && from.node.owner() == to.node.owner()
            && from.node.addresses.contains(&from.address)
            && to.node.addresses.contains(&to.address)
    }
}

pub(super) fn is_self(selector: &Selector) -> bool {
    selector.kind == SelectorKind::Autogroup(Autogroup::SelfDevices)
}

impl Rule<'_> {
    pub(super) fn opinion(&self, names: &Names<'_>, asked: &Question<'_>) -> Opinion<'_> {
        let source = || {
            self.sources
                .iter()
                .find(|s| names.is_source(&s.kind, &asked.from))
        };
        let person = || {
            self.sources
                .iter()
                .find(|s| names.is_self_source(&s.kind, &asked.from))
        };
        let (source, person) = (source(), person());
        let mut missing = Vec::new();
        if source.is_none() && person.is_none() {
            missing.push(Missing::Source);
        }
        let mut met: Vec<(Option<&Selector>, &Place<'_>)> = Vec::new();
        for place in self
            .places
            .iter()
            .filter(|p| self.leads_to(names, p, asked))
        {
            met.push((
                if is_self(place.selector) {
                    person
                } else {
                    source
                },
                place,
            ));
        }
        if met.is_empty() {
            missing.push(self.why_not_there(names, asked));
        } else if missing.is_empty() && met.iter().all(|(by, _)| by.is_none()) {
            missing.push(Missing::Source);
        }
        if !self.unmet(names, asked).is_empty() {
            missing.push(if self.is_default {
                Missing::DefaultPosture
            } else {
                Missing::Posture
            });
        }
        let passages = self.passages(&met, asked);
        if self.traffic.is_empty() {
            missing.push(Missing::Traffic);
        } else if !self.traffic.iter().any(|t| asked.is_about(t)) {
            missing.push(Missing::Protocol);
        } else if !met.is_empty() && passages.is_empty() {
            missing.push(Missing::Port);
        }
        let passages: Vec<Passage<'_>> = passages
            .into_iter()
            .filter_map(|(source, target, ports)| {
                Some(Passage {
                    source: source?,
                    target,
                    ports,
                })
            })
            .collect();
        if missing.is_empty() && passages.is_empty() {
            // The destinations that the source has are for other ports.
            missing.push(Missing::Port);
        }
        if missing.is_empty() {
            Opinion::Passes(passages)
        } else {
            Opinion::Misses(missing)
        }
    }

    /// What the source lacks of the rule's postures; empty when it meets one, or is
    /// not asked: a host with an address outside of the mesh has no attributes.
    pub(super) fn unmet(&self, names: &Names<'_>, asked: &Question<'_>) -> Vec<Unmet> {
        let asks = self.asks(names, asked);
        asks.map_or_else(Vec::new, |(requirement, attributes)| {
            requirement.unmet(&attributes)
        })
    }

    /// The posture of the rule that the source meets, if it is asked for one.
    fn met(&self, names: &Names<'_>, asked: &Question<'_>) -> Option<(String, Span)> {
        let (requirement, attributes) = self.asks(names, asked)?;
        let met = requirement.met(&attributes)?;
        Some((met.text.clone(), met.span))
    }

    /// What is asked of the source, and what it has.
    fn asks<'n>(
        &self,
        names: &Names<'_>,
        asked: &Question<'n>,
    ) -> Option<(&Requirement, Cow<'n, Attributes>)> {
        let requirement = self.requirement.as_ref()?;
        let end = asked.from.end;
        let is_own = end.node.addresses.contains(&end.address);
        let in_mesh = MESH_IPV4.contains(end.address) || MESH_IPV6.contains(end.address);
        let is_device_s = in_mesh && !VIA_IPV6.contains(end.address);
        let by_address = |s: &Selector| names.is_source_by_address(&s.kind, &asked.from);
        if !is_device_s && self.sources.iter().any(by_address) {
            return None;
        }
        let attributes = if is_own {
            Cow::Borrowed(&end.node.posture)
        } else {
            Cow::Owned(Attributes::default())
        };
        Some((requirement, attributes))
    }

    fn passages<'r>(
        &'r self,
        met: &[(Option<&'r Selector>, &'r Place<'r>)],
        asked: &Question<'_>,
    ) -> Vec<(Option<&'r Selector>, &'r Selector, Vec<PortRange>)> {
        let mut all = Vec::new();
        for (source, place) in met {
            for traffic in self.traffic.iter().filter(|t| asked.is_about(t)) {
                let open = traffic.ports_at(place, asked.proto);
                let asked = asked.ports.iter();
                let open =
                    asked.flat_map(|asked| open.iter().filter_map(|r| ports::common(*r, *asked)));
                let open: Vec<PortRange> = open.collect();
                if !open.is_empty() {
                    all.push((*source, place.selector, open));
                }
            }
        }
        all
    }

    fn leads_to(&self, names: &Names<'_>, place: &Place<'_>, asked: &Question<'_>) -> bool {
        let kind = &place.selector.kind;
        if is_self(place.selector) {
            return self.via.is_empty() && asked.is_within_one_user();
        }
        if self.via.is_empty() {
            return names.is_target(kind, &asked.to);
        }
        self.router_tag(asked).is_some() && names.is_routed_target(kind, &asked.to)
    }

    /// True when it lets traffic of the protocol through.
    pub(super) fn is_of(&self, proto: u8) -> bool {
        self.traffic.iter().any(|t| t.is_of(proto))
    }

    /// True when it may lead to the destination whoever asks.
    pub(super) fn leads_to_any(&self, names: &Names<'_>, to: &Party<'_>) -> bool {
        let mut places = self.places.iter();
        places.any(|p| !is_self(p.selector) && names.is_target(&p.selector.kind, to))
    }

    /// True when it leads to the own devices of the user who asks.
    pub(super) fn leads_to_own(&self) -> bool {
        self.places.iter().any(|p| is_self(p.selector))
    }

    /// True when the party is one of its sources.
    pub(super) fn has_source(&self, names: &Names<'_>, party: &Party<'_>) -> bool {
        let is =
            |s: &Selector| names.is_source(&s.kind, party) || names.is_self_source(&s.kind, party);
        self.sources.iter().any(is)
    }

    fn router_tag(&self, asked: &Question<'_>) -> Option<&crate::source::Text> {
        let tags = &asked.to.end.node.tags;
        self.via.iter().find(|tag| tags.contains(&tag.text))
    }

    fn why_not_there(&self, names: &Names<'_>, asked: &Question<'_>) -> Missing {
        let there = |p: &Place<'_>| names.is_target(&p.selector.kind, &asked.to);
        if !self.via.is_empty() && self.places.iter().any(there) {
            Missing::Via
        } else if self.via.is_empty()
            && asked.to.end.node.owner().is_some()
            && self.places.iter().any(|p| is_self(p.selector))
        {
            Missing::SameUser
        } else {
            Missing::Destination
        }
    }

    /// The passage in words; `ports` is what it lets through and nothing before it did.
    pub(super) fn chain(
        &self,
        names: &Names<'_>,
        asked: &Question<'_>,
        passage: &Passage<'_>,
        ports: Vec<PortRange>,
    ) -> Chain {
        let link = |selector: &Selector, because: Because| Link {
            selector: selector.kind.to_string(),
            span: selector.span,
            because,
        };
        let to = asked.to.end;
        let behind = !to.node.addresses.contains(&to.address);
        let routes = to.node.routes.iter().chain(&to.node.exit_routes);
        let route = routes
            .filter(|r| behind && r.contains(to.address))
            .max_by_key(|r| r.bits);
        let source = names.because(&passage.source.kind, &asked.from);
        let target = names.because(&passage.target.kind, &asked.to);
        Chain {
            source: link(passage.source, source),
            rule: self.at,
            target: link(passage.target, target),
            route: route.copied(),
            via: self.router_tag(asked).map(|t| (t.text.clone(), t.span)),
            posture: self.met(names, asked),
            is_echo: asked.is_echo,
            ports,
        }
    }
}
