//! Who can sign in to it by SSH?

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    NodeFacts,
    explain::{Bar, Case, Spot, SshChain, SshExplanation, SshMissing},
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
    let cases =
        scene
            .explainer
            .explain_sign_ins(scene.law, scene.devices, (&from, &to.spots), login);
    let mut doors: Vec<Door<'_>> = cases.all.iter().filter_map(Door::of).collect();
    // Those who are let in first.
    doors.sort_by_key(|door| door.shut.is_some());
    let mut devices: BTreeSet<usize> = BTreeSet::new();
    let mut entrances: Vec<Entrance> = Vec::new();
    let mut places: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    for door in &doors {
        if door.shut.is_none() {
            devices.extend(door.from.iter().map(|spot| spot.device));
        }
        let at = *places.entry(door.key()).or_insert(entrances.len());
        if at == entrances.len() {
            entrances.push(entrance(scene, door, login));
        }
        if let Some(entrance) = entrances.get_mut(at) {
            entrance.sources.push(source(scene, door));
        }
    }
    let open: Vec<Spot> = doors
        .iter()
        .filter(|door| door.shut.is_none())
        .flat_map(|door| door.to.iter().copied())
        .collect();
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
    let told = outside(scene, &to.spots, lacking::noted(scene, (None, &to), told));
    Ok(sign_in::not_running(scene, &open, told))
}

/// Says which of the places take no sign-ins, for they are no machines.
fn outside(scene: &Scene<'_>, places: &[Spot], mut told: Explained) -> Explained {
    let is_outside = |spot: &Spot| {
        let device = scene.devices.get(spot.device);
        device.is_some_and(|device| !spot.is_own(device.facts))
    };
    let outside: Vec<Spot> = places.iter().copied().filter(is_outside).collect();
    if !outside.is_empty() {
        let places = words::listed(&words::spots(scene, &outside));
        let cause = SshMissing::DestinationOutside;
        told.notes.push(format!("{places}: {cause}."));
    }
    told
}

/// What a rule of `ssh` lets in, or would.
struct Door<'c> {
    chain: &'c SshChain,
    from: Vec<Spot>,
    to: &'c [Spot],
    /// Why nobody gets in by it.
    shut: Option<String>,
}

/// Rule, destination, and why it is shut: sources with the same are told together.
type Key<'c> = (usize, usize, Option<&'c str>);

impl<'c> Door<'c> {
    /// Those for whom the port is shut are not told of: they may not even come here.
    fn of(case: &'c Case<SshExplanation>) -> Option<Self> {
        let (chain, shut) = match &case.explanation {
            SshExplanation::Allowed(chain) => (chain, None),
            SshExplanation::Barred { chain, bars } if *bars == [Bar::Check] => {
                (chain, Some(Bar::Check.to_string()))
            }
            SshExplanation::Barred { .. } | SshExplanation::Denied { .. } => return None,
        };
        // A machine is no way in to itself.
        let is_other = |from: &&Spot| case.to.iter().any(|to| to.device != from.device);
        Some(Self {
            chain,
            from: case.from.iter().filter(is_other).copied().collect(),
            to: &case.to,
            shut,
        })
    }

    fn key(&self) -> Key<'_> {
        let chain = self.chain;
        (
            chain.rule.index,
            chain.target.span.start,
            self.shut.as_deref(),
        )
    }
}

fn entrance(scene: &Scene<'_>, door: &Door<'_>, login: &str) -> Entrance {
    let target = scene.words.step(&door.chain.target);
    Entrance {
        rule: scene.words.rule(door.chain.rule),
        to: words::spots(scene, door.to),
        target: Step {
            text: format!("{}, and `users` gives the login name {login}", target.text),
            place: target.place,
        },
        ports: String::new(),
        shut: door.shut.clone(),
        posture: None,
        sources: Vec::new(),
    }
}

fn source(scene: &Scene<'_>, door: &Door<'_>) -> Source {
    let chain = door.chain;
    let facts = door.from.iter().filter_map(|spot| {
        let device = scene.devices.get(spot.device)?;
        Some(device.facts)
    });
    let owners: BTreeSet<UserId> = facts.filter_map(NodeFacts::owner).collect();
    let users = scene.world.directory.users.iter();
    let people = users.filter(|user| owners.contains(&user.id));
    let lacking = |spot: &Spot| lacking::of(scene, spot.device);
    let without = door.from.iter().filter_map(lacking);
    let machines: Vec<Spot> = door
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
