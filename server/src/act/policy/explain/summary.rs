//! The whole answer: one sentence over all cases.

use policy::explain::{Case, Cases, Typed};
use wire::api::policy::explain::{self as api, Explained, Verdict};

use super::{Scene, part, within};

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
    let (from, _) = ends;
    let all = cases.all.iter().map(|case| part::Told {
        case: tell(case),
        from: &case.from,
        to: &case.to,
        is_every_pair: case.is_every_pair,
    });
    let mut told: Vec<part::Told<'_>> = all.collect();
    told.extend(nowhere.iter().map(|case| part::Told::nowhere(case, ends)));
    told.sort_by_key(|told| {
        let order = match told.case.verdict {
            Verdict::Allowed => 0,
            Verdict::Partly => 1,
            Verdict::Denied | Verdict::Unasked => 2,
        };
        (order, std::cmp::Reverse(told.case.pairs))
    });
    let verdict = over(&told);
    let sentence = match (told.as_slice(), verdict) {
        ([], _) => within::sentence(scene, &cases.within, ends),
        ([one], _) => one.case.sentence.clone(),
        (_, Verdict::Allowed) => format!("{} may {act}.", from.name),
        (_, Verdict::Denied | Verdict::Unasked) => format!("{} may not {act}.", from.name),
        (_, Verdict::Partly) => {
            let part = part::in_part(scene, &told);
            format!("{} may {act} only in part: {part}.", from.name)
        }
    };
    let more: usize = told.iter().skip(MOST_CASES).map(|t| t.case.pairs).sum();
    told.truncate(MOST_CASES);
    let left = more + cases.left_out;
    Explained {
        verdict,
        sentence,
        notes: within::note(scene, &cases.within, told.is_empty()),
        cases: told.into_iter().map(|told| told.case).collect(),
        entrances: Vec::new(),
        left_out: (left > 0)
            .then(|| format!("{left} more pairs are not told of: ask about fewer of them.")),
    }
}

fn over(told: &[part::Told<'_>]) -> Verdict {
    let all = |verdict| told.iter().all(|told| told.case.verdict == verdict);
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
