//! Sign-ins by SSH that change: by source and destination that both policies
//! treat alike, and within a household device by device. A sign-in is one that
//! works: a rule of `ssh` lets it in, and the port is open.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use wire::UserId;

use super::{
    Mode,
    compare::Comparison,
    gates::{Gates, Part},
    household::numbers,
    numbers::Numbers,
    outcome::{AFTER, BEFORE},
    set::{self, Set},
};
use crate::{
    diagnostic::Span,
    ssh::{ACTS_ON_CHECKS, Resolved, SshTable},
};

/// A login name that no rule has.
const ANOTHER: &str = "\u{1}";

/// A kind of sign-in that one rule lets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) state: usize,
    /// The rule's place in `ssh` and in the document.
    pub(super) rule: (usize, Span),
    pub(super) mode: Mode,
    pub(super) otherwise: Option<Mode>,
    /// Login names; `*` for any that no rule has, `None` for the user's own.
    pub(super) logins: Vec<Option<String>>,
}

/// The devices that a kind of sign-in is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Meetings {
    pub(super) pairs: u64,
    pub(super) from: Numbers,
    pub(super) to: Numbers,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) rows: BTreeMap<Row, Meetings>,
    /// By state: each pair once.
    pub(super) totals: [Meetings; 2],
}

/// Devices that are alike as a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Sender {
    lines: [Set; 2],
    /// The users, where rules tell them apart.
    users: [Option<UserId>; 2],
}

/// Devices that are alike as a destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Receiver {
    /// Rules that let all of their sources in.
    lines: [Set; 2],
    /// Rules that let its own user in.
    itself: [Set; 2],
}

/// By state, the rules that join two devices, and the user of the source.
type Joined = ([Set; 2], [Option<UserId>; 2]);

struct Look<'c, 'a> {
    comparison: &'c Comparison<'a>,
    tables: [&'c SshTable; 2],
    gates: Gates,
    /// By state: the number of each rule; equal rules have the same.
    rules: [Vec<usize>; 2],
    words: usize,
    /// By state: rules that lead to the user's own devices.
    to_own: [Set; 2],
    is_personal: bool,
    known: HashMap<Joined, Vec<Row>>,
    doors: Doors,
}

pub(super) fn compare(comparison: &Comparison<'_>, tables: [&SshTable; 2]) -> Doors {
    if tables[0].rules().is_empty() && tables[1].rules().is_empty() {
        return Doors::default();
    }
    let mut look = Look::new(comparison, tables);
    let senders: Vec<Sender> = devices(comparison).map(|d| look.sender(d)).collect();
    let receivers: Vec<Receiver> = devices(comparison).map(|d| look.receiver(d)).collect();
    let households = numbers(&comparison.devices);
    look.across(&senders, &receivers, &households);
    look.within(&senders, &receivers, &households);
    look.doors
}

fn devices(comparison: &Comparison<'_>) -> std::ops::Range<usize> {
    0..comparison.devices.len()
}

/// The same values, each with the devices that have it.
fn alike<T: Ord>(all: &[T]) -> BTreeMap<&T, Vec<usize>> {
    let mut by_value: BTreeMap<&T, Vec<usize>> = BTreeMap::new();
    for (device, value) in all.iter().enumerate() {
        by_value.entry(value).or_default().push(device);
    }
    by_value
}

impl<'c, 'a> Look<'c, 'a> {
    fn new(comparison: &'c Comparison<'a>, tables: [&'c SshTable; 2]) -> Self {
        let mut known: Vec<&Resolved> = Vec::new();
        let rules = tables.map(|table| {
            let numbers = table.rules().iter().map(|rule| {
                let at = known.iter().position(|other| other.is_like(rule));
                at.unwrap_or_else(|| {
                    known.push(rule);
                    known.len() - 1
                })
            });
            numbers.collect::<Vec<_>>()
        });
        let words = known.len().div_ceil(64);
        let mut look = Self {
            comparison,
            tables,
            gates: Gates::new(comparison),
            rules,
            words,
            to_own: [vec![0; words], vec![0; words]],
            is_personal: known.iter().any(|rule| rule.is_personal()),
            known: HashMap::new(),
            doors: Doors::default(),
        };
        look.to_own = [
            look.lines(BEFORE, Resolved::is_to_own),
            look.lines(AFTER, Resolved::is_to_own),
        ];
        look
    }

    /// The rules of a state that are so.
    fn lines(&self, state: usize, is: impl Fn(&Resolved) -> bool) -> Set {
        let mut lines = vec![0; self.words];
        let (table, numbers) = (self.tables.get(state), self.rules.get(state));
        let rules = table.into_iter().flat_map(|t| t.rules());
        for (rule, number) in rules.zip(numbers.into_iter().flatten()) {
            if is(rule) {
                set::insert(&mut lines, *number);
            }
        }
        lines
    }

    fn of_device(
        &self,
        device: usize,
        is: impl Fn(&Resolved, &crate::NodeFacts) -> bool,
    ) -> [Set; 2] {
        [BEFORE, AFTER].map(|state| {
            let facts = self
                .comparison
                .devices
                .get(device)
                .and_then(|d| d.facts(state));
            self.lines(state, |rule| facts.is_some_and(|f| is(rule, f)))
        })
    }

    fn sender(&self, device: usize) -> Sender {
        let user = |state| {
            let device = self.comparison.devices.get(device);
            device
                .and_then(|d| d.owner(state))
                .filter(|_| self.is_personal)
        };
        Sender {
            lines: self.of_device(device, Resolved::sends),
            users: [user(BEFORE), user(AFTER)],
        }
    }

    fn receiver(&self, device: usize) -> Receiver {
        Receiver {
            lines: self.of_device(device, Resolved::receives),
            itself: self.of_device(device, Resolved::receives_itself),
        }
    }

    /// Between households.
    fn across(&mut self, senders: &[Sender], receivers: &[Receiver], households: &[usize]) {
        let sources = alike(senders);
        let lines: Vec<&[Set; 2]> = receivers.iter().map(|r| &r.lines).collect();
        let places = alike(&lines);
        let places: Vec<_> = places
            .iter()
            .map(|(lines, to)| (*lines, self.gates.receivers(to)))
            .collect();
        for (sender, from) in &sources {
            let from = self.gates.senders(from);
            for (lines, to) in &places {
                let met = both(&sender.lines, lines);
                if met.iter().flatten().all(|word| *word == 0) {
                    continue;
                }
                let is_changing = !is_same(&met, &sender.users);
                for part in self.gates.parts(&from, to, is_changing) {
                    let met = through(&met, part.open);
                    if is_same(&met, &sender.users) {
                        continue;
                    }
                    let rows = self.rows(met, sender.users);
                    if !rows.is_empty() {
                        self.count(&rows, &apart(&part, households));
                    }
                }
            }
        }
    }

    /// Between devices of one household.
    fn within(&mut self, senders: &[Sender], receivers: &[Receiver], households: &[usize]) {
        let mut by_home: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (device, home) in households.iter().enumerate() {
            by_home.entry(*home).or_default().push(device);
        }
        for home in by_home.into_values().filter(|home| home.len() > 1) {
            for from in &home {
                for to in home.iter().filter(|to| *to != from) {
                    let (Some(sender), Some(receiver)) = (senders.get(*from), receivers.get(*to))
                    else {
                        continue;
                    };
                    let met = self.met((*from, sender), (*to, receiver));
                    let one_users =
                        [BEFORE, AFTER].map(|state| self.are_one_users(*from, *to, state));
                    let open = self.gates.between(*from, *to, one_users);
                    let met = through(&met, open);
                    if is_same(&met, &sender.users) {
                        continue;
                    }
                    let rows = self.rows(met, sender.users);
                    let meetings = Meetings {
                        pairs: 1,
                        from: [*from].into_iter().collect(),
                        to: [*to].into_iter().collect(),
                    };
                    self.count(&rows, &meetings);
                }
            }
        }
    }

    fn are_one_users(&self, from: usize, to: usize, state: usize) -> bool {
        let owner = |device: usize| {
            let device = self.comparison.devices.get(device);
            device.and_then(|d| d.owner(state))
        };
        owner(from).is_some() && owner(from) == owner(to)
    }

    /// The rules by which one device of a household signs in to the other.
    fn met(
        &self,
        (from, sender): (usize, &Sender),
        (to, receiver): (usize, &Receiver),
    ) -> [Set; 2] {
        let mut met = both(&sender.lines, &receiver.lines);
        for (state, met) in met.iter_mut().enumerate() {
            if !self.are_one_users(from, to, state) {
                continue;
            }
            let sets = (
                sender.lines.get(state),
                receiver.itself.get(state),
                self.to_own.get(state),
            );
            if let (Some(sent), Some(itself), Some(own)) = sets {
                let more = sent.iter().zip(itself.iter().zip(own));
                for (word, (sent, (itself, own))) in met.iter_mut().zip(more) {
                    *word |= sent & (itself | own);
                }
            }
        }
        met
    }

    fn count(&mut self, rows: &[Row], meetings: &Meetings) {
        if meetings.pairs == 0 {
            return;
        }
        let add = |into: &mut Meetings| {
            into.pairs += meetings.pairs;
            into.from.add(&meetings.from);
            into.to.add(&meetings.to);
        };
        for row in rows {
            add(self.doors.rows.entry(row.clone()).or_default());
        }
        for (state, total) in self.doors.totals.iter_mut().enumerate() {
            if rows.iter().any(|row| row.state == state) {
                add(total);
            }
        }
    }

    /// What changes between devices that these rules join.
    fn rows(&mut self, met: [Set; 2], users: [Option<UserId>; 2]) -> Vec<Row> {
        let key = (met, users);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (met, users) = &key;
        let mut rows: BTreeMap<Row, Vec<Option<String>>> = BTreeMap::new();
        for (login, shown) in self.logins(met, users) {
            let was = self.mode(BEFORE, met, users, &login);
            let is = self.mode(AFTER, met, users, &login);
            let (old, new) = (was.map(|w| w.0), is.map(|i| i.0));
            let (state, told, otherwise) = match new.cmp(&old) {
                Ordering::Greater => (AFTER, is, old),
                Ordering::Less => (BEFORE, was, new),
                Ordering::Equal => continue,
            };
            if let Some((mode, rule)) = told {
                let row = Row {
                    state,
                    rule,
                    mode,
                    otherwise,
                    logins: Vec::new(),
                };
                rows.entry(row).or_default().push(shown);
            }
        }
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(row, logins)| Row { logins, ..row })
            .collect();
        self.known.insert(key, rows.clone());
        rows
    }

    /// The login names that the rules tell apart, and how they are told.
    fn logins(
        &self,
        met: &[Set; 2],
        users: &[Option<UserId>; 2],
    ) -> BTreeMap<String, Option<String>> {
        let mut all = BTreeMap::from([(ANOTHER.to_owned(), Some("*".to_owned()))]);
        for (state, user) in users.iter().enumerate() {
            for rule in self.met_rules(state, met) {
                let own = user.and_then(|u| rule.own_login(u));
                if let Some(own) = own {
                    all.entry(own.to_owned()).or_insert(None);
                }
            }
        }
        for state in [BEFORE, AFTER] {
            for rule in self.met_rules(state, met) {
                for login in rule.logins().filter(|login| *login != "*") {
                    all.insert(login.to_owned(), Some(login.to_owned()));
                }
            }
        }
        all
    }

    fn met_rules<'s>(
        &'s self,
        state: usize,
        met: &'s [Set; 2],
    ) -> impl Iterator<Item = &'s Resolved> {
        let numbers = self.rules.get(state).into_iter().flatten();
        let rules = self.tables.get(state).into_iter().flat_map(|t| t.rules());
        let met = met.get(state);
        let mine = rules.zip(numbers);
        mine.filter(move |(_, number)| met.is_some_and(|met| set::has(met, **number)))
            .map(|(rule, _)| rule)
    }

    fn mode(
        &self,
        state: usize,
        met: &[Set; 2],
        users: &[Option<UserId>; 2],
        login: &str,
    ) -> Option<(Mode, (usize, Span))> {
        let user = users.get(state).copied().flatten();
        let first = self
            .met_rules(state, met)
            .find(|rule| rule.names(user, login))?;
        let mode = if !first.is_check() {
            Mode::Accept
        } else if ACTS_ON_CHECKS {
            Mode::Check
        } else {
            return None;
        };
        Some((mode, first.place()))
    }
}

fn both(a: &[Set; 2], b: &[Set; 2]) -> [Set; 2] {
    let both = |a: &Set, b: &Set| a.iter().zip(b).map(|(a, b)| a & b).collect();
    [both(&a[0], &b[0]), both(&a[1], &b[1])]
}

/// The rules where the port is open.
fn through(met: &[Set; 2], open: [bool; 2]) -> [Set; 2] {
    let of = |met: &Set, is_open: bool| {
        if is_open {
            met.clone()
        } else {
            vec![0; met.len()]
        }
    };
    [of(&met[0], open[0]), of(&met[1], open[1])]
}

/// The pairs of devices of different households.
fn apart(part: &Part, households: &[usize]) -> Meetings {
    let home = |device: usize| households.get(device).copied().unwrap_or_default();
    let mut meetings = Meetings::default();
    let mut homes: BTreeMap<usize, u64> = BTreeMap::new();
    for device in &part.to {
        *homes.entry(home(*device)).or_default() += 1;
    }
    let all = super::name::count(part.to.len());
    for device in &part.from {
        let others = all - homes.get(&home(*device)).copied().unwrap_or_default();
        meetings.pairs += others;
        if others > 0 {
            meetings.from.insert(*device);
        }
    }
    let sending: BTreeSet<usize> = part.from.iter().map(|device| home(*device)).collect();
    for device in &part.to {
        if sending.len() > 1 || !sending.contains(&home(*device)) {
            meetings.to.insert(*device);
        }
    }
    meetings
}

/// True when the same rules let in whom they let in before.
fn is_same(met: &[Set; 2], users: &[Option<UserId>; 2]) -> bool {
    met[BEFORE] == met[AFTER] && users[BEFORE] == users[AFTER]
}
