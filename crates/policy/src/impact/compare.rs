//! The comparison, line by line over all pairs of a source and a destination
//! that the two policies treat alike.

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
    joint: HashMap<(usize, Vec<usize>), bool>,
}

/// The lines by which a sender reaches a receiver.
struct Between<'x> {
    from: &'x [Set; 2],
    to: &'x [Set; 2],
}

impl Met for Between<'_> {
    fn word(&self, state: usize, at: usize) -> u64 {
        self.from.word(state, at) & self.to.word(state, at)
    }
}

/// 0 for traffic, 1 for capabilities.
pub(super) fn sort_of(law: &Law, line: usize) -> usize {
    usize::from(!law.is_traffic(line))
}

/// Pairs that were counted.
struct Seen {
    receivers: usize,
    bits: Vec<u64>,
}

impl Seen {
    /// True the first time.
    fn is_new(&mut self, sender: usize, receiver: usize) -> bool {
        let at = sender * self.receivers + receiver;
        let Some(word) = self.bits.get_mut(at / 64) else {
            return false;
        };
        let bit = 1 << (at % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
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
    comparison.across();
    comparison.within();
    comparison.settle();
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

/// By number: who has the line, in which states.
fn having(all: &[[Set; 2]], line: usize) -> Vec<(usize, [bool; 2])> {
    let all = all.iter().enumerate();
    let states = all.map(|(n, [a, b])| (n, [set::has(a, line), set::has(b, line)]));
    states.filter(|(_, [a, b])| *a || *b).collect()
}

fn add(into: &mut PerFamily, more: PerFamily) {
    into[0] += more[0];
    into[1] += more[1];
}

impl Comparison<'_> {
    /// Flows between households.
    fn across(&mut self) {
        let receivers = self.spots.receivers.len();
        let bits = vec![0; (self.spots.senders.len() * receivers).div_ceil(64)];
        let seen = || Seen {
            receivers,
            bits: bits.clone(),
        };
        let mut seen = [[seen(), seen()], [seen(), seen()]];
        let mut scratch = Scratch::new(self.spots.senders.len(), receivers);
        for line in self.changed.clone() {
            self.line_across(line, &mut seen, &mut scratch);
        }
        scratch.hand_over_totals(&mut self.totals);
    }

    fn line_across(&mut self, line: usize, seen: &mut [[Seen; 2]; 2], scratch: &mut Scratch) {
        let sort = sort_of(&self.law, line);
        let beside = [self.law.beside(0, line), self.law.beside(1, line)];
        let receivers = having(&self.spots.receivers, line);
        let mut tallies = [Tally::default(), Tally::default()];
        for (sender, is_from) in having(&self.spots.senders, line) {
            let Some(from) = self.spots.senders.get(sender) else {
                continue;
            };
            let beside = [beside[0].of(from), beside[1].of(from)];
            let sent = self.senders.get(sender).copied().unwrap_or_default();
            for (receiver, is_to) in &receivers {
                let (before, after) = (is_from[0] && is_to[0], is_from[1] && is_to[1]);
                if before == after {
                    continue;
                }
                let state = usize::from(after);
                let received = self.receivers.get(*receiver).copied().unwrap_or_default();
                let pairs = sent[0] * received[0] + sent[1] * received[1];
                let (Some(to), Some(beside), Some(tally)) = (
                    self.spots.receivers.get(*receiver),
                    beside.get(state),
                    tallies.get_mut(state),
                ) else {
                    continue;
                };
                let met = Between { from, to };
                if pairs == 0 || !changes(&self.law, &mut self.joint, line, beside, &met) {
                    continue;
                }
                let pairs = pairs - self.households.pairs(sender, *receiver);
                tally.reach.flows += pairs;
                let counted = (sender, sent, *receiver, received);
                scratch.count(state, counted);
                if pairs > 0 {
                    tally.note(&self.law, line, beside, &met);
                }
                if let Some(seen) = seen.get_mut(state).and_then(|s| s.get_mut(sort))
                    && seen.is_new(sender, *receiver)
                {
                    scratch.count_total(state, sort, counted, pairs);
                }
            }
        }
        for (state, mut tally) in tallies.into_iter().enumerate() {
            scratch.hand_over(state, &mut tally.reach);
            if !tally.reach.from.is_empty() {
                self.tallies.insert((line, state), tally);
            }
        }
    }

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

    /// Finds whether some flows change in a part alone.
    fn settle(&mut self) {
        self.tallies.retain(|_, tally| tally.reach.flows > 0);
        let open: Vec<(usize, usize)> = self
            .tallies
            .iter_mut()
            .filter_map(|((line, state), tally)| {
                let known = tally.settle(&self.law, *line);
                known.is_none().then_some((*line, *state))
            })
            .collect();
        for (line, state) in open {
            let is_partial = self.is_partial(line, state);
            if let Some(tally) = self.tallies.get_mut(&(line, state)) {
                tally.is_partial = is_partial;
            }
        }
    }

    /// True when a flow has a part of what changes by the line by another line too.
    fn is_partial(&mut self, line: usize, state: usize) -> bool {
        let key = (line, state);
        let Some(part) = self.tallies.get(&key).and_then(|t| t.content.clone()) else {
            return false;
        };
        let beside = self.law.beside(state, line);
        let touching = self.law.beside_part(state, line, &part);
        let receivers = having(&self.spots.receivers, line);
        for (sender, is_from) in having(&self.spots.senders, line) {
            let Some(from) = self.spots.senders.get(sender) else {
                continue;
            };
            let (beside, touching) = (beside.of(from), touching.of(from));
            for (receiver, is_to) in &receivers {
                let (before, after) = (is_from[0] && is_to[0], is_from[1] && is_to[1]);
                let Some(to) = self.spots.receivers.get(*receiver) else {
                    continue;
                };
                let met = Between { from, to };
                if before != after
                    && usize::from(after) == state
                    && touching.is_touched(&met)
                    && changes(&self.law, &mut self.joint, line, &beside, &met)
                    && self.pairs(sender, *receiver) > 0
                {
                    return true;
                }
            }
        }
        let own: Vec<_> = self.households.met.get(&key).cloned().unwrap_or_default();
        own.iter().any(|met| touching.is_touched(met))
    }

    /// Pairs of different households.
    fn pairs(&self, sender: usize, receiver: usize) -> u64 {
        let sent = self.senders.get(sender).copied().unwrap_or_default();
        let received = self.receivers.get(receiver).copied().unwrap_or_default();
        sent[0] * received[0] + sent[1] * received[1] - self.households.pairs(sender, receiver)
    }
}

/// True when the line lets something through that the lines beside it do not.
fn changes(
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

/// Counts of one line, by number of sender and receiver, and of all lines.
struct Scratch {
    from: [Vec<PerFamily>; 2],
    to: [Vec<PerFamily>; 2],
    totals: [[Total; 2]; 2],
}

/// Counts of all lines of a kind.
#[derive(Default)]
struct Total {
    from: Vec<PerFamily>,
    to: Vec<PerFamily>,
    flows: u64,
}

/// A sender, how many spots it is, a receiver, and how many it is.
type Counted = (usize, PerFamily, usize, PerFamily);

impl Scratch {
    fn new(senders: usize, receivers: usize) -> Self {
        let from = vec![PerFamily::default(); senders];
        let to = vec![PerFamily::default(); receivers];
        let total = || Total {
            from: from.clone(),
            to: to.clone(),
            flows: 0,
        };
        Self {
            totals: [[total(), total()], [total(), total()]],
            from: [from.clone(), from],
            to: [to.clone(), to],
        }
    }

    fn count(&mut self, state: usize, (sender, sent, receiver, received): Counted) {
        let (from, to) = (self.from.get_mut(state), self.to.get_mut(state));
        if let (Some(from), Some(to)) = (
            from.and_then(|f| f.get_mut(sender)),
            to.and_then(|t| t.get_mut(receiver)),
        ) {
            tell(from, to, sent, received);
        }
    }

    fn count_total(
        &mut self,
        state: usize,
        sort: usize,
        (sender, sent, receiver, received): Counted,
        pairs: u64,
    ) {
        let total = self.totals.get_mut(state).and_then(|t| t.get_mut(sort));
        let Some(total) = total else {
            return;
        };
        total.flows += pairs;
        if let (Some(from), Some(to)) = (total.from.get_mut(sender), total.to.get_mut(receiver)) {
            tell(from, to, sent, received);
        }
    }

    /// Hands the counts of one line over and begins anew.
    fn hand_over(&mut self, state: usize, reach: &mut Reach) {
        if let Some(from) = self.from.get_mut(state) {
            reach.from = counted(from);
        }
        if let Some(to) = self.to.get_mut(state) {
            reach.to = counted(to);
        }
    }

    fn hand_over_totals(&mut self, totals: &mut [[Reach; 2]; 2]) {
        for (all, into) in self
            .totals
            .iter_mut()
            .flatten()
            .zip(totals.iter_mut().flatten())
        {
            into.from = counted(&mut all.from);
            into.to = counted(&mut all.to);
            into.flows = all.flows;
        }
    }
}

/// A sender reaches as many as there are of its family on the other side.
fn tell(from: &mut PerFamily, to: &mut PerFamily, sent: PerFamily, received: PerFamily) {
    add(from, received);
    add(to, sent);
}

fn counted(all: &mut [PerFamily]) -> Vec<(usize, PerFamily)> {
    let counted = all.iter_mut().map(std::mem::take).enumerate();
    counted.filter(|(_, n)| n[0] + n[1] > 0).collect()
}
