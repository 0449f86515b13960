//! Who can sign in to it by SSH?

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    NodeFacts,
    explain::{Case, Spot, SshChain, SshExplanation},
};
use wire::{
    UserId,
    api::policy::explain::{Entrance, Explained, Names, Source, Step, Verdict},
};

use super::{
    Scene,
    lacking::{self, Entering},
    question, sign_in, words,
};
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
    let mut devices: BTreeSet<usize> = BTreeSet::new();
    let mut entrances: Vec<Entrance> = Vec::new();
    let mut places: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for case in &cases.all {
        let SshExplanation::Allowed(chain) = &case.explanation else {
            continue;
        };
        if !chain.check {
            devices.extend(case.from.iter().map(|spot| spot.device));
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
    let without = devices.iter().filter_map(|at| lacking::of(scene, *at));
    let without: BTreeSet<String> = without.map(|one| one.name().to_owned()).collect();
    let machines = devices
        .iter()
        .filter(|at| lacking::of(scene, **at).is_none());
    let entering = Entering {
        machines: machines.count(),
        addresses: false,
        without,
    };
    let told = Explained {
        verdict: if entering.is_nobody() {
            Verdict::Denied
        } else {
            Verdict::Allowed
        },
        sentence: entering.who_signs_in(&format!("sign in to {} as {login}", to.name)),
        notes: Vec::new(),
        cases: Vec::new(),
        entrances,
        left_out: (cases.left_out > 0).then(|| {
            format!(
                "{} more pairs of machines were not looked at: ask about fewer of them.",
                cases.left_out
            )
        }),
    };
    Ok(lacking::noted(scene, (None, &to), told))
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
    let owners: BTreeSet<UserId> = facts.filter_map(NodeFacts::owner).collect();
    let users = scene.world.directory.users.iter();
    let people = users.filter(|user| owners.contains(&user.id));
    let lacking = |spot: &Spot| lacking::of(scene, spot.device);
    let without = case.from.iter().filter_map(lacking);
    let machines: Vec<Spot> = case
        .from
        .iter()
        .filter(|spot| lacking(spot).is_none())
        .copied()
        .collect();
    Source {
        selector: chain.source.selector.clone(),
        place: Some(scene.words.place(chain.source.span)),
        people: words::names(people.map(|user| user.email.clone())),
        machines: words::spots(scene, &machines),
        addresses: Names::default(),
        without_machine: words::names(without.map(|one| one.name().to_owned())),
    }
}
