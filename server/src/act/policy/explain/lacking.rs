//! People and tags that have no machine yet: what is said of them.

use std::collections::BTreeSet;

use policy::explain::{Device, Lacking, Spot, Thought, Typed};
use wire::api::policy::explain::Explained;

use super::Scene;

/// The most names that one note tells.
const MOST_NAMES: usize = 5;

/// The machine that somebody would have, as questions name it.
pub(super) fn device(thought: &Thought) -> Device<'_> {
    Device {
        name: &thought.name,
        facts: &thought.facts,
        offered: &[],
        is_thought: true,
    }
}

/// Who would have the machine, if it is one that nobody has.
pub(super) fn of<'s>(scene: &'s Scene<'_>, device: usize) -> Option<&'s Lacking> {
    let machines = scene.devices.len().checked_sub(scene.thoughts.len())?;
    let at = device.checked_sub(machines)?;
    scene.thoughts.get(at).map(|thought| &thought.of)
}

/// Says of which ends of the question there is no machine yet.
pub(super) fn noted(
    scene: &Scene<'_>,
    (from, to): (Option<&Typed>, &Typed),
    mut explained: Explained,
) -> Explained {
    let mut alone: Vec<String> = Vec::new();
    for end in from.into_iter().chain([to]) {
        explained.notes.extend(hidden(scene, end));
        match all(scene, &end.spots).as_slice() {
            [] => {}
            [one] if end.spots.len() == 1 => alone.push(has_none(one)),
            many => explained.notes.push(format!(
                "{} no machine yet: the answer counts a machine that each would have.",
                have(many)
            )),
        }
    }
    alone.dedup();
    if !alone.is_empty() {
        let first = alone.join(" and ");
        explained.sentence = format!("{first}; {}", explained.sentence);
    }
    let asks = from.is_some_and(|from| !all(scene, &from.spots).is_empty());
    if asks && scene.explainer.asks_for_postures() {
        explained.notes.push(
            "A machine that nobody has yet reports nothing: it meets no posture that asks for \
             something."
                .to_owned(),
        );
    }
    explained
}

/// Which of a host and a machine of the same name was taken, and how to ask for the other.
fn hidden(scene: &Scene<'_>, end: &Typed) -> Option<String> {
    let machine = scene.devices.get(end.hides?)?;
    let address = machine.facts.addresses.first()?;
    Some(format!(
        "`{}` is taken as the host of the policy, not as the machine {}: for the machine write {address}.",
        end.name, machine.name
    ))
}

/// Those among the ends who have no machine, each once.
fn all<'s>(scene: &'s Scene<'_>, spots: &[Spot]) -> Vec<&'s Lacking> {
    let devices: BTreeSet<usize> = spots.iter().map(|spot| spot.device).collect();
    devices.iter().filter_map(|at| of(scene, *at)).collect()
}

fn has_none(lacking: &Lacking) -> String {
    match lacking {
        Lacking::User(_, email) => format!("{email} has no machine yet"),
        Lacking::Tag(tag) => format!("no machine has {tag} yet"),
        Lacking::Second(tag, only) if tag.starts_with("tag:") => format!("only {only} has {tag}"),
        Lacking::Second(user, only) => format!("{only} is the only machine of {user}"),
    }
}

/// `a and b have`, `a has`, `a, b, c, d, e and 3 more have`.
fn have(lacking: &[&Lacking]) -> String {
    let names: Vec<&str> = lacking.iter().map(|one| one.name()).collect();
    match names.as_slice() {
        [one] => format!("{one} has"),
        [first @ .., last] if names.len() <= MOST_NAMES => {
            format!("{} and {last} have", first.join(", "))
        }
        _ => {
            let first: Vec<&str> = names.iter().copied().take(MOST_NAMES).collect();
            let more = names.len() - first.len();
            format!("{} and {more} more have", first.join(", "))
        }
    }
}

/// Who gets in, in words: machines that are, hosts behind routers, and machines that would be.
pub(super) struct Entering {
    pub(super) machines: usize,
    pub(super) addresses: bool,
    /// What those are called who have no machine yet.
    pub(super) without: BTreeSet<String>,
}

impl Entering {
    pub(super) fn is_nobody(&self) -> bool {
        self.machines == 0 && !self.addresses && self.without.is_empty()
    }

    /// Who may reach something; `act` is what: `reach web on tcp port 443`.
    pub(super) fn who_reaches(&self, act: &str) -> String {
        let machines = match self.machines {
            0 => None,
            1 => Some("One machine".to_owned()),
            n => Some(format!("{n} machines")),
        };
        let now = match (machines, self.addresses) {
            (Some(machines), true) => Some(format!("{machines} and hosts behind subnet routers")),
            (None, true) => Some("Hosts behind subnet routers".to_owned()),
            (machines, false) => machines,
        };
        match (now, self.would()) {
            (None, None) => format!("Nobody may {act}."),
            (Some(now), None) => format!("{now} may {act}."),
            (Some(now), Some(would)) => format!("{now} may {act}; {would} could too."),
            (None, Some(would)) => format!("No machine may {act} yet; {would} could."),
        }
    }

    /// Whence somebody may sign in; `act` is where: `sign in to web as root`.
    pub(super) fn who_signs_in(&self, act: &str) -> String {
        let now = match self.machines {
            0 => None,
            1 => Some("From one machine".to_owned()),
            n => Some(format!("From {n} machines")),
        };
        match (now, self.would()) {
            (None, None) => format!("Nobody may {act}."),
            (Some(now), None) => format!("{now} somebody may {act}."),
            (Some(now), Some(would)) => {
                format!("{now} somebody may {act}; from {would} somebody could too.")
            }
            (None, Some(would)) => format!("Nobody may {act} yet; from {would} somebody could."),
        }
    }

    /// The machines that would get in, if they were there.
    fn would(&self) -> Option<String> {
        let first = self.without.first()?;
        Some(match self.without.len() {
            1 if first.starts_with("tag:") => format!("a machine with {first}"),
            1 => format!("a machine of {first}"),
            n => format!("machines of {n} people or tags that have none yet"),
        })
    }
}
