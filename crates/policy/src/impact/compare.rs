//! The comparison: flows between households by line, those within them pair by pair.

use std::collections::{BTreeMap, HashMap};

use super::{
    Side,
    household::Households,
    line::Lines,
    outcome::{Beside, Law, Met},
    set::{self, Set},
    spot::{self, Device, Spots},
    tally::{PerFamily, Reach, Tally},
};
use crate::compile::Compiled;

/// What changes.
pub(super) struct Comparison<'a> {
    pub(super) devices: Vec<Device<'a>>,
    pub(super) spots: Spots,
    pub(super) law: Law,
    pub(super) households: Households,
    /// By sender and by receiver: how many spots have these lines.
    pub(super) senders: Vec<PerFamily>,
    pub(super) receivers: Vec<PerFamily>,
    /// Lines that some spot has in one state alone.
    pub(super) changed: Vec<usize>,
    /// By line and state.
    pub(super) tallies: BTreeMap<(usize, usize), Tally>,
    /// By state, of traffic and of capabilities: each flow once.
    pub(super) totals: [[Reach; 2]; 2],
    /// By what lines have, and lines beside: whether those have all of it.
    pub(super) joint: HashMap<(usize, Vec<usize>), bool>,
}

/// 0 for traffic, 1 for capabilities.
pub(super) fn sort_of(law: &Law, line: usize) -> usize {
    usize::from(!law.is_traffic(line))
}

pub(super) fn compare<'a>(sides: [&Side<'a>; 2], laws: [&Compiled; 2]) -> Comparison<'a> {
    let mut lines = Lines::default();
    let uses = laws.map(|law| lines.read(law));
    let devices = spot::devices(sides);
    let words = lines.all.len().div_ceil(64);
    let spots = Spots::new(sides, laws, &uses, words, &devices);
    let mut senders = vec![PerFamily::default(); spots.senders.len()];
    let mut receivers = vec![PerFamily::default(); spots.receivers.len()];
    for spot in &spots.all {
        let Some(kind) = spots.kind_of(spot) else {
            continue;
        };
        let family = spot.family();
        for (all, at) in [(&mut senders, kind.sender), (&mut receivers, kind.receiver)] {
            if let Some(count) = all.get_mut(at).and_then(|c| c.get_mut(family)) {
                *count += 1;
            }
        }
    }
    let mut comparison = Comparison {
        changed: changed(&spots),
        households: Households::new(&devices, &spots),
        law: Law::new(lines, uses),
        devices,
        spots,
        senders,
        receivers,
        tallies: BTreeMap::new(),
        totals: <[[Reach; 2]; 2]>::default(),
        joint: HashMap::new(),
    };
    let table = comparison.across();
    comparison.within();
    comparison.settle(&table);
    comparison
}

/// The lines that some spot has in one state alone.
fn changed(spots: &Spots) -> Vec<usize> {
    let mut all: BTreeMap<usize, u64> = BTreeMap::new();
    let owns = spots.owns.iter().map(|own| &own.lines);
    for [a, b] in spots.senders.iter().chain(&spots.receivers).chain(owns) {
        for (at, (a, b)) in a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b) {
            *all.entry(at).or_default() |= a ^ b;
        }
    }
    let words = all.into_iter();
    words.flat_map(|(at, bits)| set::lines(at, bits)).collect()
}

impl Comparison<'_> {
    /// The lines of which something changes between two spots with these lines.
    pub(super) fn outcome(&mut self, met: &[Set; 2]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let words = met[0].iter().zip(&met[1]).enumerate();
        let differing: Vec<(usize, u64, u64)> = words
            .filter(|(_, (a, b))| a != b)
            .map(|(at, (a, b))| (at, *a, *b))
            .collect();
        for (at, a, b) in differing {
            for line in set::lines(at, a ^ b) {
                let state = usize::from(b >> (line % 64) & 1 == 1);
                let beside = self.law.beside(state, line);
                if changes(&self.law, &mut self.joint, line, &beside, met) {
                    all.push((line, state));
                }
            }
        }
        all
    }

    /// Pairs of different households.
    pub(super) fn pairs(&self, sender: usize, receiver: usize) -> u64 {
        let sent = self.senders.get(sender).copied().unwrap_or_default();
        let received = self.receivers.get(receiver).copied().unwrap_or_default();
        sent[0] * received[0] + sent[1] * received[1] - self.households.pairs(sender, receiver)
    }
}

/// True when the line lets something through that the lines beside it do not.
pub(super) fn changes(
    law: &Law,
    joint: &mut HashMap<(usize, Vec<usize>), bool>,
    line: usize,
    beside: &Beside,
    met: &impl Met,
) -> bool {
    if beside.is_covered(met) {
        return false;
    }
    if !beside.is_joint() {
        return true;
    }
    let content = law.lines.get(line).map(|l| l.content).unwrap_or_default();
    let others = beside.touched(met);
    let is_all = joint
        .entry((content, others))
        .or_insert_with_key(|(_, others)| {
            let rest = law.rest(line, others);
            rest.is_none_or(|rest| rest.is_empty())
        });
    !*is_all
}
