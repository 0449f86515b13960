//! Who can sign in to it by SSH?

use std::collections::BTreeMap;

use policy::{
    NodeFacts,
    explain::{Case, Spot, SshChain, SshExplanation},
};
use wire::{
    UserId,
    api::policy::explain::{Entrance, Explained, Source, Step, Verdict},
};

use super::{Scene, question, sign_in, words};
use crate::error::Result;

pub(super) fn answer(scene: &Scene<'_>, to: &str, login: &str) -> Result<Explained> {
    let to = question::end(scene, "/question/to", to);
    let (to, login) = question::both(to, sign_in::login(login))?;
    let all = scene.devices.iter().enumerate();
    let from: Vec<Spot> = all
        .map(|(at, device)| Spot::own(at, device.facts))
        .collect();
    let cases = scene
        .explainer
        .explain_sign_ins(scene.devices, (&from, &to.spots), login);
    let mut machines: Vec<usize> = Vec::new();
    let mut entrances: Vec<Entrance> = Vec::new();
    let mut places: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for case in &cases.all {
        let SshExplanation::Allowed(chain) = &case.explanation else {
            continue;
        };
        if !chain.check {
            machines.extend(case.from.iter().map(|spot| spot.device));
        }
        let key = (chain.rule.index, chain.target.span.start);
        let at = *places.entry(key).or_insert(entrances.len());
        if at == entrances.len() {
            entrances.push(entrance(scene, case, chain, login));
        }
        if let Some(entrance) = entrances.get_mut(at) {
            entrance.sources.push(source(scene, case, chain));
        }
    }
    machines.sort_unstable();
    machines.dedup();
    let act = format!("sign in to {} as {login}", to.name);
    Ok(Explained {
        verdict: if machines.is_empty() {
            Verdict::Denied
        } else {
            Verdict::Allowed
        },
        sentence: match machines.len() {
            0 => format!("Nobody may {act}."),
            1 => format!("From one machine somebody may {act}."),
            n => format!("From {n} machines somebody may {act}."),
        },
        cases: Vec::new(),
        entrances,
        left_out: (cases.left_out > 0).then(|| {
            format!(
                "{} more pairs of machines were not looked at: ask about fewer of them.",
                cases.left_out
            )
        }),
    })
}

fn entrance(
    scene: &Scene<'_>,
    case: &Case<SshExplanation>,
    chain: &SshChain,
    login: &str,
) -> Entrance {
    let target = scene.words.step(&chain.target);
    let but = if chain.check {
        format!("; but {}", sign_in::UNCHECKED)
    } else {
        String::new()
    };
    Entrance {
        rule: scene.words.rule(chain.rule),
        to: words::spots(scene, &case.to),
        target: Step {
            text: format!(
                "{}, and `users` gives the login name {login}{but}",
                target.text
            ),
            place: target.place,
        },
        ports: String::new(),
        sources: Vec::new(),
    }
}

fn source(scene: &Scene<'_>, case: &Case<SshExplanation>, chain: &SshChain) -> Source {
    let facts = case.from.iter().filter_map(|spot| {
        let device = scene.devices.get(spot.device)?;
        Some(device.facts)
    });
    let owners: std::collections::BTreeSet<UserId> = facts.filter_map(NodeFacts::owner).collect();
    let users = scene.world.directory.users.iter();
    let people = users.filter(|user| owners.contains(&user.id));
    Source {
        selector: chain.source.selector.clone(),
        place: Some(scene.words.place(chain.source.span)),
        people: words::names(people.map(|user| user.email.clone())),
        machines: words::spots(scene, &case.from),
    }
}
