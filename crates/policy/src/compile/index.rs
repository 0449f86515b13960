//! Finds what a node matches without trying everything.

use std::{collections::BTreeMap, net::IpAddr};

use wire::UserId;

use super::{Rule, Term, TermId, TermKind, Where};
use crate::{addresses::AddressSet, attributes::Attributes, bits::Bits};

/// Terms by what a node is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    pub(crate) by_user: BTreeMap<UserId, Vec<TermId>>,
    pub(crate) by_tag: BTreeMap<String, TermId>,
    pub(crate) any: Option<TermId>,
    pub(crate) everything: Option<TermId>,
    pub(crate) member: Option<TermId>,
    pub(crate) tagged: Option<TermId>,
    pub(crate) internet: Option<TermId>,
    /// Sets of one address.
    pub(crate) hosts: BTreeMap<IpAddr, Vec<TermId>>,
    /// All other sets.
    pub(crate) ranges: Vec<(TermId, AddressSet)>,
    /// By selector: itself narrowed to devices that meet something.
    pub(crate) narrowed: BTreeMap<TermId, Vec<TermId>>,
    /// By tag: rules with `via`.
    pub(crate) via: BTreeMap<String, Vec<usize>>,
    /// Rules with `via`, in order.
    pub(crate) via_rules: Vec<usize>,
    /// Rules that give capabilities.
    pub(crate) app: Bits,
    /// Rules without `via` that have `autogroup:self` as a destination.
    pub(crate) with_self: Bits,
    uses: Vec<Uses>,
}

/// Where a term is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Uses {
    /// Rules in which it is a source.
    pub(crate) source: Bits,
    /// Rules without `via` in which it is a destination.
    pub(crate) target: Bits,
    /// Entries of `nodeAttrs` in which it is a target.
    pub(crate) attributes: Bits,
    /// True when a rule with this source has `autogroup:self` as a destination.
    pub(crate) with_self: bool,
}

impl Index {
    pub(super) fn new(rules: &[Rule], attributes: &Attributes, terms: &[Term]) -> Self {
        let mut index = Self {
            uses: vec![Uses::default(); terms.len()],
            ..Self::default()
        };
        for (id, term) in (0..).zip(terms) {
            match &term.narrow {
                None => index.add_term(id, &term.kind),
                Some(narrow) => index.narrowed.entry(narrow.base).or_default().push(id),
            }
        }
        for (number, rule) in rules.iter().enumerate() {
            index.add_rule(number, rule);
        }
        for (number, targets) in attributes.targets().enumerate() {
            for id in targets {
                if let Some(uses) = index.uses_mut(*id) {
                    uses.attributes.insert(number);
                }
            }
        }
        index
    }

    fn add_term(&mut self, id: TermId, kind: &TermKind) {
        match kind {
            TermKind::Any => self.any = Some(id),
            TermKind::Everything => self.everything = Some(id),
            TermKind::Users(users) => {
                for user in users {
                    self.by_user.entry(*user).or_default().push(id);
                }
            }
            TermKind::Tag(tag) => {
                self.by_tag.insert(tag.clone(), id);
            }
            TermKind::Member => self.member = Some(id),
            TermKind::Tagged => self.tagged = Some(id),
            TermKind::Internet => self.internet = Some(id),
            TermKind::Addresses(set) => match set.only() {
                Some(address) => self.hosts.entry(address).or_default().push(id),
                None => self.ranges.push((id, set.clone())),
            },
            TermKind::Nothing => {}
        }
    }

    fn add_rule(&mut self, number: usize, rule: &Rule) {
        if rule.app.is_some() {
            self.app.insert(number);
        }
        let with_self = rule.targets.iter().any(|(w, _)| *w == Where::SelfDevices);
        if with_self && rule.via.is_empty() {
            self.with_self.insert(number);
        }
        for id in &rule.sources {
            if let Some(uses) = self.uses_mut(*id) {
                uses.source.insert(number);
                uses.with_self |= with_self && rule.via.is_empty();
            }
        }
        if !rule.via.is_empty() {
            self.via_rules.push(number);
            for tag in &rule.via {
                let rules = self.via.entry(tag.clone()).or_default();
                if rules.last() != Some(&number) {
                    rules.push(number);
                }
            }
            return;
        }
        for (place, _) in &rule.targets {
            if let Where::Term(id) = place
                && let Some(uses) = self.uses_mut(*id)
            {
                uses.target.insert(number);
            }
        }
    }

    fn uses_mut(&mut self, id: TermId) -> Option<&mut Uses> {
        self.uses.get_mut(usize::try_from(id).ok()?)
    }

    pub(crate) fn uses(&self, id: TermId) -> Option<&Uses> {
        self.uses.get(usize::try_from(id).ok()?)
    }
}
