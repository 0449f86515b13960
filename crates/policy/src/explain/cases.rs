//! Questions about many devices at once, answered once for those alike.

use std::collections::BTreeMap;

use wire::{UserId, net::PortRange};

use super::{Device, Explainer, Explanation, Flow, SignIn, Spot, SshExplanation};
use crate::{
    class::ClassKey, compile::Compiled, decide::End, directory::NodeFacts, posture::Attributes,
    protocol,
};

/// The most pairs of devices, each pair unlike the others, that one question looks at.
const MOST_PAIRS: usize = 2_000;

/// Pairs of devices with the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<E> {
    /// The sources, sorted.
    pub from: Vec<Spot>,
    /// The destinations, sorted.
    pub to: Vec<Spot>,
    /// How many pairs.
    pub pairs: usize,
    /// The pair that the answer speaks of, for the others too.
    pub example: (Spot, Spot),
    /// The answer.
    pub explanation: E,
}

/// The answers to a question about many devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cases<E> {
    /// By answer, in the order in which they were met.
    pub all: Vec<Case<E>>,
    /// Pairs that were not looked at: the question is too wide.
    pub left_out: usize,
}

/// Spots that are alike before the law.
type Alike = Vec<Spot>;

impl Explainer<'_> {
    /// A flow from each of `from` to each of `to`. `law` is of the same document
    /// and directory; it tells which devices are alike.
    pub fn explain_all(
        &self,
        law: &Compiled,
        devices: &[Device<'_>],
        (from, to): (&[Spot], &[Spot]),
        (proto, ports): (u8, &[PortRange]),
    ) -> Cases<Explanation> {
        let judge = |a: Spot, b: Spot| {
            let flow = self.flow(devices, a, b, proto, ports)?;
            let explanation = self.explain(&flow);
            Some((essence(&explanation), explanation))
        };
        pairs(
            &classes(law, devices, from, law.asks_for_postures()),
            &classes(law, devices, to, false),
            judge,
        )
    }

    /// A sign-in as `login` from each of `from` to each of `to`.
    pub fn explain_sign_ins(
        &self,
        devices: &[Device<'_>],
        (from, to): (&[Spot], &[Spot]),
        login: &str,
    ) -> Cases<SshExplanation> {
        let nodes: Vec<NodeFacts> = devices.iter().map(|d| d.facts.clone()).collect();
        let judge = |a: Spot, b: Spot| {
            let asked = SignIn {
                from: devices.get(a.device)?.facts,
                to: devices.get(b.device)?.facts,
                login,
                nodes: &nodes,
            };
            let explanation = self.explain_ssh(&asked);
            Some((ssh_essence(&explanation), explanation))
        };
        pairs(&identities(devices, from), &identities(devices, to), judge)
    }

    /// The flow between two spots, of the first family that both have and keep.
    fn flow<'d>(
        &self,
        devices: &[Device<'d>],
        from: Spot,
        to: Spot,
        proto: u8,
        ports: &'d [PortRange],
    ) -> Option<Flow<'d>> {
        let (a, b) = (devices.get(from.device)?, devices.get(to.device)?);
        let end = |device: &Device<'d>, address| End {
            node: device.facts,
            address,
        };
        let by_family = [from.v4.zip(to.v4), from.v6.zip(to.v6)];
        let ends = by_family
            .into_iter()
            .flatten()
            .map(|(x, y)| (end(a, x), end(b, y)));
        let ends: Vec<_> = ends.collect();
        let kept = |(x, y): &&(End<'_>, End<'_>)| !self.is_disabled(*x) && !self.is_disabled(*y);
        let (from, to) = match ends.iter().find(kept).or_else(|| ends.first()) {
            Some(ends) => *ends,
            None => (
                end(a, from.addresses().next()?),
                end(b, to.addresses().next()?),
            ),
        };
        Some(Flow {
            from,
            to,
            proto: protocol::of_family(proto, to.address.is_ipv4()),
            ports,
            offered: b.offered,
        })
    }
}

/// What spots are alike by: an address that is no device's own counts for itself.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'d> {
    class: Option<ClassKey>,
    itself: Option<Spot>,
    posture: Option<&'d Attributes>,
}

/// Spots by what they are alike by; `by_posture`: answers tell what devices have.
fn classes(law: &Compiled, devices: &[Device<'_>], spots: &[Spot], by_posture: bool) -> Vec<Alike> {
    let mut by_key: BTreeMap<Likeness<'_>, Alike> = BTreeMap::new();
    for spot in spots {
        let Some(device) = devices.get(spot.device) else {
            continue;
        };
        let mut addresses = spot.addresses();
        let is_own = addresses.all(|a| device.facts.addresses.contains(&a));
        let key = Likeness {
            class: is_own.then(|| law.class_of(device.facts)),
            itself: (!is_own).then_some(*spot),
            posture: Some(&device.facts.posture).filter(|_| by_posture),
        };
        by_key.entry(key).or_default().push(*spot);
    }
    by_key.into_values().collect()
}

/// Spots of devices with the same user, the same tags and the same posture: rules
/// of `ssh` see no more of them.
fn identities(devices: &[Device<'_>], spots: &[Spot]) -> Vec<Alike> {
    let mut by_key: BTreeMap<(Option<UserId>, &[String], String), Alike> = BTreeMap::new();
    for spot in spots {
        if let Some(Device { facts, .. }) = devices.get(spot.device) {
            let posture = format!("{:?}", facts.posture);
            let key = (facts.owner(), facts.tags.as_slice(), posture);
            by_key.entry(key).or_default().push(*spot);
        }
    }
    by_key.into_values().collect()
}

fn pairs<E, K: Ord>(
    from: &[Alike],
    to: &[Alike],
    judge: impl Fn(Spot, Spot) -> Option<(K, E)>,
) -> Cases<E> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut all: Vec<Case<E>> = Vec::new();
    let (mut looked, mut left_out) = (0, 0);
    for sources in from {
        for targets in to {
            let (count, example) = apart(sources, targets);
            let Some((a, b)) = example else {
                continue;
            };
            if looked == MOST_PAIRS {
                left_out += count;
                continue;
            }
            looked += 1;
            let Some((key, explanation)) = judge(a, b) else {
                continue;
            };
            let at = *places.entry(key).or_insert(all.len());
            if at == all.len() {
                all.push(Case {
                    from: Vec::new(),
                    to: Vec::new(),
                    pairs: 0,
                    example: (a, b),
                    explanation,
                });
            }
            if let Some(case) = all.get_mut(at) {
                case.pairs += count;
                case.from.extend(sources);
                case.to.extend(targets);
            }
        }
    }
    for case in &mut all {
        for spots in [&mut case.from, &mut case.to] {
            spots.sort_unstable();
            spots.dedup();
        }
    }
    Cases { all, left_out }
}

/// How many pairs are of two devices, and the first such pair.
fn apart(from: &[Spot], to: &[Spot]) -> (usize, Option<(Spot, Spot)>) {
    let mut of: BTreeMap<usize, usize> = BTreeMap::new();
    for spot in to {
        *of.entry(spot.device).or_default() += 1;
    }
    let same = from.iter().filter_map(|s| of.get(&s.device));
    let count = from.len() * to.len() - same.sum::<usize>();
    let first = from.iter().find_map(|a| {
        let b = to.iter().find(|b| b.device != a.device)?;
        Some((*a, *b))
    });
    (count, first)
}

/// What makes two answers the same: verdict, rules, ports and causes, not the persons.
fn essence(explanation: &Explanation) -> String {
    let rules: Vec<_> = explanation
        .allowed
        .iter()
        .map(|chain| {
            (
                chain.rule,
                &chain.ports,
                chain.source.span,
                chain.target.span,
            )
        })
        .collect();
    format!("{rules:?} {:?}", explanation.denied)
}

fn ssh_essence(explanation: &SshExplanation) -> String {
    match explanation {
        SshExplanation::Allowed(chain) => {
            format!(
                "{:?} {:?} {:?}",
                chain.rule, chain.source.span, chain.target.span
            )
        }
        SshExplanation::Denied { cause, nearest } => format!("{cause:?} {nearest:?}"),
    }
}
