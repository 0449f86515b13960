//! Tallies → changes in the words of people.

use std::collections::BTreeMap;

use super::{
    Bounds, Capability, Change, Changes, CutOff, Opening, Parties,
    compare::{Comparison, sort_of},
    content::Content,
    line::Use,
    name::{Ends, Namer, count},
    numbers::Numbers,
    outcome::{AFTER, BEFORE},
    set,
    tally::Tally,
};
use crate::{
    compile::{Origin, Section},
    diagnostic::Span,
    explain::{Part, RuleAt},
};

/// Changes that are looked at for each that is shown: some become one.
const SPARE: usize = 2;

/// Lines of one rule that change alike for the same sources.
struct Told {
    used: Vec<(Use, Ends)>,
    origin: Origin,
    content: Content,
    /// Devices.
    from: Numbers,
    is_partial: bool,
    flows: u64,
}

impl Namer<'_, '_> {
    /// The traffic that changes in this state.
    pub(super) fn traffic(&self, c: &Comparison<'_>, bounds: Bounds) -> Changes<Vec<Opening>> {
        self.changes(c, 0, bounds, Content::openings)
    }

    /// The capabilities that change in this state.
    pub(super) fn capabilities(
        &self,
        c: &Comparison<'_>,
        bounds: Bounds,
    ) -> Changes<Vec<Capability>> {
        self.changes(c, 1, bounds, Content::capabilities)
    }

    fn changes<W>(
        &self,
        c: &Comparison<'_>,
        sort: usize,
        bounds: Bounds,
        what: fn(&Content) -> W,
    ) -> Changes<W> {
        let mine = c
            .tallies
            .iter()
            .filter(|((line, state), _)| *state == self.state() && sort_of(&c.law, *line) == sort);
        let mut tallies: Vec<(usize, usize, &Tally)> = mine
            .map(|((line, state), tally)| (c.law.rank(*state, *line), *line, tally))
            .collect();
        tallies.sort_by_key(|(rank, _, tally)| (std::cmp::Reverse(tally.reach.flows), *rank));
        let all = tallies.len();
        tallies.truncate(bounds.changes.saturating_mul(SPARE));
        let looked_at = tallies.len();
        let mut told = self.join(c, tallies);
        told.sort_by_key(|t| (std::cmp::Reverse(t.flows), t.origin));
        let more = all - looked_at + told.len().saturating_sub(bounds.changes);
        told.truncate(bounds.changes);
        let total = c.totals.get(self.state()).and_then(|t| t.get(sort));
        let ends = total.map(|reach| self.ends(reach)).unwrap_or_default();
        let from = self.devices(&ends.from);
        Changes {
            shown: told.iter().map(|told| self.change(told, what)).collect(),
            more: count(more),
            flows: total.map_or(0, |reach| reach.flows),
            people: count(self.people(&from).len()),
            from_devices: count(from.len()),
            to_devices: count(self.devices(&ends.to).len()),
        }
    }

    /// Lines of one rule with the same sources and contents become one.
    fn join(&self, c: &Comparison<'_>, tallies: Vec<(usize, usize, &Tally)>) -> Vec<Told> {
        let mut all: Vec<Told> = Vec::new();
        for (rank, _, tally) in tallies {
            let order = c.law.uses.get(self.state()).map(|uses| &uses.order);
            let used = order.and_then(|order| order.get(rank));
            let (Some(used), Some(content)) = (used, &tally.content) else {
                continue;
            };
            let ends = self.ends(&tally.reach);
            let from = self.devices(&ends.from);
            let same = all.iter_mut().find(|told| {
                told.origin == used.origin && told.content == *content && told.from == from
            });
            match same {
                Some(told) => {
                    told.used.push((used.clone(), ends));
                    told.is_partial |= tally.is_partial;
                    told.flows += tally.reach.flows;
                }
                None => all.push(Told {
                    origin: used.origin,
                    content: content.clone(),
                    from,
                    is_partial: tally.is_partial,
                    flows: tally.reach.flows,
                    used: vec![(used.clone(), ends)],
                }),
            }
        }
        all
    }

    fn change<W>(&self, told: &Told, what: fn(&Content) -> W) -> Change<W> {
        let mut to = Parties::default();
        let mut reached = Numbers::default();
        for (used, ends) in &told.used {
            let named = self.to(used, ends);
            to.shown.extend(named.shown);
            to.more += named.more;
            reached.add(&self.devices(&ends.to));
        }
        to.devices = count(reached.len());
        to.people = count(self.people(&reached).len());
        self.cut(&mut to);
        let mut all = Ends::default();
        for (_, ends) in &told.used {
            all.from.add(&ends.from);
            all.to.add(&ends.to);
        }
        self.name_members(&mut to, &all.to);
        let who = told.used.first().map(|(used, _)| self.who(used, &all));
        Change {
            who: who.unwrap_or_default(),
            to,
            what: what(&told.content),
            is_partial: told.is_partial,
            rule: rule_at(told.origin),
            flows: told.flows,
        }
    }
}

fn rule_at(origin: Origin) -> RuleAt {
    RuleAt {
        section: match origin.section {
            Section::Acls if origin.span == Span::default() => Part::Open,
            Section::Acls => Part::Acls,
            Section::Grants => Part::Grants,
        },
        index: origin.index,
        span: origin.span,
    }
}

impl Comparison<'_> {
    /// Who lost something and reaches nothing any more.
    pub(super) fn cut_off(&self, namer: &Namer<'_, '_>, bounds: Bounds) -> CutOff {
        let lost = self.totals.get(BEFORE).and_then(|t| t.first());
        let lost = lost.map(|reach| namer.ends(reach)).unwrap_or_default();
        let losing = namer.devices(&lost.from);
        let mut reaching = Reaching::new(self);
        let (mut people, mut devices) = (Vec::new(), Vec::new());
        for user in namer.people(&losing) {
            let owned = namer.owned_by(user);
            if !owned
                .iter()
                .any(|device| reaching.something(self, namer, device))
            {
                people.push(namer.user(user, owned.len(), 0));
            }
        }
        for device in losing.iter() {
            let is_own = self.devices.get(device).and_then(|d| d.owner(BEFORE));
            if is_own.is_none() && !reaching.something(self, namer, device) {
                devices.extend(namer.device(device));
            }
        }
        let cut = |all: &mut Vec<super::Party>| {
            let more = all.len().saturating_sub(bounds.changes);
            all.truncate(bounds.changes);
            count(more)
        };
        let (more_people, more_devices) = (cut(&mut people), cut(&mut devices));
        CutOff {
            people,
            more_people,
            devices,
            more_devices,
        }
    }
}

/// What is reached after.
struct Reaching {
    /// Lines of traffic.
    traffic: set::Set,
    /// By sender and family: some devices that it reaches, two at most.
    known: BTreeMap<(usize, usize), Vec<usize>>,
}

impl Reaching {
    fn new(c: &Comparison<'_>) -> Self {
        let mut traffic = vec![0; c.law.lines.len().div_ceil(64)];
        for line in (0..c.law.lines.len()).filter(|line| c.law.is_traffic(*line)) {
            set::insert(&mut traffic, line);
        }
        Self {
            traffic,
            known: BTreeMap::new(),
        }
    }

    /// True when the device reaches some other.
    fn something(&mut self, c: &Comparison<'_>, namer: &Namer<'_, '_>, device: usize) -> bool {
        let spots: Vec<_> = namer
            .spots_of(device)
            .iter()
            .filter_map(|at| c.spots.all.get(*at))
            .filter_map(|spot| Some((spot.family(), c.spots.kind_of(spot)?)))
            .collect();
        let across = spots.iter().any(|(family, kind)| {
            let reached = self.reached(c, kind.sender, *family);
            reached.iter().any(|other| *other != device)
        });
        across
            || spots
                .iter()
                .any(|(family, kind)| self.reaches_own(c, device, *family, kind.own))
    }

    fn reached(&mut self, c: &Comparison<'_>, sender: usize, family: usize) -> &[usize] {
        let traffic = &self.traffic;
        self.known.entry((sender, family)).or_insert_with(|| {
            let Some([_, from]) = c.spots.senders.get(sender) else {
                return Vec::new();
            };
            let from: Vec<u64> = from.iter().zip(traffic).map(|(a, b)| a & b).collect();
            if from.iter().all(|word| *word == 0) {
                return Vec::new();
            }
            let meets = c.spots.receivers.iter().map(|[_, to]| set::meet(&from, to));
            let meets: Vec<bool> = meets.collect();
            let mut found: Vec<usize> = Vec::new();
            for spot in c.spots.all.iter().filter(|spot| spot.family() == family) {
                let kind = c.spots.kind_of(spot);
                let is_met = kind.and_then(|k| meets.get(k.receiver)).copied();
                if is_met == Some(true) && !found.contains(&spot.device) {
                    found.push(spot.device);
                    if found.len() == 2 {
                        break;
                    }
                }
            }
            found
        })
    }

    /// True when it reaches another device of its user by `autogroup:self`.
    fn reaches_own(&self, c: &Comparison<'_>, device: usize, family: usize, own: usize) -> bool {
        let Some(mine) = c.spots.owns.get(own) else {
            return false;
        };
        if !mine.is_personal[AFTER] || !set::meet(&mine.lines[AFTER], &self.traffic) {
            return false;
        }
        let owner = |at: usize| c.devices.get(at).and_then(|d| d.owner(AFTER));
        let mut spots = c.spots.all.iter();
        spots.any(|spot| {
            let own = c.spots.kind_of(spot).and_then(|k| c.spots.owns.get(k.own));
            spot.device != device
                && spot.family() == family
                && owner(spot.device) == owner(device)
                && own.is_some_and(|own| own.is_personal[AFTER])
        })
    }
}
