//! What one policy says of an address of a device.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use wire::UserId;

use super::{
    line::Uses,
    set::{self, Set, Words},
};
use crate::{
    addresses::AddressSet,
    compile::{Compiled, Rule, TermId, TermKind},
    decide::End,
    directory::NodeFacts,
};

/// One policy, ready to look at spots.
pub(super) struct Eye<'a> {
    law: &'a Compiled,
    words: usize,
    /// By term.
    terms: Vec<Lines>,
    by_user: HashMap<UserId, Vec<TermId>>,
    by_tag: HashMap<&'a str, Vec<TermId>>,
    /// Terms of addresses.
    of_addresses: Vec<(TermId, &'a AddressSet)>,
    /// By part of the addresses: those that hold it.
    by_part: HashMap<(usize, bool), Vec<TermId>>,
    /// All other terms.
    others: Vec<TermId>,
}

/// The lines of a term.
#[derive(Debug, Clone, Default)]
struct Lines {
    /// In which it is a source.
    source: Words,
    /// To `autogroup:self`, in which it is a source of people.
    own: Words,
    /// Of traffic without `via` in which it is the destination.
    traffic: Words,
    /// Of capabilities in which it is the destination.
    app: Words,
    /// A rule of these.
    plain: Option<usize>,
    /// With `via`, and their rules.
    via: Vec<(usize, usize)>,
}

/// What one policy says of a spot.
pub(super) struct View {
    /// Terms that it is a source by, sorted.
    pub(super) terms: Vec<TermId>,
    /// Lines that it is a source of.
    pub(super) source: Set,
    /// Lines that it is a destination of.
    pub(super) target: Set,
    /// Lines by which it reaches its user's other devices.
    pub(super) own: Set,
    /// True when it is a device of a user, reached by those lines.
    pub(super) is_personal: bool,
}

fn add(set: &mut Set, words: &Words) {
    for (at, bits) in words {
        if let Some(word) = set.get_mut(*at) {
            *word |= bits;
        }
    }
}

impl<'a> Eye<'a> {
    pub(super) fn new(law: &'a Compiled, uses: &Uses, words: usize) -> Self {
        let mut eye = Self {
            law,
            words,
            terms: Vec::new(),
            by_user: HashMap::new(),
            by_tag: HashMap::new(),
            of_addresses: Vec::new(),
            by_part: HashMap::new(),
            others: Vec::new(),
        };
        for (id, term) in (0..).zip(&law.terms) {
            let lines = eye.lines(id, uses);
            eye.terms.push(lines);
            match &term.kind {
                TermKind::Users(users) => {
                    for user in users {
                        eye.by_user.entry(*user).or_default().push(id);
                    }
                }
                TermKind::Tag(tag) => eye.by_tag.entry(tag).or_default().push(id),
                TermKind::Addresses(set) => eye.of_addresses.push((id, set)),
                TermKind::Any
                | TermKind::Everything
                | TermKind::Member
                | TermKind::Tagged
                | TermKind::Internet => eye.others.push(id),
                TermKind::Nothing => {}
            }
        }
        eye
    }

    fn lines(&self, id: TermId, uses: &Uses) -> Lines {
        let of = |all: &BTreeMap<TermId, Vec<usize>>| {
            set::of(all.get(&id).into_iter().flatten().copied())
        };
        let targets = || {
            let targets = uses.target.get(&id).into_iter().flatten();
            targets.filter_map(|(line, rule)| Some((*line, *rule, self.law.rules.get(*rule)?)))
        };
        let plain = || targets().filter(|(.., rule)| rule.via.is_empty());
        let via = targets().filter(|(.., rule)| !rule.via.is_empty());
        let is_app = |rule: &Rule| rule.app.is_some();
        Lines {
            source: of(&uses.source),
            own: of(&uses.own),
            traffic: set::of(plain().filter(|(.., r)| !is_app(r)).map(|(line, ..)| line)),
            app: set::of(plain().filter(|(.., r)| is_app(r)).map(|(line, ..)| line)),
            plain: plain().next().map(|(_, rule, _)| rule),
            via: via.map(|(line, rule, _)| (line, rule)).collect(),
        }
    }

    /// True when the node lost its IPv4 address.
    pub(super) fn is_without_ipv4(&self, node: Option<&NodeFacts>) -> bool {
        self.law.may_take_ipv4()
            && node.is_some_and(|n| self.law.class_of(n).class().is_without_ipv4)
    }

    /// What the policy says of the address of the device; `part`: the number of
    /// the part of all addresses that it is in.
    pub(super) fn look(
        &mut self,
        node: Option<&NodeFacts>,
        address: IpAddr,
        is_without_ipv4: bool,
        part: usize,
    ) -> View {
        let mut view = View {
            terms: Vec::new(),
            source: vec![0; self.words],
            target: vec![0; self.words],
            own: vec![0; self.words],
            is_personal: false,
        };
        let Some(node) = node.filter(|n| n.holds(address)) else {
            return view;
        };
        let own = node.addresses.contains(&address);
        if own && address.is_ipv4() && is_without_ipv4 {
            return view;
        }
        let end = End { node, address };
        view.is_personal = own && node.owner().is_some();
        for id in self.candidates(end, own, part) {
            self.look_by(id, end, &mut view);
        }
        view.terms.sort_unstable();
        view
    }

    /// What one term that may hold the end adds.
    fn look_by(&self, id: TermId, end: End<'_>, view: &mut View) {
        let lines = usize::try_from(id).ok().and_then(|id| self.terms.get(id));
        let Some(lines) = lines else {
            return;
        };
        let node = end.node;
        if !(lines.source.is_empty() && lines.own.is_empty())
            && node.holds_itself(end.address)
            && self.law.is_source(id, end)
        {
            add(&mut view.source, &lines.source);
            view.terms.push(id);
        }
        if !lines.own.is_empty() && view.is_personal && self.is_self_source(id, end) {
            add(&mut view.own, &lines.own);
        }
        if let Some(rule) = lines.plain.and_then(|rule| self.law.rules.get(rule))
            && self.law.is_target(rule, id, end)
        {
            add(&mut view.target, &lines.traffic);
            if !lines.app.is_empty() && self.takes_capabilities(id, end) {
                add(&mut view.target, &lines.app);
            }
        }
        for (line, rule) in &lines.via {
            let rule = self.law.rules.get(*rule);
            if rule.is_some_and(|rule| self.law.is_target(rule, id, end)) {
                set::insert(&mut view.target, *line);
            }
        }
    }

    /// True when `autogroup:self` is about the device's user, by this term.
    fn is_self_source(&self, id: TermId, end: End<'_>) -> bool {
        let narrow = self.law.term(id).and_then(|term| term.narrow.as_ref());
        let meets = |requirement| self.law.meets(requirement, end.node);
        self.law.is_of_people(id)
            && self.law.matches(id, end)
            && narrow.is_none_or(|narrow| meets(narrow.requirement))
    }

    /// A capability holds at devices, and in named subnets behind them.
    fn takes_capabilities(&self, id: TermId, end: End<'_>) -> bool {
        let node = end.node;
        let is_named = || matches!(self.law.kind(id), Some(TermKind::Addresses(_)));
        node.addresses.contains(&end.address)
            || (is_named() && node.routes.iter().any(|r| r.contains(end.address)))
    }

    /// The terms that may hold the end.
    fn candidates(&mut self, end: End<'_>, own: bool, part: usize) -> Vec<TermId> {
        let mut all = self.others.clone();
        if let Some(user) = end.node.owner().filter(|_| own) {
            all.extend(self.by_user.get(&user).into_iter().flatten());
        }
        for (at, tag) in end.node.tags.iter().enumerate().filter(|_| own) {
            let is_first = !end.node.tags.iter().take(at).any(|other| other == tag);
            let terms = self.by_tag.get(tag.as_str()).filter(|_| is_first);
            all.extend(terms.into_iter().flatten());
        }
        let sets = &self.of_addresses;
        let holding = self
            .by_part
            .entry((part, end.address.is_ipv4()))
            .or_insert_with(|| {
                let holding = sets.iter().filter(|(_, set)| set.contains(end.address));
                holding.map(|(id, _)| *id).collect()
            });
        all.extend(&*holding);
        all
    }
}
