//! An impact is the difference of all decisions.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "impact/apps.rs"]
mod apps;
#[path = "impact/naive.rs"]
mod naive;
#[path = "impact/previews.rs"]
mod previews;
#[path = "impact/ssh.rs"]
mod ssh;
#[path = "explain/wider.rs"]
mod wider;
#[expect(dead_code, reason = "other tests ask about flows behind routers too")]
#[path = "law/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use naive::{Probe, State, Told, gained, pairs, probes};
use policy::{
    explain::{Part, Sort},
    impact::{Bounds, Change, Changes, Impact, Opening, Parties, impact},
};
use proptest::prelude::*;
use wider::arb_wide_world;
use wire::{NodeId, UserId};
use world::World;

fn impact_of(a: &State, b: &State) -> Impact {
    impact(&a.side(&a.nodes()), &b.side(&b.nodes()), Bounds::NONE)
}

fn probed(change: &Change<Vec<Opening>>) -> BTreeSet<Probe> {
    let holds = |(proto, port): &Probe| {
        let mut openings = change.what.iter().filter(|o| o.protocols.contains(proto));
        openings.any(|o| o.ports.iter().any(|r| r.contains(*port)))
    };
    probes().filter(holds).collect()
}

/// What is compared: counts stand for the sets.
type Row = (&'static str, usize, BTreeSet<Probe>, [u64; 4], bool);

fn rows(changes: &Changes<Vec<Opening>>) -> Vec<Row> {
    let mut all: Vec<Row> = changes
        .shown
        .iter()
        .map(|c| {
            let section = match c.rule.section {
                Part::Acls => "acls",
                Part::Grants => "grants",
                Part::Open | Part::Ssh => "another",
            };
            let counts = [c.flows, c.who.devices, c.who.people, c.to.devices];
            (section, c.rule.index, probed(c), counts, c.is_partial)
        })
        .collect();
    all.sort();
    all
}

fn people(state: &State, devices: &BTreeSet<usize>) -> u64 {
    let owners: BTreeSet<UserId> = devices.iter().filter_map(|d| state.owner(*d)).collect();
    owners.len() as u64
}

fn naive_rows(state: &State, told: &[Told]) -> Vec<Row> {
    let mut all: Vec<Row> = told
        .iter()
        .map(|t| {
            let (from, to) = (t.from.len() as u64, t.to.len() as u64);
            let counts = [t.flows, from, people(state, &t.from), to];
            (t.rule.0, t.rule.1, t.probes.clone(), counts, t.is_partial)
        })
        .collect();
    all.sort();
    all
}

/// Every name is of devices that the change is about, and all of them have names.
fn names_fit(state: &State, parties: &Parties, devices: &BTreeSet<usize>) -> bool {
    let named: u64 = parties.shown.iter().map(|p| p.devices).sum();
    let fits = parties.shown.iter().all(|party| {
        let of: BTreeSet<usize> = match (party.sort, party.user, party.node) {
            (Sort::User, Some(user), None) => {
                let all = 0..state.world.nodes.len();
                all.filter(|d| state.owner(*d) == Some(user)).collect()
            }
            (Sort::Device, None, Some(node)) => {
                let mut all = (1..).map(NodeId);
                all.position(|id| id == node).into_iter().collect()
            }
            (Sort::Tag, None, None) if party.text.starts_with("tag:") => {
                let all = state.world.nodes.iter().enumerate();
                let tagged = all.filter(|(_, n)| n.tags.contains(&party.text));
                tagged.map(|(at, _)| at).collect()
            }
            _ => return party.devices > 0,
        };
        of.intersection(devices).count() as u64 == party.devices
            && (of.difference(devices).count() as u64) >= party.unchanged
    });
    fits && named >= parties.devices && parties.more == 0
}

/// The second world's rules in the first, with its people and devices or the first's.
fn edited(a: &World, b: &World, which: u8) -> World {
    let mut edited = a.clone();
    if which & 1 != 0 {
        edited.document = b.document.clone();
    }
    if which & 2 != 0 {
        edited.directory = b.directory.clone();
    }
    if which & 4 != 0 {
        edited.nodes.clone_from(&b.nodes);
    }
    edited
}

fn without_spans<W: std::fmt::Debug>(changes: &Changes<W>) -> BTreeSet<String> {
    changes.shown.iter().map(|c| format!("{c:?}")).collect()
}

/// Users and devices that reached something before and nothing after.
fn cut_off(a: &State, b: &State) -> (BTreeSet<UserId>, BTreeSet<NodeId>) {
    let reaching = |state: &State| -> BTreeSet<usize> {
        let all = pairs(a, b).into_iter();
        let open = all.filter(|(f, t)| probes().any(|p| state.allows(*f, *t, p)));
        open.map(|(from, _)| from.0).collect()
    };
    let (before, after) = (reaching(a), reaching(b));
    let (mut people, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for n in before.difference(&after) {
        match a.owner(*n) {
            Some(user) => {
                if !after.iter().any(|other| a.owner(*other) == Some(user)) {
                    people.insert(user);
                }
            }
            None => {
                devices.insert(NodeId(*n as u64 + 1));
            }
        }
    }
    (people, devices)
}

fn total_of<W>(changes: &Changes<W>) -> [u64; 4] {
    [
        changes.flows,
        changes.from_devices,
        changes.people,
        changes.to_devices,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_is_the_difference_of_all_decisions(a in arb_wide_world(), b in arb_wide_world(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, true), State::new(b, true));
        let change = impact_of(&a, &b);
        for (told, from, to) in [(&change.gained.traffic, &a, &b), (&change.lost.traffic, &b, &a)] {
            let (lines, total) = gained(from, to);
            prop_assert_eq!(rows(told), naive_rows(to, &lines), "{:#?}\n{:#?}", told, lines);
            let expected = [total.flows, total.from.len() as u64, people(to, &total.from), total.to.len() as u64];
            prop_assert_eq!(total_of(told), expected);
            for change in &told.shown {
                let mut lines = lines.iter();
                let fits = lines.any(|line| names_fit(to, &change.who, &line.from) && names_fit(to, &change.to, &line.to));
                prop_assert!(fits, "{:#?}", change);
            }
        }
        let (people, devices) = cut_off(&a, &b);
        prop_assert_eq!(change.cut_off.people.iter().filter_map(|p| p.user).collect::<BTreeSet<_>>(), people);
        prop_assert_eq!(change.cut_off.devices.iter().filter_map(|p| p.node).collect::<BTreeSet<_>>(), devices);
    }

    #[test]
    fn what_one_way_gains_the_other_loses(a in arb_wide_world(), b in arb_wide_world(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, false), State::new(b, false));
        let (there, back) = (impact_of(&a, &b), impact_of(&b, &a));
        prop_assert_eq!(without_spans(&there.gained.traffic), without_spans(&back.lost.traffic));
        prop_assert_eq!(without_spans(&there.lost.capabilities), without_spans(&back.gained.capabilities));
        prop_assert_eq!(without_spans(&there.lost.sign_ins), without_spans(&back.gained.sign_ins));
        prop_assert_eq!(impact_of(&a, &a), Impact::default());
        // Every flow behind a router that changes is told of, by its rule.
        for (told, from, to) in [(&there.gained, &a, &b), (&there.lost, &b, &a)] {
            let mut known: BTreeMap<(Part, usize), BTreeSet<Probe>> = BTreeMap::new();
            for change in &told.traffic.shown {
                let rule = (change.rule.section, change.rule.index);
                known.entry(rule).or_default().extend(probed(change));
            }
            for (source, target) in to.world.flows() {
                let at = |end: policy::End<'_>| {
                    let number = to.world.nodes.iter().position(|n| std::ptr::eq(n, end.node));
                    from.world.nodes.get(number.unwrap())
                };
                for (proto, port) in probes() {
                    let policy::Decision::Allowed { section, rule, .. } = to.law.decide(source, target, proto, port) else {
                        continue;
                    };
                    let was = at(source).zip(at(target)).is_some_and(|(f, t)| {
                        let end = |node, address| policy::End { node, address };
                        from.law.decide(end(f, source.address), end(t, target.address), proto, port).is_allowed()
                    });
                    let part = match section {
                        policy::Section::Acls => Part::Acls,
                        policy::Section::Grants => Part::Grants,
                    };
                    let is_told = known.get(&(part, rule)).is_some_and(|p| p.contains(&(proto, port)));
                    prop_assert!(was || is_told, "{:?} {:?} {} {} {:#?}", source, target, proto, port, told.traffic);
                }
            }
        }
    }
}
