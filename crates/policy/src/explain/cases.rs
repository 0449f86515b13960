//! Questions about many devices at once, answered once for those alike.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::PortRange;

use super::{
    Device, Explainer, Explanation, Flow, SignIn, Spot, SshExplanation, SshMissing, Verdict,
    alike::{self, Alike},
    gist::{Answer, few},
    spot::joined,
    ssh,
    steer::Named,
};
use crate::{compile::Compiled, decide::End, directory::NodeFacts, protocol};

/// The most pairs of devices, each pair unlike the others, that one question looks at.
const MOST_PAIRS: usize = 2_000;

/// Pairs of devices with the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<E> {
    /// The sources, sorted; ranges that touch are joined.
    pub from: Vec<Spot>,
    /// The destinations, sorted; ranges that touch are joined.
    pub to: Vec<Spot>,
    /// How many pairs of a device or a range and another; pieces of a range that touch are one.
    pub pairs: usize,
    /// True when the answer is about every pair of the two, and not about some.
    pub is_every_pair: bool,
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
    /// Routers that are one end of a pair, while the other lies behind them, or between two
    /// addresses behind them: such traffic does not pass through the mesh and is left out.
    pub within: BTreeSet<usize>,
}

/// The answer about two spots, or about their addresses of one family.
struct Told<E> {
    /// True for IPv4; `None`: for both families.
    is_ipv4: Option<bool>,
    /// The router that takes packets there instead, where the rule names it with `via`.
    router: Option<usize>,
    explanation: E,
}

impl Explainer<'_> {
    /// A flow from each of `from` to each of `to`. `law` is of the same document
    /// and directory; it tells which devices are alike. Ranges are cut where rules
    /// tell their addresses apart, and machines are judged by both their addresses.
    pub fn explain_all(
        &self,
        law: &Compiled,
        devices: &[Device<'_>],
        (from, to): (&[Spot], &[Spot]),
        (proto, ports): (u8, &[PortRange]),
    ) -> Cases<Explanation> {
        let cuts = self.cuts(devices, from.iter().chain(to));
        let from = alike::classes(law, devices, (&cuts, from), law.asks_for_postures());
        let to = alike::classes(law, devices, (&cuts, to), false);
        let routers = self.named_routers(devices.iter().map(|device| device.facts));
        let judge = |a: Spot, b: Spot, is_even: bool| {
            let flows = self.flows(devices, (a, b), is_even, (proto, ports));
            by_family(flows.iter().map(|flow| self.told(&routers, flow)).collect())
        };
        pairs(devices, (&from, &to), judge)
    }

    /// A sign-in as `login` from each of `from` to each of `to`. `law` is as for
    /// [`Self::explain_all`]. What lies behind routers signs in to nothing and is signed in to by
    /// nobody.
    pub fn explain_sign_ins(
        &self,
        law: &Compiled,
        devices: &[Device<'_>],
        (from, to): (&[Spot], &[Spot]),
        login: &str,
    ) -> Cases<SshExplanation> {
        let real = devices.iter().filter(|device| !device.is_thought);
        let nodes: Vec<NodeFacts> = real.map(|device| device.facts.clone()).collect();
        let judge = |a: Spot, b: Spot, is_even: bool| {
            let ends = devices.get(a.device).zip(devices.get(b.device));
            let told = ends.map(|(from, to)| Told {
                is_ipv4: None,
                router: None,
                explanation: outside((a, from), (b, to)).unwrap_or_else(|| {
                    let flows = self.flows(devices, (a, b), is_even, (ssh::TCP, &ssh::PORTS));
                    let asked = SignIn {
                        from: from.facts,
                        to: to.facts,
                        login,
                        nodes: &nodes,
                    };
                    self.explain_sign_in(&asked, &flows)
                }),
            });
            told.into_iter().collect()
        };
        let from = alike::identities(law, devices, from);
        let to = alike::identities(law, devices, to);
        pairs(devices, (&from, &to), judge)
    }

    /// The answer about a flow; where only another router lets it through, that one's.
    fn told(&self, routers: &[Named<'_>], flow: &Flow<'_>) -> Told<Explanation> {
        let told = |router, explanation| Told {
            is_ipv4: Some(flow.to.address.is_ipv4()),
            router,
            explanation,
        };
        let explanation = self.explain_sent(flow);
        if !explanation.allowed.is_empty() {
            return told(None, explanation);
        }
        let from = self.names.party(flow.from);
        let others = self.instead(routers, &from, flow.to).into_iter();
        let mut others = others.filter_map(|(at, to)| {
            let other = self.explain_sent(&Flow { to, ..*flow });
            (!other.allowed.is_empty()).then_some((at, other))
        });
        match others.next() {
            Some((router, other)) => told(Some(router), other),
            None => told(None, explanation),
        }
    }

    /// The flows between two spots: one of each family that both have and keep, or one where the
    /// families are even.
    fn flows<'d>(
        &self,
        devices: &[Device<'d>],
        (from, to): (Spot, Spot),
        is_even: bool,
        (proto, ports): (u8, &'d [PortRange]),
    ) -> Vec<Flow<'d>> {
        let Some((a, b)) = devices.get(from.device).zip(devices.get(to.device)) else {
            return Vec::new();
        };
        let end = |device: &Device<'d>, address| End {
            node: device.facts,
            address,
        };
        let flow = |x, y: std::net::IpAddr| Flow {
            from: end(a, x),
            to: end(b, y),
            proto: protocol::of_family(proto, y.is_ipv4()),
            ports,
            offered: b.offered,
        };
        let by_family = [from.v4.zip(to.v4), from.v6.zip(to.v6)];
        let all: Vec<Flow<'d>> = by_family
            .into_iter()
            .flatten()
            .map(|(x, y)| flow(x, y))
            .collect();
        let is_kept = |flow: &&Flow<'_>| !self.is_disabled(flow.from) && !self.is_disabled(flow.to);
        let mut kept: Vec<Flow<'d>> = all.iter().filter(is_kept).copied().collect();
        if kept.is_empty() {
            let crossed = || {
                let (x, y) = from.addresses().next().zip(to.addresses().next())?;
                Some(flow(x, y))
            };
            kept.extend(all.first().copied().or_else(crossed));
        }
        if is_even {
            kept.truncate(1);
        }
        kept
    }
}

/// The answer where an end is no device, but an address behind one.
fn outside(from: (Spot, &Device<'_>), to: (Spot, &Device<'_>)) -> Option<SshExplanation> {
    let is_outside = |(spot, device): (Spot, &Device<'_>)| !spot.is_own(device.facts);
    let cause = if is_outside(to) {
        SshMissing::DestinationOutside
    } else if is_outside(from) {
        SshMissing::SourceOutside
    } else {
        return None;
    };
    Some(SshExplanation::Denied {
        cause,
        nearest: Vec::new(),
    })
}

/// One answer for both families where they do not differ; of two denials the one that says more.
fn by_family(mut all: Vec<Told<Explanation>>) -> Vec<Told<Explanation>> {
    if let [a, b] = all.as_slice() {
        let (a, b) = (&a.explanation, &b.explanation);
        let both_denied = a.verdict == Verdict::Denied && b.verdict == Verdict::Denied;
        let is_one = both_denied || a.essence() == b.essence();
        if both_denied && b.lacks() < a.lacks() {
            all.swap(0, 1);
        }
        if is_one {
            all.truncate(1);
        }
    }
    if let [one] = all.as_mut_slice() {
        one.is_ipv4 = None;
    }
    all
}

fn pairs<E: Answer>(
    devices: &[Device<'_>],
    (from, to): (&[Alike], &[Alike]),
    judge: impl Fn(Spot, Spot, bool) -> Vec<Told<E>>,
) -> Cases<E> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<Gathered<E>> = Vec::new();
    let mut same = BTreeSet::new();
    let (mut looked, mut left_out, mut within) = (0, 0, BTreeSet::new());
    for (row, sources) in from.iter().enumerate() {
        for (column, targets) in to.iter().enumerate() {
            let (count, example) = apart(&sources.spots, &targets.spots);
            within.extend(one_router(devices, &sources.spots, &targets.spots));
            let Some((a, b)) = example else {
                same.insert((row, column));
                continue;
            };
            if looked == MOST_PAIRS {
                left_out += count;
                continue;
            }
            looked += 1;
            for told in judge(a, b, sources.is_even && targets.is_even) {
                let narrow = |spot: Spot| told.is_ipv4.map_or(spot, |v4| spot.narrowed(v4));
                let target = |spot: Spot| Spot {
                    device: told.router.unwrap_or(spot.device),
                    ..narrow(spot)
                };
                let key = told.explanation.essence();
                let at = *places.entry(key).or_insert(all.len());
                if at == all.len() {
                    all.push(Gathered {
                        case: Case {
                            from: Vec::new(),
                            to: Vec::new(),
                            pairs: 0,
                            is_every_pair: false,
                            example: (narrow(a), target(b)),
                            explanation: told.explanation,
                        },
                        met: BTreeSet::new(),
                    });
                }
                if let Some(Gathered { case, met }) = all.get_mut(at) {
                    case.pairs += count;
                    case.from.extend(sources.spots.iter().copied().map(narrow));
                    case.to.extend(targets.spots.iter().copied().map(target));
                    met.insert((row, column));
                }
            }
        }
    }
    let all = few(all).into_iter();
    let all = all.map(|gathered| gathered.finish(&same, (from, to)));
    let mut all: Vec<Case<E>> = all.collect();
    if all.len() > 1 {
        all.iter_mut().for_each(Case::leave_itself_out);
    }
    Cases {
        all,
        left_out,
        within,
    }
}

/// A case, and the pairs of classes that it is about.
pub(super) struct Gathered<E> {
    pub(super) case: Case<E>,
    pub(super) met: BTreeSet<(usize, usize)>,
}

impl<E> Gathered<E> {
    /// `same`: pairs of classes of one device alone.
    fn finish(
        mut self,
        same: &BTreeSet<(usize, usize)>,
        (from, to): (&[Alike], &[Alike]),
    ) -> Case<E> {
        self.case.pairs = told_pairs(&self.met, from, to);
        let rows: BTreeSet<usize> = self.met.iter().map(|(row, _)| *row).collect();
        let columns: BTreeSet<usize> = self.met.iter().map(|(_, column)| *column).collect();
        let mut each = rows
            .iter()
            .flat_map(|row| columns.iter().map(|column| (*row, *column)));
        self.case.is_every_pair = each.all(|pair| self.met.contains(&pair) || same.contains(&pair));
        joined(&mut self.case.from);
        joined(&mut self.case.to);
        self.case
    }
}

/// How many pairs of places the pairs of classes are, where what is cut is whole again.
fn told_pairs(met: &BTreeSet<(usize, usize)>, from: &[Alike], to: &[Alike]) -> usize {
    /// Classes whose spots are of one device, or one other class.
    type Group = (Option<usize>, usize);
    let group = |all: &[Alike], at: usize| -> Group {
        let spots = all.get(at).map(|class| class.spots.as_slice());
        let device = spots.and_then(|spots| {
            let first = spots.first()?.device;
            spots.iter().all(|s| s.device == first).then_some(first)
        });
        (device, device.map_or(at, |_| 0))
    };
    let mut groups: BTreeMap<(Group, Group), [BTreeSet<usize>; 2]> = BTreeMap::new();
    for (row, column) in met {
        let key = (group(from, *row), group(to, *column));
        let [rows, columns] = groups.entry(key).or_default();
        rows.insert(*row);
        columns.insert(*column);
    }
    let places = |all: &[Alike], classes: &BTreeSet<usize>| {
        let classes = classes.iter().filter_map(|at| all.get(*at));
        let mut spots: Vec<Spot> = classes.flat_map(|c| c.spots.iter().copied()).collect();
        joined(&mut spots);
        let mut by_device: BTreeMap<usize, usize> = BTreeMap::new();
        for spot in spots {
            *by_device.entry(spot.device).or_default() += 1;
        }
        by_device
    };
    let count = |[rows, columns]: &[BTreeSet<usize>; 2]| -> usize {
        let (a, b) = (places(from, rows), places(to, columns));
        let same = a.iter().map(|(at, n)| n * b.get(at).copied().unwrap_or(0));
        a.values().sum::<usize>() * b.values().sum::<usize>() - same.sum::<usize>()
    };
    groups.values().map(count).sum()
}

impl<E> Case<E> {
    /// A device alone on one side is not among those on the other.
    fn leave_itself_out(&mut self) {
        let alone = |spots: &[Spot]| {
            let (first, rest) = spots.split_first()?;
            let is_alone = rest.iter().all(|spot| spot.device == first.device);
            is_alone.then_some(first.device)
        };
        let (from, to) = (alone(&self.from), alone(&self.to));
        self.from.retain(|spot| Some(spot.device) != to);
        self.to.retain(|spot| Some(spot.device) != from);
    }
}

/// How many pairs are of two devices, and the first such pair.
fn apart(from: &[Spot], to: &[Spot]) -> (usize, Option<(Spot, Spot)>) {
    let devices = |spots: &[Spot]| -> BTreeSet<usize> { spots.iter().map(|s| s.device).collect() };
    let (sources, targets) = (devices(from), devices(to));
    let same = sources.intersection(&targets).count();
    let first = from.iter().find_map(|a| {
        let b = to.iter().find(|b| b.device != a.device)?;
        Some((*a, *b))
    });
    (sources.len() * targets.len() - same, first)
}

/// The devices of both sides that are not each an end by themselves: something behind them is.
fn one_router(devices: &[Device<'_>], from: &[Spot], to: &[Spot]) -> BTreeSet<usize> {
    let is_behind = |spot: &&Spot| {
        let device = devices.get(spot.device);
        device.is_some_and(|device| !spot.is_own(device.facts))
    };
    let all = |spots: &[Spot]| spots.iter().map(|s| s.device).collect::<BTreeSet<usize>>();
    let behind = |spots: &[Spot]| -> BTreeSet<usize> {
        spots.iter().filter(is_behind).map(|s| s.device).collect()
    };
    let (from_behind, to_behind) = (behind(from), behind(to));
    if from_behind.is_empty() && to_behind.is_empty() {
        return BTreeSet::new();
    }
    let (from, to) = (all(from), all(to));
    let both = from.intersection(&to).copied();
    both.filter(|at| from_behind.contains(at) || to_behind.contains(at))
        .collect()
}
