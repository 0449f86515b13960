//! Devices as people name them: by the rule's selectors where a change is about
//! all of their devices, else by tags, groups and users, else one by one.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, net::Prefix};

use super::{
    Bounds, Parties, Party, compare::Comparison, line::Use, numbers::Numbers, set, spot::Kind,
    tally::Reach,
};
use crate::{
    compile::{Compiled, TermKind, Where},
    directory::{Directory, NodeFacts},
    selector::{self, sort::Sort},
};

/// A selector is named for some of its devices when they are so many times the others.
const MOST: usize = 3;

/// One state, to look names up in.
pub(super) struct Namer<'c, 'a> {
    comparison: &'c Comparison<'a>,
    state: usize,
    law: &'c Compiled,
    bounds: Bounds,
    emails: BTreeMap<UserId, &'c str>,
    /// The devices of each user, in this state.
    owned: BTreeMap<UserId, Numbers>,
    /// The devices with each tag, in this state.
    tagged: BTreeMap<&'c str, Numbers>,
    /// The spots of each device.
    spots: Vec<Vec<usize>>,
}

/// The spots that flows come from and go to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ends {
    pub(super) from: Numbers,
    pub(super) to: Numbers,
}

/// A selector that may name some of the devices.
pub(super) struct Candidate {
    pub(super) sort: Sort,
    pub(super) text: String,
    /// Its devices.
    pub(super) devices: Numbers,
}

impl<'c, 'a> Namer<'c, 'a> {
    pub(super) fn new(
        comparison: &'c Comparison<'a>,
        state: usize,
        law: &'c Compiled,
        directory: &'c Directory,
        bounds: Bounds,
    ) -> Self {
        let users = directory.users.iter();
        let mut namer = Self {
            comparison,
            state,
            law,
            bounds,
            emails: users.map(|u| (u.id, u.email.as_str())).collect(),
            owned: BTreeMap::new(),
            tagged: BTreeMap::new(),
            spots: vec![Vec::new(); comparison.devices.len()],
        };
        for (at, device) in comparison.devices.iter().enumerate() {
            let Some(facts) = device.sides.get(state).copied().flatten() else {
                continue;
            };
            if let Some(user) = facts.owner() {
                namer.owned.entry(user).or_default().insert(at);
            }
            for tag in &facts.tags {
                namer.tagged.entry(tag).or_default().insert(at);
            }
        }
        for (at, spot) in comparison.spots.all.iter().enumerate() {
            if let Some(spots) = namer.spots.get_mut(spot.device) {
                spots.push(at);
            }
        }
        namer
    }

    pub(super) fn state(&self) -> usize {
        self.state
    }

    pub(super) fn owned_by(&self, user: UserId) -> Numbers {
        self.owned.get(&user).cloned().unwrap_or_default()
    }

    pub(super) fn spots_of(&self, device: usize) -> &[usize] {
        self.spots.get(device).map_or(&[], Vec::as_slice)
    }

    /// Orders the parties and cuts them to the bound.
    pub(super) fn cut(&self, parties: &mut Parties) {
        parties.shown.sort_by(|a, b| {
            let order = b.devices.cmp(&a.devices);
            order.then_with(|| (a.sort, &a.text, a.node).cmp(&(b.sort, &b.text, b.node)))
        });
        let more = parties.shown.len().saturating_sub(self.bounds.names);
        parties.more += count(more);
        parties.shown.truncate(self.bounds.names);
    }

    /// The spots that flows come from and go to.
    pub(super) fn ends(&self, reach: &Reach) -> Ends {
        let spots = &self.comparison.spots;
        let dense = |all: &[(usize, [u64; 2])], length: usize| {
            let mut dense = vec![[0_u64; 2]; length];
            for (number, counts) in all {
                if let Some(slot) = dense.get_mut(*number) {
                    *slot = *counts;
                }
            }
            dense
        };
        let from = dense(&reach.from, spots.senders.len());
        let to = dense(&reach.to, spots.receivers.len());
        let counts = |all: &[[u64; 2]], number: usize, family: usize, more: Option<&i64>| {
            let count = all.get(number).and_then(|n| n.get(family)).copied();
            let count = i64::try_from(count.unwrap_or_default()).unwrap_or(i64::MAX);
            count.saturating_add(more.copied().unwrap_or_default()) > 0
        };
        let mut ends = Ends::default();
        for (at, spot) in spots.all.iter().enumerate() {
            let Some(kind) = spots.kind_of(spot) else {
                continue;
            };
            let family = spot.family();
            if counts(&from, kind.sender, family, reach.from_spot.get(&at)) {
                ends.from.insert(at);
            }
            if counts(&to, kind.receiver, family, reach.to_spot.get(&at)) {
                ends.to.insert(at);
            }
        }
        ends
    }

    /// The devices of spots.
    pub(super) fn devices(&self, spots: &Numbers) -> Numbers {
        let all = spots
            .iter()
            .filter_map(|at| self.comparison.spots.all.get(at));
        all.map(|spot| spot.device).collect()
    }

    /// Their owners.
    pub(super) fn people(&self, devices: &Numbers) -> BTreeSet<UserId> {
        let all = devices.iter().filter_map(|at| self.facts(at)?.owner());
        all.collect()
    }

    fn facts(&self, device: usize) -> Option<&NodeFacts> {
        self.comparison.devices.get(device)?.facts(self.state)
    }

    /// Where flows of a line come from.
    pub(super) fn who(&self, used: &Use, ends: &Ends) -> Parties {
        let alone = self.devices(&ends.to).only();
        let rule = self.law.rules.get(used.rule);
        let sources = rule.into_iter().flat_map(|rule| &rule.sources);
        let candidates = sources.filter_map(|id| {
            let text = &self.law.term(*id)?.text;
            let devices = self.of_kinds(|kind| {
                let terms = kind.terms.get(self.state);
                terms.is_some_and(|terms| terms.binary_search(id).is_ok())
            });
            Some(Candidate {
                sort: sort_of(text),
                text: text.clone(),
                devices,
            })
        });
        self.name(&ends.from, candidates.collect(), alone)
    }

    /// The devices with spots of such kinds.
    fn of_kinds(&self, is: impl Fn(&Kind) -> bool) -> Numbers {
        let spots = &self.comparison.spots;
        let kinds: Vec<bool> = spots.kinds.iter().map(is).collect();
        let held = spots
            .all
            .iter()
            .filter(|s| kinds.get(s.kind) == Some(&true));
        held.map(|spot| spot.device).collect()
    }

    /// Where flows of a line go to.
    pub(super) fn to(&self, used: &Use, ends: &Ends) -> Parties {
        let alone = self.devices(&ends.from).only();
        let candidate = match used.place {
            Where::Term(id) => {
                let text = self
                    .law
                    .term(id)
                    .map(|t| t.text.clone())
                    .unwrap_or_default();
                let devices = self.of_kinds(|kind| {
                    let lines = self.comparison.spots.receivers.get(kind.receiver);
                    let lines = lines.and_then(|l| l.get(self.state));
                    lines.is_some_and(|lines| set::has(lines, used.line))
                });
                Candidate {
                    sort: sort_of(&text),
                    text,
                    devices,
                }
            }
            Where::SelfDevices => {
                let people = self.people(&self.devices(&ends.from));
                Candidate {
                    sort: Sort::OwnDevices,
                    text: "autogroup:self".to_owned(),
                    devices: self.owned_by_all(&people),
                }
            }
        };
        self.name(&ends.to, vec![candidate], alone)
    }

    /// Names whole devices; the selectors are those of a rule.
    pub(super) fn name_devices(
        &self,
        devices: &Numbers,
        candidates: Vec<Candidate>,
        others: &Numbers,
    ) -> Parties {
        let spots = devices.iter().flat_map(|at| self.spots_of(at));
        self.name(&spots.copied().collect(), candidates, others.only())
    }

    /// The devices, in this state, that are so.
    pub(super) fn holding(&self, is: impl Fn(&NodeFacts) -> bool) -> Numbers {
        let all = 0..self.comparison.devices.len();
        all.filter(|at| self.facts(*at).is_some_and(&is)).collect()
    }

    /// The devices of users.
    pub(super) fn owned_by_all(&self, users: &BTreeSet<UserId>) -> Numbers {
        let mut devices = Numbers::default();
        let owned = users.iter().filter_map(|user| self.owned.get(user));
        owned.for_each(|owned| devices.add(owned));
        devices
    }

    /// Names the devices of the spots. `alone`: the one device on the other side,
    /// which may be missing on this side because it does not reach itself.
    fn name(&self, spots: &Numbers, candidates: Vec<Candidate>, alone: Option<usize>) -> Parties {
        let all = self.devices(spots);
        let mut naming = Naming {
            left: all.clone(),
            parties: Vec::new(),
        };
        for candidate in candidates {
            let others = candidate.devices.without(&all);
            let is_alone = alone.is_some_and(|device| others.contains(device));
            let unchanged = others.len() - usize::from(is_alone);
            let changed = candidate.devices.len() - others.len();
            let is_most = changed > self.bounds.names && changed >= unchanged * MOST;
            if unchanged == 0 || is_most {
                naming.take(&candidate, &all, unchanged);
            }
        }
        for (tag, devices) in &self.tagged {
            if naming.left.meets(devices) && devices.is_subset(&all) {
                let candidate = Candidate {
                    sort: Sort::Tag,
                    text: (*tag).to_owned(),
                    devices: devices.clone(),
                };
                naming.take(&candidate, &all, 0);
            }
        }
        self.name_groups(&mut naming, &all);
        self.name_users(&mut naming, spots);
        for device in std::mem::take(&mut naming.left).iter() {
            self.name_device(&mut naming, device, spots);
        }
        let mut parties = Parties {
            shown: naming.parties,
            more: 0,
            people: count(self.people(&all).len()),
            devices: count(all.len()),
            members: Vec::new(),
            more_members: 0,
        };
        self.cut(&mut parties);
        self.name_members(&mut parties, spots);
        parties
    }

    /// Names one by one those who are named together.
    pub(super) fn name_members(&self, parties: &mut Parties, spots: &Numbers) {
        let is_one = |party: &Party| matches!(party.sort, Sort::User | Sort::Device);
        if parties.more == 0 && parties.shown.iter().all(is_one) {
            return;
        }
        let mut owned: BTreeMap<UserId, Numbers> = BTreeMap::new();
        let mut others = Vec::new();
        for device in self.devices(spots).iter() {
            if !self.own_among(device, spots) {
                continue;
            }
            match self.facts(device).and_then(NodeFacts::owner) {
                Some(user) => owned.entry(user).or_default().insert(device),
                None => others.push(device),
            }
        }
        let all = owned.len() + others.len();
        let unchanged = |user, mine: &Numbers| self.owned_by(user).without(mine).len();
        let users = owned
            .iter()
            .map(|(user, mine)| self.user(*user, mine.len(), unchanged(*user, mine)));
        let others = others.into_iter().filter_map(|device| self.device(device));
        parties.members = users.chain(others).take(self.bounds.names).collect();
        parties.more_members = count(all.saturating_sub(parties.members.len()));
    }

    /// Names groups of users, where naming each user would be too long.
    fn name_groups(&self, naming: &mut Naming, all: &Numbers) {
        if self.people(&naming.left).len() <= self.bounds.names {
            return;
        }
        let groups = self.law.terms.iter().filter_map(|term| {
            let TermKind::Users(users) = &term.kind else {
                return None;
            };
            let devices = self.owned_by_all(users);
            (users.len() > 1 && devices.is_subset(all)).then(|| Candidate {
                sort: sort_of(&term.text),
                text: term.text.clone(),
                devices,
            })
        });
        let mut groups: Vec<Candidate> = groups.collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.devices.len()));
        for group in groups {
            naming.take(&group, all, 0);
        }
    }

    /// Names the users of devices of their own.
    fn name_users(&self, naming: &mut Naming, spots: &Numbers) {
        for user in self.people(&naming.left) {
            let Some(owned) = self.owned.get(&user) else {
                continue;
            };
            let mine = naming.left.common(owned);
            let is_own = |device| self.own_among(device, spots);
            if (mine.len() < 2 && owned.len() > 1) || !mine.iter().all(is_own) {
                continue;
            }
            naming.left.take(&mine);
            naming
                .parties
                .push(self.user(user, mine.len(), owned.len() - mine.len()));
        }
    }

    pub(super) fn user(&self, user: UserId, devices: usize, unchanged: usize) -> Party {
        let email = self.emails.get(&user).map(|e| (*e).to_owned());
        Party {
            sort: Sort::User,
            text: email.unwrap_or_else(|| format!("user {user}")),
            user: Some(user),
            node: None,
            devices: count(devices),
            unchanged: count(unchanged),
        }
    }

    /// True when one of the device's own addresses is among the spots.
    fn own_among(&self, device: usize, spots: &Numbers) -> bool {
        let own = |at: &usize| {
            let spot = self.comparison.spots.all.get(*at);
            let address = spot.map(|s| s.address);
            let facts = self.facts(device);
            spots.contains(*at)
                && facts.is_some_and(|f| address.is_some_and(|a| f.addresses.contains(&a)))
        };
        let mut mine = self.spots.get(device).into_iter().flatten();
        mine.any(own)
    }

    /// Names the device, or the routes behind it that the spots are in.
    fn name_device(&self, naming: &mut Naming, device: usize, spots: &Numbers) {
        if self.own_among(device, spots) {
            naming.parties.extend(self.device(device));
            return;
        }
        let node = self.comparison.devices.get(device).map(|d| d.id);
        let mine = self.spots.get(device).into_iter().flatten();
        let mine = mine.filter(|at| spots.contains(**at));
        let addresses = mine.filter_map(|at| self.comparison.spots.all.get(*at));
        let routes: BTreeSet<(bool, Prefix)> = addresses
            .filter_map(|spot| {
                let facts = self.facts(device)?;
                let subnets = facts.routes.iter().map(|r| (false, *r));
                let exits = facts.exit_routes.iter().map(|r| (true, *r));
                let mut holding = subnets
                    .chain(exits)
                    .filter(|(_, route)| route.contains(spot.address));
                holding.next()
            })
            .collect();
        for (is_exit, route) in routes {
            naming.parties.push(Party {
                sort: if is_exit { Sort::Internet } else { Sort::Route },
                text: route.to_string(),
                user: None,
                node,
                devices: 1,
                unchanged: 0,
            });
        }
    }

    /// The device by its name, else by its address.
    pub(super) fn device(&self, device: usize) -> Option<Party> {
        let named = self.comparison.devices.get(device)?;
        let address = || {
            let facts = named.facts(self.state)?;
            facts.addresses.first().map(ToString::to_string)
        };
        let text = Some(named.name.to_owned()).filter(|name| !name.is_empty());
        let text = text.or_else(address);
        Some(Party {
            sort: Sort::Device,
            text: text.unwrap_or_else(|| format!("device {}", named.id)),
            user: None,
            node: Some(named.id),
            devices: 1,
            unchanged: 0,
        })
    }
}

/// Devices that have no name yet, and the names of the others.
struct Naming {
    left: Numbers,
    parties: Vec<Party>,
}

impl Naming {
    /// Names those that the selector has.
    fn take(&mut self, candidate: &Candidate, all: &Numbers, unchanged: usize) {
        if !self.left.meets(&candidate.devices) {
            return;
        }
        self.left.take(&candidate.devices);
        self.parties.push(Party {
            sort: candidate.sort,
            text: candidate.text.clone(),
            user: None,
            node: None,
            devices: count(candidate.devices.common(all).len()),
            unchanged: count(unchanged),
        });
    }
}

/// What kind of thing a term's text names.
fn sort_of(text: &str) -> Sort {
    let text = crate::source::Text {
        span: crate::diagnostic::Span::default(),
        text: text.to_owned(),
    };
    let read = selector::read(&text, &mut crate::diagnostic::Sink::default());
    read.map_or(Sort::Addresses, |selector| Sort::of(&selector.kind))
}

pub(super) fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
