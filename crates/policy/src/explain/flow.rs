//! The question of a flow, and its answer.

use wire::net::{PortRange, Prefix, protocol::ICMP};

use super::{
    Cause, Chain, Denial, Explainer, Explanation, Missing, Near, RuleAt, Verdict,
    judge::{Opinion, Question},
    ports,
};
use crate::{decide::End, internet::internet, protocol, selector::Selector};

/// The most rules that a denial names.
const NEAREST: usize = 3;
/// Takes the IPv4 address away.
const DISABLE_IPV4: &str = "disable-ipv4";

/// A flow that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    /// Where it comes from.
    pub from: End<'a>,
    /// Where it goes to.
    pub to: End<'a>,
    /// The protocol's number.
    pub proto: u8,
    /// The ports, at least one range; they count for nothing with protocols without ports.
    pub ports: &'a [PortRange],
    /// Routes that the destination device offers and nobody approved.
    pub offered: &'a [Prefix],
}

impl<'a> Flow<'a> {
    /// The offered routes that would lead to the destination.
    fn leading(&self) -> impl Iterator<Item = &'a Prefix> {
        let address = self.to.address;
        let leads = move |route: &&Prefix| {
            route.contains(address) && (route.bits > 0 || internet().contains(address))
        };
        self.offered.iter().filter(leads)
    }
}

impl Explainer<'_> {
    /// The answer and the reasons.
    pub fn explain(&self, flow: &Flow<'_>) -> Explanation {
        if let Some(cause) = self.misplaced(flow) {
            return denied(flow.ports.to_vec(), cause, Vec::new(), Vec::new());
        }
        if !flow.to.node.holds(flow.to.address) {
            return self.explain_offered(flow);
        }
        self.explain_held(flow)
    }

    /// [`Self::explain`] as machines have it: they answer a ping (an ICMP echo) from whoever may
    /// reach any port of theirs by any protocol, at which decisions and `tests` do not look.
    /// Source: `wgengine/filter/filter.go` of Tailscale's client ("If any port is open to an IP,
    /// allow ICMP to it").
    pub fn explain_sent(&self, flow: &Flow<'_>) -> Explanation {
        let explained = self.explain(flow);
        let is_there = flow.to.node.holds(flow.to.address) && self.misplaced(flow).is_none();
        if !explained.allowed.is_empty() || !is_there || !is_echo(flow.proto, flow.to) {
            return explained;
        }
        let asked = Question {
            from: self.names.party(flow.from),
            to: self.names.party(flow.to),
            proto: flow.proto,
            ports: flow.ports,
            is_echo: true,
        };
        let mut chains = self.rules.iter().filter_map(|rule| {
            let Opinion::Passes(passages) = rule.opinion(&self.names, &asked) else {
                return None;
            };
            let passage = passages.first()?;
            Some(rule.chain(&self.names, &asked, passage, flow.ports.to_vec()))
        });
        match chains.next() {
            None => explained,
            Some(chain) => Explanation {
                verdict: Verdict::Allowed,
                allowed: vec![chain],
                denied: None,
            },
        }
    }

    /// The answer where the destination lies behind a route that is offered and not approved: the
    /// route is the cause only where a rule would let the flow through if it were approved.
    fn explain_offered(&self, flow: &Flow<'_>) -> Explanation {
        let mut node = flow.to.node.clone();
        for route in flow.leading() {
            let routes = if route.bits == 0 {
                &mut node.exit_routes
            } else {
                &mut node.routes
            };
            routes.push(*route);
        }
        let to = End {
            node: &node,
            address: flow.to.address,
        };
        let would = self.explain_held(&Flow { to, ..*flow });
        if would.allowed.is_empty() {
            return would;
        }
        let mut rules: Vec<RuleAt> = would.allowed.iter().map(|chain| chain.rule).collect();
        rules.dedup();
        let waiting = rules.into_iter().take(NEAREST).map(|rule| Near {
            rule,
            missing: vec![Missing::Approval],
            unmet: Vec::new(),
        });
        let (ports, cause) = (flow.ports.to_vec(), Cause::RouteNotApproved);
        denied(ports, cause, waiting.collect(), Vec::new())
    }

    /// The answer where both devices have their addresses.
    fn explain_held(&self, flow: &Flow<'_>) -> Explanation {
        let asked = Question {
            from: self.names.party(flow.from),
            to: self.names.party(flow.to),
            proto: flow.proto,
            ports: flow.ports,
            is_echo: false,
        };
        let (mut allowed, mut left, mut misses) = (Vec::new(), flow.ports.to_vec(), Vec::new());
        for rule in &self.rules {
            if left.is_empty() {
                break;
            }
            match rule.opinion(&self.names, &asked) {
                Opinion::Passes(passages) => {
                    for passage in passages {
                        let before = left.clone();
                        left = passage
                            .ports
                            .iter()
                            .fold(left, |l, cut| ports::without(&l, *cut));
                        let new = left.iter().fold(before, |b, cut| ports::without(&b, *cut));
                        if !new.is_empty() {
                            allowed.push(rule.chain(&self.names, &asked, &passage, new));
                        }
                    }
                    if !left.is_empty() {
                        misses.push((rule, vec![Missing::Port]));
                    }
                }
                Opinion::Misses(missing) => misses.push((rule, missing)),
            }
        }
        if left.is_empty() {
            return Explanation {
                verdict: Verdict::Allowed,
                allowed,
                denied: None,
            };
        }
        let misses: Vec<Near> = misses
            .into_iter()
            .map(|(rule, missing)| Near {
                rule: rule.at,
                unmet: if missing.iter().any(|m| m.is_posture()) {
                    rule.unmet(&self.names, &asked)
                } else {
                    Vec::new()
                },
                missing,
            })
            .collect();
        denied(left, cause(&misses), nearest(misses), allowed)
    }

    /// The cause that has nothing to do with rules.
    fn misplaced(&self, flow: &Flow<'_>) -> Option<Cause> {
        let (from, to) = (flow.from, flow.to);
        if !from.node.holds_itself(from.address) {
            return Some(Cause::NoSuchSource);
        }
        if !to.node.holds(to.address) && flow.leading().next().is_none() {
            return Some(Cause::NoSuchDestination);
        }
        if from.address.is_ipv4() != to.address.is_ipv4() {
            return Some(Cause::DifferentFamily);
        }
        (self.is_disabled(from) || self.is_disabled(to)).then_some(Cause::AddressDisabled)
    }

    /// True for an own IPv4 address of a device that `disable-ipv4` is given to.
    pub(super) fn is_disabled(&self, end: End<'_>) -> bool {
        if !end.address.is_ipv4() || !end.node.addresses.contains(&end.address) {
            return false;
        }
        if self.document.options.disable_ipv4 {
            return true;
        }
        let entries = self.document.node_attrs.iter();
        let mut taking = entries.filter(|entry| {
            let app = entry.app.iter().map(|a| &a.name);
            entry
                .attributes
                .iter()
                .chain(app)
                .any(|a| a.text == DISABLE_IPV4)
        });
        taking.any(|entry| entry.targets.iter().any(|t| self.is_given(t, end)))
    }

    /// True when one of the device's own addresses is among the targets of an attribute.
    fn is_given(&self, target: &Selector, end: End<'_>) -> bool {
        end.node.addresses.iter().any(|address| {
            let party = self.names.party(End {
                node: end.node,
                address: *address,
            });
            self.names.has_own(&target.kind, &party)
        })
    }
}

/// True for the ICMP of the address's own family.
pub(super) fn is_echo(proto: u8, to: End<'_>) -> bool {
    proto == protocol::of_family(ICMP, to.address.is_ipv4())
}

fn denied(
    ports: Vec<PortRange>,
    cause: Cause,
    nearest: Vec<Near>,
    allowed: Vec<Chain>,
) -> Explanation {
    Explanation {
        verdict: if allowed.is_empty() {
            Verdict::Denied
        } else {
            Verdict::Partly
        },
        allowed,
        denied: Some(Denial {
            ports,
            cause,
            nearest,
        }),
    }
}

fn leads_elsewhere(missing: Missing) -> bool {
    match missing {
        Missing::Destination | Missing::SameUser | Missing::Via => true,
        Missing::Source
        | Missing::Posture
        | Missing::DefaultPosture
        | Missing::Traffic
        | Missing::Protocol
        | Missing::Port
        | Missing::Approval => false,
    }
}

/// The cause by the rules that come nearest: those with both ends, else those with the source.
fn cause(misses: &[Near]) -> Cause {
    if misses.is_empty() {
        return Cause::EmptyPolicy;
    }
    let with_source = || {
        misses
            .iter()
            .filter(|n| !n.missing.contains(&Missing::Source))
    };
    let with_both = with_source().filter(|n| !n.missing.iter().any(|m| leads_elsewhere(*m)));
    if let Some(best) = with_both.min_by_key(|n| n.weight()) {
        // To meet a posture helps only where nothing else is missing.
        let mut missing = best.missing.iter();
        let other = missing.find(|missing| !missing.is_posture());
        let missing = other.or_else(|| best.missing.first());
        return missing.map_or(Cause::Port, |m| m.cause());
    }
    let elsewhere = with_source()
        .flat_map(|n| &n.missing)
        .filter(|m| leads_elsewhere(**m));
    match elsewhere.min_by_key(|m| m.weight()) {
        Some(missing) => missing.cause(),
        None => Cause::SourceInNoRule,
    }
}

/// The rules that have one of the ends and lack least.
fn nearest(mut misses: Vec<Near>) -> Vec<Near> {
    misses.retain(|near| {
        let no_source = near.missing.contains(&Missing::Source);
        !(no_source && near.missing.iter().any(|m| leads_elsewhere(*m)))
    });
    misses.sort_by_key(Near::weight);
    misses.truncate(NEAREST);
    misses
}
