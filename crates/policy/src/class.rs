//! Classes of nodes: nodes of one class are alike before the law.

mod matching;

use std::sync::Arc;

use wire::UserId;

use crate::{
    bits::Bits,
    compile::{Compiled, RequirementId, Term, TermId, TermKind},
    directory::NodeFacts,
};
use matching::Matching;

/// What the law sees of a node. Nodes with equal keys have the same filter
/// ([`Compiled::class_filter`]), see the same classes ([`Compiled::visible`]),
/// carry the same source sets ([`Compiled::source_sets`]) and the same
/// attributes ([`Compiled::attributes`]).
///
/// A key has a meaning only to the [`Compiled`] that made it. The user is part
/// of it only where a rule with `autogroup:self` makes him matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassKey(Arc<Class>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Class {
    /// The terms that the node matches, by number.
    pub(crate) terms: Vec<TermMatch>,
    /// The user whose own devices may reach each other by `autogroup:self`.
    pub(crate) user: Option<UserId>,
    /// True when this one may, and not only be reached.
    pub(crate) is_self_source: bool,
    /// Rules with `via` that this node is a router of, and which of their destinations it serves.
    pub(crate) via: Vec<(usize, usize)>,
    /// By family: rules in which it is a source.
    pub(crate) source: PerFamily,
    /// By family: rules in which it is a destination.
    pub(crate) target: PerFamily,
    /// Rules that its filter has beside those in which it is a destination:
    /// an exit node passes on what goes to a part of the Internet.
    pub(crate) through: Bits,
    /// Entries of `nodeAttrs` that it is a target of.
    pub(crate) attributes: Bits,
    /// True when `disable-ipv4` took its IPv4 address away.
    pub(crate) is_without_ipv4: bool,
}

/// A term and how a node matches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TermMatch {
    pub(crate) id: TermId,
    /// By its own addresses.
    pub(crate) own: Families,
    /// By subnets behind it.
    pub(crate) routed: Families,
    /// By the Internet behind it, as a destination alone.
    pub(crate) exits: Families,
    /// By a part of the Internet behind it: in its filter alone.
    pub(crate) through: bool,
}

/// Sets of rules by address family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct PerFamily {
    pub(crate) v4: Bits,
    pub(crate) v6: Bits,
}

impl PerFamily {
    pub(crate) fn add(&mut self, families: Families, rules: &Bits) {
        if families.v4 {
            self.v4.union(rules);
        }
        if families.v6 {
            self.v6.union(rules);
        }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.v4.meets(&other.v4) || self.v6.meets(&other.v6)
    }

    /// True when the two meet whatever the families are.
    pub(crate) fn crosses(&self, other: &Self) -> bool {
        self.meets(other) || self.v4.meets(&other.v6) || self.v6.meets(&other.v4)
    }

    pub(crate) fn contains(&self, rule: usize) -> bool {
        self.v4.contains(rule) || self.v6.contains(rule)
    }
}

/// The address families that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Families {
    pub(crate) v4: bool,
    pub(crate) v6: bool,
}

impl Families {
    pub(crate) const BOTH: Self = Self { v4: true, v6: true };

    pub(crate) fn of(addresses: impl Iterator<Item = std::net::IpAddr>) -> Self {
        addresses.fold(Self::default(), |f, a| Self {
            v4: f.v4 || a.is_ipv4(),
            v6: f.v6 || a.is_ipv6(),
        })
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            v4: self.v4 || other.v4,
            v6: self.v6 || other.v6,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            v4: self.v4 && other.v4,
            v6: self.v6 && other.v6,
        }
    }

    pub(crate) fn has(self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }

    pub(crate) fn any(self) -> bool {
        self.v4 || self.v6
    }
}

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub(crate) const fn of(address: std::net::IpAddr) -> Self {
        if address.is_ipv4() {
            Self::V4
        } else {
            Self::V6
        }
    }
}

/// A set of nodes that filters name as a source. Nodes in the set carry the
/// capability that [`SourceSetId::capability`] names, and a filter's source is
/// `cap:` and that name. A set keeps its number as long as its selector keeps
/// its spelling, so another rule does not touch the peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceSetId {
    /// The nodes of a selector.
    Selector(u32),
    /// The nodes of a selector of addresses that meet a posture: those whose
    /// address of this family is among them. It stands for no other addresses.
    Addresses(u32, Family),
    /// The own devices of one user, for `autogroup:self`.
    DevicesOf(UserId),
    /// Those of them that meet the postures with this number.
    NarrowedDevicesOf(UserId, u32),
}

impl SourceSetId {
    /// The capability's name.
    pub fn capability(&self) -> String {
        format!("warren-src-{self}")
    }
}

impl std::fmt::Display for SourceSetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Selector(n) => n.fmt(f),
            Self::Addresses(n, Family::V4) => write!(f, "{n}-v4"),
            Self::Addresses(n, Family::V6) => write!(f, "{n}-v6"),
            Self::DevicesOf(user) => write!(f, "u{user}"),
            Self::NarrowedDevicesOf(user, number) => write!(f, "u{user}-{number}"),
        }
    }
}

impl ClassKey {
    /// True when `disable-ipv4` took the IPv4 addresses of its nodes away.
    pub fn is_without_ipv4(&self) -> bool {
        self.0.is_without_ipv4
    }

    pub(crate) fn class(&self) -> &Class {
        &self.0
    }
}

impl Class {
    pub(crate) fn of(&self, id: TermId) -> Option<&TermMatch> {
        let at = self.terms.binary_search_by_key(&id, |m| m.id).ok()?;
        self.terms.get(at)
    }

    pub(crate) fn has(&self, id: TermId) -> bool {
        self.of(id).is_some()
    }

    /// True when it is a source of the rule with this number.
    pub(crate) fn is_source_of(&self, rule: usize) -> bool {
        self.source.contains(rule)
    }

    /// True when no rule tells its own addresses of the two families apart.
    pub(crate) fn is_even(&self) -> bool {
        self.terms.iter().all(|term| term.own.v4 == term.own.v6)
    }

    /// The rules of its filter, in order.
    pub(crate) fn filter_rules(&self) -> Bits {
        let mut rules = self.through.clone();
        rules.union(&self.target.v4);
        rules.union(&self.target.v6);
        rules
    }

    fn reaches(&self, other: &Self) -> bool {
        self.source.meets(&other.target)
    }
}

impl Compiled {
    /// The class of a node.
    pub fn class_of(&self, node: &NodeFacts) -> ClassKey {
        ClassKey(Arc::new(Matching::new(self, node).class()))
    }

    /// True when a rule with this source, a group of people, reaches `autogroup:self`.
    fn leads_to_self(&self, id: TermId) -> bool {
        self.index.uses(id).is_some_and(|u| u.with_self) && self.is_of_people(id)
    }

    /// True when a rule with this source, narrowed or not, reaches `autogroup:self`.
    pub(crate) fn may_lead_to_self(&self, id: TermId) -> bool {
        let narrowed = self.index.narrowed.get(&id).into_iter().flatten();
        self.leads_to_self(id) || narrowed.into_iter().any(|n| self.leads_to_self(*n))
    }

    /// True when the node is a source of a rule to `autogroup:self` by this match.
    pub(crate) fn is_led_to_self(&self, found: &TermMatch) -> bool {
        self.leads_to_self(found.id) && self.carries(found)
    }

    /// True when the nodes of a match carry its source set: where it is narrowed,
    /// those that meet the postures, not those with hosts behind them.
    fn carries(&self, found: &TermMatch) -> bool {
        self.narrow(found.id).is_none() || found.own.any()
    }

    /// True for terms whose nodes `autogroup:self` can be taken of.
    pub(crate) fn is_of_people(&self, id: TermId) -> bool {
        self.kind(id).is_some_and(TermKind::is_of_people)
    }

    /// True when some rule allows traffic between nodes of the two classes,
    /// either way, or gives a capability.
    pub fn visible(&self, a: &ClassKey, b: &ClassKey) -> bool {
        let (a, b) = (a.class(), b.class());
        let self_source = a.is_self_source || b.is_self_source;
        (self_source && a.user.is_some() && a.user == b.user) || a.reaches(b) || b.reaches(a)
    }

    /// The source sets that nodes of the class belong to, sorted. Each becomes a
    /// capability in the node's `CapMap` where peers see it.
    pub fn source_sets(&self, class: &ClassKey) -> Vec<SourceSetId> {
        let class = class.class();
        let is_source = |id| self.index.uses(id).is_some_and(|u| !u.source.is_empty());
        let carried = || class.terms.iter().filter(|m| self.carries(m));
        let selectors = carried().filter(|m| is_source(m.id));
        let to_self = carried().filter(|m| self.leads_to_self(m.id));
        let to_self = to_self.filter_map(|m| {
            let requirement = self.narrow(m.id).map(|n| n.requirement);
            self.devices_of(class.user?, requirement)
        });
        let mut sets: Vec<SourceSetId> = selectors
            .flat_map(|m| self.sets_of(m.id, |family| m.own.has(family)))
            .chain(to_self)
            .collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// The set of a user's own devices that meet the requirement.
    pub(crate) fn devices_of(
        &self,
        user: UserId,
        requirement: Option<RequirementId>,
    ) -> Option<SourceSetId> {
        match requirement {
            None => Some(SourceSetId::DevicesOf(user)),
            Some(id) => Some(SourceSetId::NarrowedDevicesOf(user, self.name_of(id)?)),
        }
    }

    /// The sets of a term; none for terms that filters spell out. Of a narrowed set of
    /// addresses, those of the families that are asked for.
    pub(crate) fn sets_of(
        &self,
        id: TermId,
        counts: impl Fn(Family) -> bool,
    ) -> impl Iterator<Item = SourceSetId> {
        let at = usize::try_from(id).unwrap_or(usize::MAX);
        let number = self.sets.get(at).copied().flatten();
        let of_addresses = matches!(self.kind(id), Some(TermKind::Addresses(_)));
        let families = Family::ALL.map(|f| (of_addresses && counts(f)).then_some(f));
        number.into_iter().flat_map(move |number| {
            let whole = (!of_addresses).then_some(SourceSetId::Selector(number));
            let parts = families.into_iter().flatten();
            whole
                .into_iter()
                .chain(parts.map(move |f| SourceSetId::Addresses(number, f)))
        })
    }
}

/// Numbers the sets of `terms` by their spelling; two that fall on one number
/// are told apart in the order of spelling.
pub(crate) fn number_sets(terms: &[Term]) -> Vec<Option<u32>> {
    let named = terms.iter().enumerate().filter(|(_, t)| t.has_set());
    let named = named.map(|(i, t)| (t.text.as_str(), i)).collect();
    spread(named, terms.len(), None, Some)
}

/// Numbers names: `named` tells each one's place in the result, which `absent` fills up.
pub(crate) fn spread<T: Clone>(
    mut named: Vec<(&str, usize)>,
    length: usize,
    absent: T,
    number_as: impl Fn(u32) -> T,
) -> Vec<T> {
    named.sort_unstable();
    let mut taken = std::collections::BTreeSet::new();
    let mut numbers = vec![absent; length];
    for (text, i) in named {
        let mut number = fnv1a(text.as_bytes());
        while !taken.insert(number) {
            number = number.wrapping_add(1);
        }
        if let Some(slot) = numbers.get_mut(i) {
            *slot = number_as(number);
        }
    }
    numbers
}

/// FNV-1a of 32 bits: it spreads names over numbers and protects nothing.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
