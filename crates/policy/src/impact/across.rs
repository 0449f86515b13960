//! Flows between households: by line, for each source all destinations at once.

use super::{
    compare::{Comparison, changes, sort_of},
    numbers::Numbers,
    outcome::Beside,
    set::{self, Set},
    tally::{PerFamily, Reach, Tally},
};

/// By state and line: the receivers that have it.
pub(super) struct Table([Vec<Numbers>; 2]);

impl Table {
    fn new(receivers: &[[Set; 2]], lines: usize) -> Self {
        let mut table = [
            vec![Numbers::default(); lines],
            vec![Numbers::default(); lines],
        ];
        for (receiver, sets) in receivers.iter().enumerate() {
            for (rows, set) in table.iter_mut().zip(sets) {
                for (at, bits) in set.iter().enumerate() {
                    for line in set::lines(at, *bits) {
                        if let Some(row) = rows.get_mut(line) {
                            row.insert(receiver);
                        }
                    }
                }
            }
        }
        Self(table)
    }

    fn row(&self, state: usize, line: usize) -> Option<&Numbers> {
        self.0.get(state)?.get(line)
    }

    /// By state: the receivers that a sender with the line in these states reaches by
    /// it in that state alone.
    fn reached(&self, line: usize, is_from: [bool; 2]) -> [Numbers; 2] {
        let reached = |state: usize, is_from: bool| {
            let row = self.row(state, line).filter(|_| is_from);
            row.cloned().unwrap_or_default()
        };
        let (before, after) = (reached(0, is_from[0]), reached(1, is_from[1]));
        [before.without(&after), after.without(&before)]
    }

    /// Takes away those that a line beside it that the sender has leads to as well.
    fn uncover(&self, reached: &mut Numbers, beside: &Beside, sender: &[Set; 2]) {
        for (state, (covering, set)) in beside.covering.iter().zip(sender).enumerate() {
            for (at, bits) in covering {
                for line in set::lines(*at, bits & set::word(set, *at)) {
                    if let Some(row) = self.row(state, line) {
                        reached.take(row);
                    }
                }
            }
        }
    }
}

/// Counts of one line or of all, by number of sender and receiver.
#[derive(Debug, Clone, Default)]
struct Counts {
    from: Vec<PerFamily>,
    to: Vec<PerFamily>,
    flows: u64,
}

impl Counts {
    fn hand_over(&mut self, reach: &mut Reach) {
        reach.from = counted(&mut self.from);
        reach.to = counted(&mut self.to);
        reach.flows = std::mem::take(&mut self.flows);
    }
}

fn counted(all: &mut [PerFamily]) -> Vec<(usize, PerFamily)> {
    let counted = all.iter_mut().map(std::mem::take).enumerate();
    counted.filter(|(_, n)| n[0] + n[1] > 0).collect()
}

/// What is counted on the way.
struct Scratch {
    table: Table,
    /// By state.
    line: [Counts; 2],
    /// By state and kind.
    totals: [[Counts; 2]; 2],
    /// By state, kind and sender: the receivers that were counted in the totals.
    seen: [[Vec<Numbers>; 2]; 2],
}

/// By number: who has the line, in which states.
fn having(all: &[[Set; 2]], line: usize) -> Vec<(usize, [bool; 2])> {
    let all = all.iter().enumerate();
    let states = all.map(|(n, [a, b])| (n, [set::has(a, line), set::has(b, line)]));
    states.filter(|(_, [a, b])| *a || *b).collect()
}

impl Comparison<'_> {
    /// Flows between households.
    pub(super) fn across(&mut self) -> Table {
        let counts = Counts {
            from: vec![PerFamily::default(); self.spots.senders.len()],
            to: vec![PerFamily::default(); self.spots.receivers.len()],
            flows: 0,
        };
        let counts = || counts.clone();
        let seen = || vec![Numbers::default(); self.spots.senders.len()];
        let mut scratch = Scratch {
            table: Table::new(&self.spots.receivers, self.law.lines.len()),
            line: [counts(), counts()],
            totals: [[counts(), counts()], [counts(), counts()]],
            seen: [[seen(), seen()], [seen(), seen()]],
        };
        for line in self.changed.clone() {
            self.line_across(line, &mut scratch);
        }
        let totals = scratch.totals.iter_mut().flatten();
        for (counts, total) in totals.zip(self.totals.iter_mut().flatten()) {
            counts.hand_over(total);
        }
        scratch.table
    }

    fn line_across(&mut self, line: usize, scratch: &mut Scratch) {
        let beside = [self.law.beside(0, line), self.law.beside(1, line)];
        let mut tallies = [Tally::default(), Tally::default()];
        for (sender, is_from) in having(&self.spots.senders, line) {
            let reached = scratch.table.reached(line, is_from);
            let states = reached.into_iter().zip(&beside).zip(&mut tallies);
            for (state, ((mut reached, beside), tally)) in states.enumerate() {
                if reached.is_empty() {
                    continue;
                }
                if let Some(from) = self.spots.senders.get(sender) {
                    scratch.table.uncover(&mut reached, beside, from);
                }
                if !reached.is_empty() {
                    self.unjoin(&mut reached, line, beside, sender);
                    self.note_across(tally, line, beside, sender, &reached);
                    self.count_across(state, line, sender, &reached, scratch);
                }
            }
        }
        for (state, mut tally) in tallies.into_iter().enumerate() {
            if let Some(counts) = scratch.line.get_mut(state) {
                counts.hand_over(&mut tally.reach);
            }
            if !tally.reach.from.is_empty() {
                self.tallies.insert((line, state), tally);
            }
        }
    }

    /// Takes away those that lines beside it lead to as well, each with a part of the traffic.
    fn unjoin(&mut self, reached: &mut Numbers, line: usize, beside: &Beside, sender: usize) {
        if !beside.is_joint() {
            return;
        }
        let Some(from) = self.spots.senders.get(sender) else {
            return;
        };
        let beside = beside.of(from);
        let mut covered = Numbers::default();
        for receiver in reached.iter() {
            if let Some(to) = self.spots.receivers.get(receiver)
                && !changes(&self.law, &mut self.joint, line, &beside, to)
            {
                covered.insert(receiver);
            }
        }
        reached.take(&covered);
    }

    /// Notes what changes for these flows.
    fn note_across(
        &self,
        tally: &mut Tally,
        line: usize,
        beside: &Beside,
        sender: usize,
        reached: &Numbers,
    ) {
        if tally.is_settled() {
            return;
        }
        let Some(from) = self.spots.senders.get(sender) else {
            return;
        };
        let beside = beside.of(from);
        if tally.is_full() && !beside.may_touch() {
            return;
        }
        for receiver in reached.iter() {
            if let Some(to) = self.spots.receivers.get(receiver)
                && self.pairs(sender, receiver) > 0
            {
                tally.note(&self.law, line, &beside, to);
                if tally.is_settled() || (tally.is_full() && !beside.may_touch()) {
                    return;
                }
            }
        }
    }

    fn count_across(
        &self,
        state: usize,
        line: usize,
        sender: usize,
        reached: &Numbers,
        scratch: &mut Scratch,
    ) {
        let sort = sort_of(&self.law, line);
        if let Some(counts) = scratch.line.get_mut(state) {
            self.add(counts, sender, reached);
        }
        let totals = scratch.totals.get_mut(state).and_then(|t| t.get_mut(sort));
        let seen = scratch.seen.get_mut(state).and_then(|s| s.get_mut(sort));
        if let (Some(totals), Some(seen)) = (totals, seen.and_then(|s| s.get_mut(sender))) {
            let new = reached.without(seen);
            self.add(totals, sender, &new);
            seen.add(&new);
        }
    }

    /// A sender reaches as many as there are of its family on the other side.
    fn add(&self, counts: &mut Counts, sender: usize, reached: &Numbers) {
        let sent = self.senders.get(sender).copied().unwrap_or_default();
        let mut all = PerFamily::default();
        for receiver in reached.iter() {
            let received = self.receivers.get(receiver).copied().unwrap_or_default();
            all[0] += received[0];
            all[1] += received[1];
            if let Some(to) = counts.to.get_mut(receiver) {
                to[0] += sent[0];
                to[1] += sent[1];
            }
        }
        if let Some(from) = counts.from.get_mut(sender) {
            from[0] += all[0];
            from[1] += all[1];
        }
        let pairs = sent[0] * all[0] + sent[1] * all[1];
        counts.flows += pairs - self.households.pairs_among(sender, reached);
    }

    /// Finds whether some flows change in a part alone.
    pub(super) fn settle(&mut self, table: &Table) {
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
            let is_partial = self.is_partial(line, state, table);
            if let Some(tally) = self.tallies.get_mut(&(line, state)) {
                tally.is_partial = is_partial;
            }
        }
    }

    /// True when a flow has a part of what changes by the line by another line too.
    fn is_partial(&mut self, line: usize, state: usize, table: &Table) -> bool {
        let key = (line, state);
        let Some(part) = self.tallies.get(&key).and_then(|t| t.content.clone()) else {
            return false;
        };
        let beside = self.law.beside(state, line);
        let touching = self.law.beside_part(state, line, &part);
        let own = self.households.met.get(&key);
        if own.is_some_and(|all| all.iter().any(|met| touching.is_touched(met))) {
            return true;
        }
        for (sender, is_from) in having(&self.spots.senders, line) {
            let [lost, gained] = table.reached(line, is_from);
            let mut reached = if state == 0 { lost } else { gained };
            let Some(from) = self
                .spots
                .senders
                .get(sender)
                .filter(|_| !reached.is_empty())
            else {
                continue;
            };
            let touching = touching.of(from);
            if !touching.may_touch() {
                continue;
            }
            table.uncover(&mut reached, &beside, from);
            self.unjoin(&mut reached, line, &beside, sender);
            let is_touched = |receiver| {
                let to = self.spots.receivers.get(receiver);
                to.is_some_and(|to| touching.is_touched(to)) && self.pairs(sender, receiver) > 0
            };
            if reached.iter().any(is_touched) {
                return true;
            }
        }
        false
    }
}
