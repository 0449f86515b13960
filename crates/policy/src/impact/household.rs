//! Households: devices that may be one user's. Flows between them are compared
//! pair by pair, for `autogroup:self` tells them apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wire::UserId;

use super::{
    compare::{Comparison, sort_of},
    numbers::Numbers,
    outcome::{AFTER, BEFORE},
    set::{self, Set},
    spot::{Device, Spots},
    tally::Reach,
};

/// The households.
#[derive(Debug, Default)]
pub(super) struct Households {
    /// The spots of each.
    all: Vec<Vec<usize>>,
    /// By sender: receivers within a household, and how many pairs they are.
    pairs: Vec<BTreeMap<usize, u64>>,
    /// By line and state: the lines of flows within a household that change.
    pub(super) met: BTreeMap<(usize, usize), Vec<[Set; 2]>>,
}

/// What two spots of a household are to each other.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct Meeting {
    sender: usize,
    receiver: usize,
    /// The lines to the user's own devices; by state, whether they count.
    own: usize,
    counts: [bool; 2],
}

/// Lines of which something changes, with their states.
type Changes = Vec<(usize, usize)>;

/// What changes between two spots.
struct Judged {
    /// As if they were of different households.
    across: Changes,
    /// What does.
    real: Changes,
    /// True when it was noted what changes.
    is_noted: bool,
}

impl Households {
    pub(super) fn new(devices: &[Device<'_>], spots: &Spots) -> Self {
        let numbers = numbers(devices);
        let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, spot) in spots.all.iter().enumerate() {
            let household = numbers.get(spot.device).copied().unwrap_or_default();
            all.entry(household).or_default().push(at);
        }
        let mut households = Self {
            all: all.into_values().collect(),
            pairs: vec![BTreeMap::new(); spots.senders.len()],
            met: BTreeMap::new(),
        };
        for household in &households.all {
            let kinds = household.iter().filter_map(|at| {
                let spot = spots.all.get(*at)?;
                Some((spot.family(), spots.kind_of(spot)?))
            });
            let kinds: Vec<_> = kinds.collect();
            for (family, from) in &kinds {
                let receivers = kinds.iter().filter(|(of, _)| of == family);
                if let Some(pairs) = households.pairs.get_mut(from.sender) {
                    for (_, to) in receivers {
                        *pairs.entry(to.receiver).or_default() += 1;
                    }
                }
            }
        }
        households
    }

    /// Pairs of a household, of a source with the sender's lines and a destination among these.
    pub(super) fn pairs_among(&self, sender: usize, receivers: &Numbers) -> u64 {
        let pairs = self.pairs.get(sender).into_iter().flatten();
        let among = pairs.filter(|(receiver, _)| receivers.contains(**receiver));
        among.map(|(_, count)| count).sum()
    }

    /// Pairs of a household that have these lines.
    pub(super) fn pairs(&self, sender: usize, receiver: usize) -> u64 {
        let pairs = self.pairs.get(sender).and_then(|p| p.get(&receiver));
        pairs.copied().unwrap_or_default()
    }
}

/// By device: its household. Devices of users that handed some on to each other are one.
pub(super) fn numbers(devices: &[Device<'_>]) -> Vec<usize> {
    let mut joined: BTreeMap<UserId, UserId> = BTreeMap::new();
    let root = |joined: &BTreeMap<UserId, UserId>, mut user: UserId| {
        while let Some(next) = joined.get(&user) {
            user = *next;
        }
        user
    };
    for device in devices {
        if let (Some(a), Some(b)) = (device.owner(BEFORE), device.owner(AFTER)) {
            let (a, b) = (root(&joined, a), root(&joined, b));
            if a != b {
                joined.insert(a, b);
            }
        }
    }
    let mut numbers: BTreeMap<UserId, usize> = BTreeMap::new();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next
    };
    devices
        .iter()
        .map(
            |device| match device.owner(BEFORE).or(device.owner(AFTER)) {
                Some(user) => *numbers
                    .entry(root(&joined, user))
                    .or_insert_with(&mut fresh),
                None => fresh(),
            },
        )
        .collect()
}

fn correct(reach: &mut Reach, from: usize, to: usize, by: i64) {
    *reach.from_spot.entry(from).or_default() += by;
    *reach.to_spot.entry(to).or_default() += by;
}

impl Comparison<'_> {
    /// Flows between devices of one household, pair by pair. What was counted
    /// for them as if they were of different ones is taken back.
    pub(super) fn within(&mut self) {
        let is_changed = {
            let mut lines = vec![0; self.law.lines.len().div_ceil(64)];
            for line in &self.changed {
                set::insert(&mut lines, *line);
            }
            lines
        };
        let mut known: HashMap<Meeting, Judged> = HashMap::new();
        for household in std::mem::take(&mut self.households.all) {
            if !self.is_about(&household, &is_changed) {
                continue;
            }
            for from in &household {
                for to in &household {
                    self.pair(*from, *to, &mut known);
                }
            }
        }
    }

    /// True when a spot of the household has a line that changes.
    fn is_about(&self, household: &[usize], changed: &Set) -> bool {
        let mut spots = household.iter().filter_map(|at| self.spots.all.get(*at));
        spots.any(|spot| {
            let Some(kind) = self.spots.kind_of(spot) else {
                return false;
            };
            let from = self.spots.senders.get(kind.sender);
            let own = self.spots.owns.get(kind.own).map(|own| &own.lines);
            let mut sets = from.into_iter().chain(own).flatten();
            sets.any(|set| set::meet(set, changed))
        })
    }

    fn pair(&mut self, from: usize, to: usize, known: &mut HashMap<Meeting, Judged>) {
        let spots = (from, to);
        let (Some(from), Some(to)) = (self.spots.all.get(from), self.spots.all.get(to)) else {
            return;
        };
        let (from_device, to_device) = (from.device, to.device);
        if from.family() != to.family() {
            return;
        }
        let (Some(a), Some(b)) = (self.spots.kind_of(from), self.spots.kind_of(to)) else {
            return;
        };
        let meeting = Meeting {
            sender: a.sender,
            receiver: b.receiver,
            own: a.own,
            counts: self.are_one_users(from_device, to_device, a.own, b.own),
        };
        let judged = known.entry(meeting).or_insert_with(|| self.judge(meeting));
        if from_device == to_device {
            self.correct(&judged.across, spots, -1);
            return;
        }
        if judged.across != judged.real {
            self.correct(&judged.across, spots, -1);
            self.correct(&judged.real, spots, 1);
        }
        self.count(&judged.real);
        if !std::mem::replace(&mut judged.is_noted, true) {
            self.note(&judged.real, &self.met(meeting));
        }
    }

    /// Counts one flow.
    fn count(&mut self, changes: &Changes) {
        let mut is_counted = [[false; 2]; 2];
        for (line, state) in changes {
            self.tallies.entry((*line, *state)).or_default().reach.flows += 1;
            let sort = sort_of(&self.law, *line);
            let total = self.totals.get_mut(*state).and_then(|t| t.get_mut(sort));
            let is_counted = is_counted.get_mut(*state).and_then(|c| c.get_mut(sort));
            if let (Some(total), Some(is_counted @ false)) = (total, is_counted) {
                total.flows += 1;
                *is_counted = true;
            }
        }
    }

    /// Notes what changes for flows with these lines.
    fn note(&mut self, changes: &Changes, met: &[Set; 2]) {
        for (line, state) in changes {
            let beside = self.law.beside(*state, *line);
            let tally = self.tallies.entry((*line, *state)).or_default();
            tally.note(&self.law, *line, &beside, met);
            let all = self.households.met.entry((*line, *state)).or_default();
            all.push(met.clone());
        }
    }

    /// Adds to what the two spots reach and are reached by.
    fn correct(&mut self, changes: &Changes, (from, to): (usize, usize), by: i64) {
        let mut about = BTreeSet::new();
        for (line, state) in changes {
            let tally = self.tallies.entry((*line, *state)).or_default();
            correct(&mut tally.reach, from, to, by);
            about.insert((*state, sort_of(&self.law, *line)));
        }
        for (state, sort) in about {
            let total = self.totals.get_mut(state).and_then(|t| t.get_mut(sort));
            if let Some(total) = total {
                correct(total, from, to, by);
            }
        }
    }

    /// By state: true when both are devices of one user.
    fn are_one_users(&self, from: usize, to: usize, a: usize, b: usize) -> [bool; 2] {
        let (a, b) = (self.spots.owns.get(a), self.spots.owns.get(b));
        let (Some(a), Some(b)) = (a, b) else {
            return [false; 2];
        };
        let owner = |device: usize, state| self.devices.get(device).and_then(|d| d.owner(state));
        let same = |state| owner(from, state) == owner(to, state);
        [
            a.is_personal[0] && b.is_personal[0] && same(BEFORE),
            a.is_personal[1] && b.is_personal[1] && same(AFTER),
        ]
    }

    /// The lines by which the one reaches the other.
    fn met(&self, meeting: Meeting) -> [Set; 2] {
        let (from, to) = (
            self.spots.senders.get(meeting.sender),
            self.spots.receivers.get(meeting.receiver),
        );
        let own = self.spots.owns.get(meeting.own).map(|own| &own.lines);
        let (Some(from), Some(to), Some(own)) = (from, to, own) else {
            return <[Set; 2]>::default();
        };
        let met = |from: &Set, to: &Set, own: &Set, counts: bool| -> Set {
            let own = own.iter().map(|word| if counts { *word } else { 0 });
            let both = from.iter().zip(to).map(|(a, b)| a & b);
            both.zip(own).map(|(both, own)| both | own).collect()
        };
        [
            met(&from[0], &to[0], &own[0], meeting.counts[0]),
            met(&from[1], &to[1], &own[1], meeting.counts[1]),
        ]
    }

    fn judge(&mut self, meeting: Meeting) -> Judged {
        let apart = Meeting {
            counts: [false; 2],
            ..meeting
        };
        let across = self.outcome(&self.met(apart));
        let real = if meeting.counts == [false; 2] {
            across.clone()
        } else {
            self.outcome(&self.met(meeting))
        };
        Judged {
            across,
            real,
            is_noted: false,
        }
    }
}
