//! Which devices have the port of sign-ins open to each other.

use std::collections::{BTreeMap, HashMap};

use wire::net::protocol::TCP;

use super::{
    compare::Comparison,
    set::{self, Set},
};
use crate::ssh::PORT;

/// By state: the lines to the port, for IPv4 and then for IPv6.
type Sets = [Set; 2];

/// The port between all devices. Devices that rules for the port treat alike have one number.
pub(super) struct Gates {
    /// By device.
    all: Vec<Gate>,
    /// By number: the lines that a device is a source of.
    from: Vec<Sets>,
    /// By number: the lines that a device is a destination of.
    to: Vec<Sets>,
}

/// One device.
#[derive(Debug, Clone, Copy, Default)]
struct Gate {
    from: usize,
    to: usize,
    own: Own,
}

/// By state and family, for the lines to a user's own devices.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    /// It reaches others.
    from: [[bool; 2]; 2],
    /// It is reached by others.
    to: [[bool; 2]; 2],
}

/// Some devices and their places for which the port is open in the same states.
pub(super) struct Part {
    pub(super) open: [bool; 2],
    pub(super) from: Vec<usize>,
    pub(super) to: Vec<usize>,
}

/// Devices by number.
pub(super) type Sorted = Vec<(usize, Vec<usize>)>;

impl Gates {
    pub(super) fn new(comparison: &Comparison<'_>) -> Self {
        let mut plan = Plan::new(comparison);
        for spot in &comparison.spots.all {
            plan.add(comparison, spot);
        }
        let (mut from, mut to) = (Numbered::default(), Numbered::default());
        let all = plan.devices.into_iter().map(|device| Gate {
            from: from.number(device.from),
            to: to.number(device.to),
            own: device.own,
        });
        Self {
            all: all.collect(),
            from: from.all,
            to: to.all,
        }
    }

    fn gate(&self, device: usize) -> Gate {
        self.all.get(device).copied().unwrap_or_default()
    }

    /// The devices by how rules treat them as sources.
    pub(super) fn senders(&self, devices: &[usize]) -> Sorted {
        sorted(devices, |device| self.gate(device).from)
    }

    /// The devices by how rules treat them as destinations.
    pub(super) fn receivers(&self, devices: &[usize]) -> Sorted {
        sorted(devices, |device| self.gate(device).to)
    }

    /// By state: true when the port is open whosever the devices are.
    fn across(&self, from: usize, to: usize) -> [bool; 2] {
        let (Some(from), Some(to)) = (self.from.get(from), self.to.get(to)) else {
            return [false; 2];
        };
        [set::meet(&from[0], &to[0]), set::meet(&from[1], &to[1])]
    }

    /// True when no rule for the port that changes is about them.
    fn is_settled(&self, from: usize, to: usize) -> bool {
        let is_same = |all: &[Sets], n: usize| all.get(n).is_none_or(|sets| sets[0] == sets[1]);
        is_same(&self.from, from) && is_same(&self.to, to)
    }

    /// The pairs for which the port is open in some state, few parts for many pairs;
    /// `is_changing`: it is asked for in one state alone.
    pub(super) fn parts(&self, from: &Sorted, to: &Sorted, is_changing: bool) -> Vec<Part> {
        let mut parts: BTreeMap<([bool; 2], Vec<usize>), Vec<usize>> = BTreeMap::new();
        for (sender, devices) in from {
            let mut reached: BTreeMap<[bool; 2], Vec<usize>> = BTreeMap::new();
            for (place, (receiver, _)) in to.iter().enumerate() {
                if !is_changing && self.is_settled(*sender, *receiver) {
                    continue;
                }
                let open = self.across(*sender, *receiver);
                if open != [false; 2] && (is_changing || open != [true; 2]) {
                    reached.entry(open).or_default().push(place);
                }
            }
            for (open, places) in reached {
                parts.entry((open, places)).or_default().extend(devices);
            }
        }
        let devices = |places: Vec<usize>| {
            let places = places.into_iter().filter_map(|place| to.get(place));
            places.flat_map(|(_, devices)| devices.clone()).collect()
        };
        let parts = parts.into_iter().map(|((open, places), from)| Part {
            open,
            from,
            to: devices(places),
        });
        parts.collect()
    }

    /// By state: true when the port is open between two devices; `one_users`: they are one user's.
    pub(super) fn between(&self, from: usize, to: usize, one_users: [bool; 2]) -> [bool; 2] {
        let (from, to) = (self.gate(from), self.gate(to));
        let own = |state: usize| {
            let from = from.own.from.get(state).into_iter().flatten();
            let to = to.own.to.get(state).into_iter().flatten();
            from.zip(to).any(|(from, to)| *from && *to)
        };
        let [before, after] = self.across(from.from, to.to);
        [
            before || (one_users[0] && own(0)),
            after || (one_users[1] && own(1)),
        ]
    }
}

fn sorted(devices: &[usize], number: impl Fn(usize) -> usize) -> Sorted {
    let mut by_number: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for device in devices {
        by_number.entry(number(*device)).or_default().push(*device);
    }
    by_number.into_iter().collect()
}

#[derive(Default)]
struct Numbered {
    numbers: HashMap<Sets, usize>,
    all: Vec<Sets>,
}

impl Numbered {
    fn number(&mut self, sets: Sets) -> usize {
        let all = &mut self.all;
        *self.numbers.entry(sets).or_insert_with_key(|sets| {
            all.push(sets.clone());
            all.len() - 1
        })
    }
}

/// What is found out address by address.
struct Plan {
    devices: Vec<Planned>,
    words: usize,
    /// By number of the spots' lines: those to the port.
    senders: Vec<Sets>,
    receivers: Vec<Sets>,
    /// By state: true where a line to a user's own devices is to the port.
    owns: Vec<[bool; 2]>,
}

#[derive(Debug, Clone)]
struct Planned {
    from: Sets,
    to: Sets,
    own: Own,
}

impl Plan {
    fn new(comparison: &Comparison<'_>) -> Self {
        let law = &comparison.law;
        let to_port = |line: &usize| law.content(*line).is_some_and(|c| c.opens(TCP, PORT));
        let lines: Vec<usize> = (0..law.lines.len()).filter(to_port).collect();
        let words = lines.len().div_ceil(64);
        let of_port = |set: &Set| {
            let mut found = vec![0; words];
            for (at, _) in lines.iter().enumerate().filter(|(_, l)| set::has(set, **l)) {
                set::insert(&mut found, at);
            }
            found
        };
        let of = |all: &[Sets]| -> Vec<Sets> {
            all.iter().map(|[a, b]| [of_port(a), of_port(b)]).collect()
        };
        let spots = &comparison.spots;
        let own = |[a, b]: &Sets| [a, b].map(|set| of_port(set).iter().any(|word| *word != 0));
        let empty = || [vec![0; 2 * words], vec![0; 2 * words]];
        let planned = Planned {
            from: empty(),
            to: empty(),
            own: Own::default(),
        };
        Self {
            devices: vec![planned; comparison.devices.len()],
            words,
            senders: of(&spots.senders),
            receivers: of(&spots.receivers),
            owns: spots.owns.iter().map(|o| own(&o.lines)).collect(),
        }
    }

    /// Adds what rules say of one of a device's own addresses.
    fn add(&mut self, comparison: &Comparison<'_>, spot: &super::spot::Spot) {
        let kind = comparison.spots.kind_of(spot);
        let device = comparison.devices.get(spot.device);
        let planned = self.devices.get_mut(spot.device);
        let (Some(kind), Some(device), Some(planned)) = (kind, device, planned) else {
            return;
        };
        let family = spot.family();
        let personal = comparison.spots.owns.get(kind.own);
        for state in [0, 1] {
            let facts = device.facts(state);
            if !facts.is_some_and(|f| f.addresses.contains(&spot.address)) {
                continue;
            }
            for (into, all, number) in [
                (&mut planned.from, &self.senders, kind.sender),
                (&mut planned.to, &self.receivers, kind.receiver),
            ] {
                let lines = all.get(number).and_then(|sets| sets.get(state));
                if let (Some(into), Some(lines)) = (into.get_mut(state), lines) {
                    let mine = into.iter_mut().skip(family * self.words);
                    mine.zip(lines).for_each(|(word, bits)| *word |= bits);
                }
            }
            let sends = self.owns.get(kind.own).and_then(|own| own.get(state));
            let receives = personal.and_then(|own| own.is_personal.get(state));
            for (into, is) in [
                (&mut planned.own.from, sends),
                (&mut planned.own.to, receives),
            ] {
                if let Some(slot) = into.get_mut(state).and_then(|s| s.get_mut(family)) {
                    *slot |= is == Some(&true);
                }
            }
        }
    }
}
