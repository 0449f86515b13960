//! May packets go from here to there?

use policy::explain::{self, Case, Cases, Explanation, Typed};
use wire::{
    api::policy::explain::{self as api, Explained, Traffic, Verdict},
    net::PortRange,
};

use super::{
    Scene,
    question::{self, Asked},
    words,
};
use crate::error::Result;

pub(super) fn answer(
    scene: &Scene<'_>,
    from: &str,
    to: &str,
    traffic: &Traffic,
) -> Result<Explained> {
    let from = question::end(scene, "/question/from", from);
    let to = question::end(scene, "/question/to", to);
    let ends = question::both(from, to);
    let ((from, to), asked) = question::both(ends, question::traffic(traffic))?;
    let cases = scene.explainer.explain_all(
        scene.law,
        scene.devices,
        (&from.spots, &to.spots),
        (asked.protocol, &asked.ports),
    );
    let what = what(&asked, &words::ports(&asked.ports));
    Ok(told(
        &cases,
        |case| tell(scene, case, &from, &to, &asked),
        (&from, &to),
        &format!("reach {} on {what}", to.name),
    ))
}

/// `tcp port 443`, `every udp port`, `icmp`.
fn what(asked: &Asked, ports: &str) -> String {
    let name = policy::protocol::name_of(asked.protocol);
    match ports {
        _ if !policy::protocol::has_ports(asked.protocol) => name,
        "*" => format!("every {name} port"),
        one if one.contains(['-', ',']) => format!("{name} ports {one}"),
        one => format!("{name} port {one}"),
    }
}

/// What was asked for beside what is open.
fn rest(asked: &Asked) -> String {
    if asked.ports == [PortRange::ANY] {
        let name = policy::protocol::name_of(asked.protocol);
        return format!("on no other {name} port");
    }
    format!(
        "not on the rest of {}",
        what(asked, &words::ports(&asked.ports))
    )
}

fn tell(
    scene: &Scene<'_>,
    case: &Case<Explanation>,
    from: &Typed,
    to: &Typed,
    asked: &Asked,
) -> api::Case {
    let names = [&case.from, &case.to].map(|spots| words::spots(scene, spots));
    let [from_names, to_names] = names;
    let (who, place) = (
        words::end(from, &case.from, &from_names),
        words::end(to, &case.to, &to_names),
    );
    let open: Vec<_> = case
        .explanation
        .allowed
        .iter()
        .flat_map(|chain| chain.ports.iter().copied())
        .collect();
    let all = what(asked, &words::ports(&asked.ports));
    let sentence = match (&case.explanation.verdict, &case.explanation.denied) {
        (explain::Verdict::Partly, _) => format!(
            "{who} may reach {place} on {}, and {}.",
            what(asked, &words::ports(&joined(open))),
            rest(asked)
        ),
        (_, Some(denial)) => {
            format!("{who} may not reach {place} on {all}: {}.", denial.cause)
        }
        (_, None) => format!("{who} may reach {place} on {all}."),
    };
    api::Case {
        verdict: verdict(case.explanation.verdict),
        sentence,
        from: from_names,
        to: to_names,
        pairs: case.pairs,
        chains: case
            .explanation
            .allowed
            .iter()
            .map(|chain| scene.words.chain(chain))
            .collect(),
        denied: case
            .explanation
            .denied
            .as_ref()
            .map(|denial| scene.words.denial(denial)),
    }
}

/// Sorted, and joined where they touch.
fn joined(mut ranges: Vec<PortRange>) -> Vec<PortRange> {
    ranges.sort_unstable();
    let mut all: Vec<PortRange> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                last.last = last.last.max(range.last);
            }
            Some(_) | None => all.push(range),
        }
    }
    all
}

const fn verdict(verdict: explain::Verdict) -> Verdict {
    match verdict {
        explain::Verdict::Allowed => Verdict::Allowed,
        explain::Verdict::Partly => Verdict::Partly,
        explain::Verdict::Denied => Verdict::Denied,
    }
}

/// The most cases that an answer tells.
const MOST_CASES: usize = 50;

/// The whole answer: one sentence over all cases; what is open first, and the widest case of each
/// verdict.
pub(super) fn told<E>(
    cases: &Cases<E>,
    tell: impl Fn(&Case<E>) -> api::Case,
    (from, to): (&Typed, &Typed),
    act: &str,
) -> Explained {
    let total: usize = cases.all.iter().map(|case| case.pairs).sum();
    let mut told: Vec<api::Case> = cases.all.iter().map(tell).collect();
    told.sort_by_key(|case| {
        let order = match case.verdict {
            Verdict::Allowed => 0,
            Verdict::Partly => 1,
            Verdict::Denied => 2,
        };
        (order, std::cmp::Reverse(case.pairs))
    });
    let pairs = |verdict| {
        let of = told.iter().filter(|case| case.verdict == verdict);
        of.map(|case| case.pairs).sum::<usize>()
    };
    let (allowed, denied) = (pairs(Verdict::Allowed), pairs(Verdict::Denied));
    let verdict = if total > 0 && allowed == total {
        Verdict::Allowed
    } else if denied == total {
        Verdict::Denied
    } else {
        Verdict::Partly
    };
    let sentence = match (told.as_slice(), verdict) {
        ([], _) => format!(
            "{} and {} are the same machine; a machine always reaches itself.",
            from.name, to.name
        ),
        ([one], _) => one.sentence.clone(),
        (_, Verdict::Allowed) => format!("{} may {act}.", from.name),
        (_, Verdict::Denied) => format!("{} may not {act}.", from.name),
        (_, Verdict::Partly) => format!(
            "{} may {act} only in part: {allowed} of {total} pairs of machines are let through whole.",
            from.name
        ),
    };
    let verdict = if told.is_empty() {
        Verdict::Allowed
    } else {
        verdict
    };
    let more: usize = told.iter().skip(MOST_CASES).map(|case| case.pairs).sum();
    told.truncate(MOST_CASES);
    let left = more + cases.left_out;
    Explained {
        verdict,
        sentence,
        cases: told,
        entrances: Vec::new(),
        left_out: (left > 0).then(|| {
            format!("{left} more pairs of machines are not told of: ask about fewer of them.")
        }),
    }
}
