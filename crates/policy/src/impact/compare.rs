//! The comparison, group by group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wire::{NodeId, UserId, net::PortRange};

use super::{
    Change, Impact, Losers, Opening, Side,
    line::{self, Line, Lines, Set, Traffic, Uses},
    spot::{self, Device, Eye, View},
};
use crate::{
    compile::{Compiled, Section},
    diagnostic::Span,
    explain::{Part, RuleAt, ports},
};

/// An address of a device, with what both policies say of it.
struct Spot {
    device: usize,
    group: usize,
}

/// Spots that are alike before both policies.
struct Group {
    is_ipv4: bool,
    views: [View; 2],
    spots: Vec<usize>,
    /// How many of its spots are of each household.
    households: BTreeMap<usize, u64>,
}

/// Flows of one line that change alike.
#[derive(Default)]
struct Tally {
    from: BTreeSet<usize>,
    to: BTreeSet<usize>,
    flows: u64,
}

/// 0: lost, 1: gained; the line's rank in that policy; what of it changes.
type Key = (usize, usize, Vec<Opening>);

struct Comparison<'a> {
    ids: Vec<NodeId>,
    devices: Vec<Device<'a>>,
    /// By device. Devices of one user, before or after, are one household.
    households: Vec<usize>,
    spots: Vec<Spot>,
    groups: Vec<Group>,
    lines: Vec<Line>,
    uses: [Uses; 2],
    /// Words of sets in which some group changes.
    changed: Vec<usize>,
    known: HashMap<(Set, Set), Vec<Key>>,
    tallies: BTreeMap<Key, Tally>,
}

pub(super) fn compare(sides: [&Side<'_>; 2], laws: [&Compiled; 2]) -> Impact {
    let mut lines = Lines::default();
    let uses = laws.map(|law| lines.read(law));
    let devices = spot::devices(sides);
    let ids = devices.keys().copied().collect();
    let devices: Vec<Device<'_>> = devices.into_values().collect();
    let mut comparison = Comparison {
        ids,
        households: households(&devices),
        devices,
        spots: Vec::new(),
        groups: Vec::new(),
        changed: Vec::new(),
        known: HashMap::new(),
        tallies: BTreeMap::new(),
        lines: Vec::new(),
        uses,
    };
    comparison.look(sides, laws, lines.words());
    comparison.lines = lines.all;
    comparison.changed = comparison.changed_words(comparison.lines.len().div_ceil(64));
    comparison.across();
    comparison.within();
    comparison.finish()
}

/// Numbers the households: users joined by devices that went from one to the other.
fn households(devices: &[Device<'_>]) -> Vec<usize> {
    let mut joined: BTreeMap<UserId, UserId> = BTreeMap::new();
    let root = |joined: &BTreeMap<UserId, UserId>, mut user: UserId| {
        while let Some(next) = joined.get(&user) {
            user = *next;
        }
        user
    };
    for device in devices {
        if let (Some(a), Some(b)) = (device.owner(0), device.owner(1)) {
            let (a, b) = (root(&joined, a), root(&joined, b));
            if a != b {
                joined.insert(a, b);
            }
        }
    }
    let mut numbers: BTreeMap<UserId, usize> = BTreeMap::new();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next
    };
    devices
        .iter()
        .map(|device| match device.owner(0).or(device.owner(1)) {
            Some(user) => *numbers
                .entry(root(&joined, user))
                .or_insert_with(&mut fresh),
            None => fresh(),
        })
        .collect()
}

fn is_disabled(law: &Compiled, device: &Device<'_>, side: usize) -> bool {
    let facts = device.sides.get(side).copied().flatten();
    law.may_take_ipv4() && facts.is_some_and(|f| law.class_of(f).class().is_without_ipv4)
}

impl Comparison<'_> {
    /// Fills the spots and groups.
    fn look(&mut self, sides: [&Side<'_>; 2], laws: [&Compiled; 2], words: usize) {
        let borders = spot::borders([(laws[0], sides[0]), (laws[1], sides[1])]);
        let eyes = two(&laws, &self.uses, |law, uses| Eye { law, uses, words });
        let mut numbers: HashMap<(bool, [View; 2]), usize> = HashMap::new();
        for (at, device) in self.devices.iter().enumerate() {
            let without = [
                is_disabled(laws[0], device, 0),
                is_disabled(laws[1], device, 1),
            ];
            for address in spot::addresses(device, &borders) {
                let views = [
                    eyes[0].look(device.sides[0], address, without[0]),
                    eyes[1].look(device.sides[1], address, without[1]),
                ];
                let is_ipv4 = address.is_ipv4();
                let group = *numbers.entry((is_ipv4, views)).or_insert_with_key(|key| {
                    self.groups.push(Group {
                        is_ipv4,
                        views: key.1.clone(),
                        spots: Vec::new(),
                        households: BTreeMap::new(),
                    });
                    self.groups.len() - 1
                });
                let household = self.households.get(at).copied().unwrap_or_default();
                if let Some(group) = self.groups.get_mut(group) {
                    group.spots.push(self.spots.len());
                    *group.households.entry(household).or_default() += 1;
                }
                self.spots.push(Spot { device: at, group });
            }
        }
    }

    fn changed_words(&self, words: usize) -> Vec<usize> {
        let differs = |word: &usize| {
            self.groups.iter().any(|group| {
                let [a, b] = &group.views;
                a.source.get(*word) != b.source.get(*word)
                    || a.target.get(*word) != b.target.get(*word)
            })
        };
        (0..words).filter(differs).collect()
    }

    /// True when the group has a line where lines change.
    fn counts(&self, group: &Group, set: fn(&View) -> &Set) -> bool {
        let mut words = self.changed.iter();
        words.any(|w| {
            group
                .views
                .iter()
                .any(|v| set(v).get(*w).is_some_and(|x| *x != 0))
        })
    }

    /// True when the two groups may meet by other lines after than before.
    fn may_change(&self, from: &Group, to: &Group) -> bool {
        let at = |set: &Set, word: usize| set.get(word).copied().unwrap_or_default();
        let meeting = |from: &View, to: &View, word| at(&from.source, word) & at(&to.target, word);
        let ([f, g], [t, u]) = (&from.views, &to.views);
        let mut words = self.changed.iter();
        from.is_ipv4 == to.is_ipv4 && words.any(|w| meeting(f, t, *w) != meeting(g, u, *w))
    }

    /// Flows between households.
    fn across(&mut self) {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let counting = |set: fn(&View) -> &Set| -> Vec<(usize, &Group)> {
            let all = self.groups.iter().enumerate();
            all.filter(|(_, group)| self.counts(group, set)).collect()
        };
        let receivers = counting(|view| &view.target);
        for (f, from) in counting(|view| &view.source) {
            let met = receivers.iter().filter(|(_, to)| self.may_change(from, to));
            found.extend(met.map(|(t, _)| (f, *t)));
        }
        for (f, t) in found {
            let (Some(from), Some(to)) = (self.groups.get(f), self.groups.get(t)) else {
                continue;
            };
            let met = two(&from.views, &to.views, |f, t| {
                line::both(&f.source, &t.target)
            });
            let shared: u64 = from
                .households
                .iter()
                .map(|(h, n)| n * to.households.get(h).copied().unwrap_or_default())
                .sum();
            let pairs = from.spots.len() as u64 * to.spots.len() as u64 - shared;
            if pairs == 0 {
                continue;
            }
            // A source whose household is the whole other side meets nobody across.
            let senders = self.others(from, to);
            let receivers = self.others(to, from);
            for key in self.difference(met) {
                let tally = self.tallies.entry(key).or_default();
                tally.flows += pairs;
                tally.from.extend(&senders);
                tally.to.extend(&receivers);
            }
        }
    }

    /// The group's devices that meet another household in the other group.
    fn others(&self, group: &Group, other: &Group) -> Vec<usize> {
        let all = other.spots.len() as u64;
        let spots = group.spots.iter().filter_map(|s| self.spots.get(*s));
        let devices = spots.map(|spot| spot.device).filter(|device| {
            let household = self.households.get(*device);
            household.and_then(|h| other.households.get(h)).copied() != Some(all)
        });
        devices.collect()
    }

    /// Flows between devices of one household, pair by pair.
    fn within(&mut self) {
        let mut by_household: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, spot) in self.spots.iter().enumerate() {
            let household = self
                .households
                .get(spot.device)
                .copied()
                .unwrap_or_default();
            by_household.entry(household).or_default().push(at);
        }
        for spots in by_household.into_values() {
            for from in &spots {
                for to in &spots {
                    self.pair(*from, *to);
                }
            }
        }
    }

    /// The lines by which the first spot reaches the second, on both sides.
    fn lines_between(&self, from: usize, to: usize) -> Option<([Set; 2], usize, usize)> {
        let (from, to) = (self.spots.get(from)?, self.spots.get(to)?);
        let (a, b) = (self.groups.get(from.group)?, self.groups.get(to.group)?);
        if from.device == to.device || a.is_ipv4 != b.is_ipv4 {
            return None;
        }
        let owner = |device: usize, side| self.devices.get(device).and_then(|d| d.owner(side));
        let is_own = |side| owner(from.device, side) == owner(to.device, side);
        let met = |x: &View, y: &View, is_own: bool| {
            let mut met = line::both(&x.source, &y.target);
            if is_own && x.is_personal && y.is_personal {
                met.iter_mut().zip(&x.own).for_each(|(m, own)| *m |= own);
            }
            met
        };
        let before = met(&a.views[0], &b.views[0], is_own(0));
        let after = met(&a.views[1], &b.views[1], is_own(1));
        Some(([before, after], from.device, to.device))
    }

    fn pair(&mut self, from: usize, to: usize) {
        let Some((met, from, to)) = self.lines_between(from, to) else {
            return;
        };
        if met[0] == met[1] {
            return;
        }
        for key in self.difference(met) {
            let tally = self.tallies.entry(key).or_default();
            tally.flows += 1;
            tally.from.insert(from);
            tally.to.insert(to);
        }
    }

    /// What the lines before and after let through and the others do not.
    fn difference(&mut self, met: [Set; 2]) -> Vec<Key> {
        let [before, after] = met;
        let key = (before, after);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (old, new) = (self.traffic(&key.0), self.traffic(&key.1));
        let mut keys = self.beyond(0, &key.0, new);
        keys.extend(self.beyond(1, &key.1, old));
        self.known.insert(key, keys.clone());
        keys
    }

    /// What the lines of the set let through and `taken` does not hold.
    fn beyond(&self, side: usize, set: &Set, mut taken: Traffic) -> Vec<Key> {
        let order = self.uses.get(side).into_iter().flat_map(|u| &u.order);
        let mut keys = Vec::new();
        for (rank, (number, _)) in order.enumerate().filter(|(_, (n, _))| line::has(set, *n)) {
            if let Some(line) = self.lines.get(*number) {
                let new = take(&line.traffic(), &mut taken);
                if !new.is_empty() {
                    keys.push((side, rank, new));
                }
            }
        }
        keys
    }

    fn traffic(&self, set: &Set) -> Traffic {
        let mut all = Traffic::new();
        for (_, line) in self
            .lines
            .iter()
            .enumerate()
            .filter(|(n, _)| line::has(set, *n))
        {
            take(&line.traffic(), &mut all);
        }
        all
    }

    fn finish(self) -> Impact {
        let mut impact = Impact {
            cut_off: self.cut_off(),
            ..Impact::default()
        };
        for ((side, rank, traffic), tally) in &self.tallies {
            let order = self.uses.get(*side).and_then(|u| u.order.get(*rank));
            let Some((line, origin)) = order.and_then(|(n, o)| Some((self.lines.get(*n)?, o)))
            else {
                continue;
            };
            let section = match origin.section {
                Section::Acls if origin.span == Span::default() => Part::Open,
                Section::Acls => Part::Acls,
                Section::Grants => Part::Grants,
            };
            let id = |device: &usize| self.ids.get(*device).copied();
            let owner = |device: &usize| self.devices.get(*device)?.owner(*side);
            let people: BTreeSet<UserId> = tally.from.iter().filter_map(owner).collect();
            let change = Change {
                rule: RuleAt {
                    section,
                    index: origin.index,
                    span: origin.span,
                },
                who: line.sources.clone(),
                to: line.target.clone(),
                traffic: traffic.clone(),
                people: people.into_iter().collect(),
                from_devices: tally.from.iter().filter_map(id).collect(),
                to_devices: tally.to.iter().filter_map(id).collect(),
                flows: tally.flows,
            };
            if *side == 0 {
                impact.lost.push(change);
            } else {
                impact.gained.push(change);
            }
        }
        impact
    }

    /// Who lost something and reaches nothing any more.
    fn cut_off(&self) -> Losers {
        let lost = self.tallies.iter().filter(|((side, ..), _)| *side == 0);
        let losing: BTreeSet<usize> = lost.flat_map(|(_, t)| t.from.iter().copied()).collect();
        let mut by_owner: BTreeMap<UserId, Vec<usize>> = BTreeMap::new();
        let mut losers = Losers::default();
        let mut spots: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, spot) in self.spots.iter().enumerate() {
            spots.entry(spot.device).or_default().push(at);
        }
        for (at, device) in self.devices.iter().enumerate() {
            if let Some(owner) = device.owner(0) {
                by_owner.entry(owner).or_default().push(at);
            } else if losing.contains(&at) && !self.reaches_something(at, &spots) {
                losers.devices.extend(self.ids.get(at));
            }
        }
        for (owner, devices) in by_owner {
            let lost = devices.iter().any(|d| losing.contains(d));
            if lost && !devices.iter().any(|d| self.reaches_something(*d, &spots)) {
                losers.people.push(owner);
            }
        }
        losers
    }

    /// True when some other device is reached after.
    fn reaches_something(&self, device: usize, spots: &BTreeMap<usize, Vec<usize>>) -> bool {
        let household = self.households.get(device);
        let mine = spots.get(&device).into_iter().flatten();
        for spot in mine {
            let Some(from) = self.spots.get(*spot).and_then(|s| self.groups.get(s.group)) else {
                continue;
            };
            let across = self.groups.iter().any(|to| {
                let same = household.and_then(|h| to.households.get(h)).copied();
                from.is_ipv4 == to.is_ipv4
                    && same != Some(to.spots.len() as u64)
                    && line::meet(&from.views[1].source, &to.views[1].target)
            });
            let within = || {
                let own = self.spots.iter().enumerate();
                let mut own = own.filter(|(_, s)| self.households.get(s.device) == household);
                own.any(|(to, _)| {
                    let met = self.lines_between(*spot, to);
                    met.is_some_and(|(met, ..)| met[1].iter().any(|word| *word != 0))
                })
            };
            if across || within() {
                return true;
            }
        }
        false
    }
}

fn two<'x, A, B, T>(a: &'x [A; 2], b: &'x [B; 2], f: impl Fn(&'x A, &'x B) -> T) -> [T; 2] {
    [f(&a[0], &b[0]), f(&a[1], &b[1])]
}

/// Adds traffic to what is there; what was not there before.
fn take(traffic: &Traffic, all: &mut Traffic) -> Vec<Opening> {
    let mut new = Vec::new();
    for (proto, open) in traffic {
        let there = all.entry(*proto).or_default();
        let left: Vec<PortRange> = there
            .iter()
            .fold(open.clone(), |left, cut| ports::without(&left, *cut));
        if !left.is_empty() {
            there.extend(&left);
            new.push(Opening {
                proto: *proto,
                ports: left,
            });
        }
    }
    new
}
