//! The whole answer: one sentence over all cases.

use std::collections::BTreeSet;

use policy::explain::{Case, Cases, Spot, Typed};
use wire::api::policy::explain::{self as api, Explained, Names, Verdict};

use super::{Scene, within, words};

/// The most cases that an answer tells.
const MOST_CASES: usize = 50;

/// One sentence over all cases; what is open first, and the widest case of each verdict.
/// `nowhere`: cases of addresses that lead nowhere.
pub(super) fn told<E>(
    scene: &Scene<'_>,
    cases: &Cases<E>,
    tell: impl Fn(&Case<E>) -> api::Case,
    nowhere: &[api::Case],
    ends: (&Typed, &Typed),
    act: &str,
) -> Explained {
    let mut told: Vec<api::Case> = cases.all.iter().map(tell).collect();
    told.extend_from_slice(nowhere);
    told.sort_by_key(|case| {
        let order = match case.verdict {
            Verdict::Allowed => 0,
            Verdict::Partly => 1,
            Verdict::Denied | Verdict::Unasked => 2,
        };
        (order, std::cmp::Reverse(case.pairs))
    });
    let verdict = over(&told);
    let (from, _) = ends;
    let sentence = match (told.as_slice(), verdict) {
        ([], _) => within::sentence(scene, &cases.within, ends),
        ([one], _) => one.sentence.clone(),
        (_, Verdict::Allowed) => format!("{} may {act}.", from.name),
        (_, Verdict::Denied | Verdict::Unasked) => format!("{} may not {act}.", from.name),
        (_, Verdict::Partly) => {
            let part = in_part(&told, &sides(cases, nowhere, ends));
            format!("{} may {act} only in part{part}.", from.name)
        }
    };
    let more: usize = told.iter().skip(MOST_CASES).map(|case| case.pairs).sum();
    told.truncate(MOST_CASES);
    let left = more + cases.left_out;
    Explained {
        verdict,
        sentence,
        notes: within::note(scene, &cases.within, told.is_empty()),
        cases: told,
        entrances: Vec::new(),
        left_out: (left > 0).then(|| {
            format!("{left} more pairs of machines are not told of: ask about fewer of them.")
        }),
    }
}

fn over(told: &[api::Case]) -> Verdict {
    let all = |verdict| told.iter().all(|case| case.verdict == verdict);
    if told.is_empty() {
        Verdict::Unasked
    } else if all(Verdict::Allowed) {
        Verdict::Allowed
    } else if all(Verdict::Denied) {
        Verdict::Denied
    } else {
        Verdict::Partly
    }
}

/// The ends of which some cases are about a part: of a place, or of a machine's addresses.
struct Sides {
    from: bool,
    to: bool,
}

fn sides<E>(cases: &Cases<E>, nowhere: &[api::Case], (from, to): (&Typed, &Typed)) -> Sides {
    let is_part = |spots: &[Spot], typed: &Typed| {
        let known = |spot: &Spot| typed.spots.binary_search(spot).is_ok();
        !spots.iter().all(known)
    };
    Sides {
        from: !from.nowhere.is_empty() || cases.all.iter().any(|c| is_part(&c.from, from)),
        to: !to.nowhere.is_empty() && !nowhere.is_empty()
            || cases.all.iter().any(|case| is_part(&case.to, to)),
    }
}

/// Which part is open and which is not; in pairs of machines where no name tells them apart.
fn in_part(told: &[api::Case], sides: &Sides) -> String {
    let named = |of: fn(&api::Case) -> &Names, word: &str| {
        let [open, shut] = [true, false].map(|is_open| {
            let cases = told
                .iter()
                .filter(|case| (case.verdict != Verdict::Denied) == is_open);
            cases.map(of).fold(Part::default(), Part::with)
        });
        let is_clear = open.names.is_disjoint(&shut.names);
        is_clear.then(|| format!(": {word}{}, but not {word}{}", open.listed(), shut.listed()))
    };
    let by_to = sides.to.then(|| named(|case| &case.to, "")).flatten();
    let by_from = || {
        sides
            .from
            .then(|| named(|case| &case.from, "from "))
            .flatten()
    };
    if let Some(part) = by_to.or_else(by_from) {
        return part;
    }
    if sides.from || sides.to {
        return String::new();
    }
    let pairs = |is: fn(&&api::Case) -> bool| -> usize {
        told.iter().filter(is).map(|case| case.pairs).sum()
    };
    let (open, all) = (
        pairs(|case| case.verdict == Verdict::Allowed),
        pairs(|_| true),
    );
    format!(": {open} of {all} pairs of machines are let through whole")
}

/// Names of several cases.
#[derive(Default)]
struct Part {
    names: BTreeSet<String>,
    more: usize,
}

impl Part {
    fn with(mut self, names: &Names) -> Self {
        self.names.extend(names.first.iter().cloned());
        self.more += names.total - names.first.len();
        self
    }

    fn listed(&self) -> String {
        words::listed(&Names {
            first: self.names.iter().cloned().collect(),
            total: self.names.len() + self.more,
        })
    }
}
