//! Of an answer that differs among what was asked about: which part is open, and which is not.

use std::collections::{BTreeMap, BTreeSet};

use policy::explain::{Spot, Typed};
use wire::api::policy::explain::{Case, Names, Verdict};

use super::{Scene, words};

/// As many cases that are open are told one by one.
const MOST_OPEN: usize = 2;

/// A case and what it is about.
pub(super) struct Told<'a> {
    pub(super) case: Case,
    pub(super) from: &'a [Spot],
    pub(super) to: &'a [Spot],
    /// True when it is about each pair of the two.
    pub(super) is_every_pair: bool,
}

impl<'a> Told<'a> {
    /// A case of addresses that lead nowhere; its other end is the whole of what was asked.
    pub(super) fn nowhere(case: &Case, (from, to): (&'a Typed, &'a Typed)) -> Self {
        let is_source = case
            .denied
            .as_ref()
            .is_some_and(|denied| denied.cause == "no_such_source");
        Self {
            case: case.clone(),
            from: if is_source { &[] } else { &from.spots },
            to: if is_source { &to.spots } else { &[] },
            is_every_pair: true,
        }
    }
}

/// The sources or the destinations of some cases.
struct Side<'a> {
    spots: BTreeMap<usize, Vec<Spot>>,
    names: BTreeSet<&'a str>,
    more: usize,
}

impl<'a> Side<'a> {
    fn of(told: &[&'a Told<'a>], is_source: bool) -> Self {
        let mut side = Self {
            spots: BTreeMap::new(),
            names: BTreeSet::new(),
            more: 0,
        };
        for told in told {
            let (spots, names) = if is_source {
                (told.from, &told.case.from)
            } else {
                (told.to, &told.case.to)
            };
            for spot in spots {
                side.spots.entry(spot.device).or_default().push(*spot);
            }
            side.names.extend(names.first.iter().map(String::as_str));
            side.more += names.total - names.first.len();
        }
        side
    }

    /// True when nothing is on both sides; `is_same` tells it of two spots of one device.
    fn is_apart(&self, other: &Self, is_same: impl Fn(&Spot, &Spot) -> bool) -> bool {
        self.spots.iter().all(|(device, mine)| {
            let others = other.spots.get(device).map_or(&[][..], Vec::as_slice);
            mine.iter().all(|a| others.iter().all(|b| !is_same(a, b)))
        })
    }

    fn listed(&self) -> String {
        words::listed(&Names {
            first: self.names.iter().map(|name| (*name).to_owned()).collect(),
            total: self.names.len() + self.more,
        })
    }
}

/// Which part is open, and which is not: by destinations or by sources where these tell them
/// apart, else by pairs.
pub(super) fn in_part(scene: &Scene<'_>, told: &[Told<'_>]) -> String {
    let those = |verdicts: &[Verdict]| -> Vec<&Told<'_>> {
        let all = told.iter();
        all.filter(|told| verdicts.contains(&told.case.verdict))
            .collect()
    };
    let shut = those(&[Verdict::Denied]);
    if !shut.is_empty() {
        let open = those(&[Verdict::Allowed, Verdict::Partly]);
        return match differing(scene, &open, &shut) {
            Some((word, open, shut)) => format!("{word}{open}, but not {word}{shut}"),
            None => by_pair(&open, told),
        };
    }
    let (whole, partly) = (those(&[Verdict::Allowed]), those(&[Verdict::Partly]));
    if whole.is_empty() {
        return "everywhere on some of these ports alone".to_owned();
    }
    match differing(scene, &whole, &partly) {
        Some((word, whole, partly)) => {
            let word = if word.is_empty() { "to " } else { word };
            format!("on all of these ports {word}{whole}, on some of them {word}{partly}")
        }
        None => "the open ports are not the same everywhere".to_owned(),
    }
}

/// What tells two lists of cases apart: the word before it, and the names of either.
fn differing(
    scene: &Scene<'_>,
    open: &[&Told<'_>],
    shut: &[&Told<'_>],
) -> Option<(&'static str, String, String)> {
    let is_own = |spot: &Spot| {
        let device = scene.devices.get(spot.device);
        device.is_some_and(|device| spot.is_own(device.facts))
    };
    let meet = |a: &Spot, b: &Spot| match (a.ends(), b.ends()) {
        (Some((first, last)), Some((low, high))) => first <= high && low <= last,
        _ => a.addresses().any(|x| b.addresses().any(|y| x == y)),
    };
    // A machine sends from the address that fits the destination's: one source either way.
    let same_source = |a: &Spot, b: &Spot| (is_own(a) && is_own(b)) || meet(a, b);
    let sides = |is_source| (Side::of(open, is_source), Side::of(shut, is_source));
    let (to, not_to) = sides(false);
    if to.is_apart(&not_to, meet) {
        return Some(("", to.listed(), not_to.listed()));
    }
    let (from, not_from) = sides(true);
    let is_apart = from.is_apart(&not_from, same_source);
    is_apart.then(|| ("from ", from.listed(), not_from.listed()))
}

/// The pairs that are open, or how many they are.
fn by_pair(open: &[&Told<'_>], all: &[Told<'_>]) -> String {
    if open.len() <= MOST_OPEN && open.iter().all(|told| told.is_every_pair) {
        let each = open.iter().map(|told| {
            let [from, to] = [&told.case.from, &told.case.to].map(words::listed);
            format!("from {from} to {to}")
        });
        let each: Vec<String> = each.collect();
        return format!("{} alone", each.join(", and "));
    }
    let open: usize = open.iter().map(|told| told.case.pairs).sum();
    let all: usize = all.iter().map(|told| told.case.pairs).sum();
    format!("for {open} of {all} pairs of a source and a destination")
}
