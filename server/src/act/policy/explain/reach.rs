//! May packets go from here to there?

use std::net::IpAddr;

use policy::explain::{self, Case, Cause, Explanation, Typed};
use wire::{
    api::policy::explain::{self as api, Explained, Names, Traffic, Verdict},
    net::PortRange,
};

use super::{
    Scene, lacking,
    question::{self, Asked},
    second, summary, words,
};
use crate::error::Result;

pub(super) fn answer(
    scene: &Scene<'_>,
    from: &str,
    to: &str,
    traffic: &Traffic,
) -> Result<Explained> {
    let from = question::end(scene, "/question/from", from);
    let to = question::place(scene, "/question/to", to);
    let ends = question::both(from, to);
    let ((from, to), asked) = question::both(ends, question::traffic(traffic))?;
    let from = from.as_source(scene.devices);
    Ok(second::answered(scene, (&from, &to), |scene, ends| {
        told(scene, ends, &asked)
    }))
}

fn told(scene: &Scene<'_>, (from, to): (&Typed, &Typed), asked: &Asked) -> Explained {
    let cases = scene.explainer.explain_all(
        scene.law,
        scene.devices,
        (&from.spots, &to.spots),
        (asked.protocol, &asked.ports),
    );
    let what = what(asked, &words::ports(&asked.ports));
    let mut told = summary::told(
        scene,
        &cases,
        |case| tell(scene, case, from, to, asked),
        &nowhere(from, to, asked),
        (from, to),
        &format!("reach {} on {what}", to.name),
    );
    let mut chains = cases.all.iter().flat_map(|case| &case.explanation.allowed);
    if chains.any(|chain| chain.is_echo) {
        told.notes.push(words::ECHO.to_owned());
    }
    lacking::noted(scene, (Some(from), to), told)
}

/// Why no packet comes from or gets to addresses that no device has; `route`: which would do.
fn nowhere_why(lost: &[(IpAddr, IpAddr)], route: &str) -> String {
    let is_one = matches!(lost, [(first, last)] if first == last);
    let which = if is_one {
        "this address"
    } else {
        "these addresses"
    };
    format!("no machine has {which}, and no approved {route} leads there")
}

/// The parts of the ends that lead nowhere.
fn nowhere(from: &Typed, to: &Typed, asked: &Asked) -> Vec<api::Case> {
    let all = what(asked, &words::ports(&asked.ports));
    let case = |cause: Cause, sentence: &str, [from, to]: [Names; 2], why: String| api::Case {
        verdict: Verdict::Denied,
        sentence: format!("{sentence} on {all}: {why}."),
        pairs: from.total * to.total,
        from,
        to,
        chains: Vec::new(),
        denied: Some(api::Denial {
            cause: words::word(&cause),
            text: why,
            ports: words::ports(&asked.ports),
            nearest: Vec::new(),
        }),
    };
    let whole = |typed: &Typed| words::names([typed.name.clone()]);
    let mut cases = Vec::new();
    if !from.nowhere.is_empty() {
        let lost = words::names(explain::written(&from.nowhere));
        let sentence = format!("{} may not reach {}", words::listed(&lost), to.name);
        let why = nowhere_why(&from.nowhere, "subnet route");
        cases.push(case(Cause::NoSuchSource, &sentence, [lost, whole(to)], why));
    }
    if !to.nowhere.is_empty() {
        let lost = words::names(explain::written(&to.nowhere));
        let sentence = format!("{} may not reach {}", from.name, words::listed(&lost));
        let why = nowhere_why(&to.nowhere, "route");
        let ends = [whole(from), lost];
        cases.push(case(Cause::NoSuchDestination, &sentence, ends, why));
    }
    cases
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
        words::source(from, &case.from, &from_names),
        words::end(to, &case.to, &to_names),
    );
    let open: Vec<_> = case
        .explanation
        .allowed
        .iter()
        .flat_map(|chain| chain.ports.iter().copied())
        .collect();
    let all = what(asked, &words::ports(&asked.ports));
    let pairs = words::pairs(case, [&from_names, &to_names]);
    let sentence = match (&case.explanation.verdict, &case.explanation.denied) {
        (explain::Verdict::Partly, _) => format!(
            "{who} may reach {place} on {}, and {}{pairs}.",
            what(asked, &words::ports(&joined(open))),
            rest(asked)
        ),
        (_, Some(denial)) => {
            let why = why(scene, case, denial);
            format!("{who} may not reach {place} on {all}{pairs}: {why}.")
        }
        (_, None) => format!("{who} may reach {place} on {all}{pairs}."),
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
            .map(|chain| api::Chain {
                ports: asked.told(&chain.ports),
                ..scene.words.chain(chain)
            })
            .collect(),
        denied: case.explanation.denied.as_ref().map(|denial| api::Denial {
            text: why(scene, case, denial),
            ..scene.words.denial(denial)
        }),
    }
}

/// The cause in words; of a source behind a route that nobody approved, that route.
fn why(scene: &Scene<'_>, case: &Case<Explanation>, denial: &explain::Denial) -> String {
    let (from, _) = case.example;
    let offered = || {
        let device = scene.devices.get(from.device)?;
        let address = from.addresses().next()?;
        let mut routes = device.offered.iter();
        let route = routes.find(|route| route.bits > 0 && route.contains(address))?;
        Some(format!(
            "{} offers {route} and nobody approved it",
            device.name
        ))
    };
    let waiting = (denial.cause == Cause::NoSuchSource).then(offered);
    waiting
        .flatten()
        .unwrap_or_else(|| denial.cause.to_string())
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
