//! Classes of nodes: nodes of one class are alike before the law.

mod matching;

use std::sync::Arc;

use wire::UserId;

use crate::{
    bits::Bits,
    compile::{Compiled, Term, TermId},
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
    /// The user whose own devices this one may reach by `autogroup:self`.
    pub(crate) user: Option<UserId>,
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
    /// By the Internet behind it: in its filter alone.
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

    pub(crate) fn any(self) -> bool {
        self.v4 || self.v6
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
    /// The own devices of one user, for `autogroup:self`.
    DevicesOf(UserId),
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
            Self::DevicesOf(user) => write!(f, "u{user}"),
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
    pub(crate) fn leads_to_self(&self, id: TermId) -> bool {
        self.index.uses(id).is_some_and(|u| u.with_self) && self.is_of_people(id)
    }

    /// True for terms whose nodes `autogroup:self` can be taken of.
    pub(crate) fn is_of_people(&self, id: TermId) -> bool {
        self.kind(id)
            .is_some_and(crate::compile::TermKind::is_of_people)
    }

    /// True when some rule allows traffic between nodes of the two classes,
    /// either way, or gives a capability.
    pub fn visible(&self, a: &ClassKey, b: &ClassKey) -> bool {
        let (a, b) = (a.class(), b.class());
        (a.user.is_some() && a.user == b.user) || a.reaches(b) || b.reaches(a)
    }

    /// The source sets that nodes of the class belong to, sorted. Each becomes a
    /// capability in the node's `CapMap` where peers see it.
    pub fn source_sets(&self, class: &ClassKey) -> Vec<SourceSetId> {
        let class = class.class();
        let is_source = |id| self.index.uses(id).is_some_and(|u| !u.source.is_empty());
        let mut sets: Vec<SourceSetId> = class
            .terms
            .iter()
            .filter(|m| is_source(m.id))
            .filter_map(|m| self.set_of(m.id))
            .chain(class.user.map(SourceSetId::DevicesOf))
            .collect();
        sets.sort_unstable();
        sets
    }

    /// The set of a term; `None` for terms that filters spell out.
    pub(crate) fn set_of(&self, id: TermId) -> Option<SourceSetId> {
        self.sets.get(usize::try_from(id).ok()?).copied().flatten()
    }
}

/// Numbers the sets of `terms` by their spelling; two that fall on one number
/// are told apart in the order of spelling.
pub(crate) fn number_sets(terms: &[Term]) -> Vec<Option<SourceSetId>> {
    let mut order: Vec<(&str, usize)> = terms
        .iter()
        .enumerate()
        .filter(|(_, t)| t.kind.has_set())
        .map(|(i, t)| (t.text.as_str(), i))
        .collect();
    order.sort_unstable();
    let mut taken = std::collections::BTreeSet::new();
    let mut sets = vec![None; terms.len()];
    for (text, i) in order {
        let mut number = fnv1a(text.as_bytes());
        while !taken.insert(number) {
            number = number.wrapping_add(1);
        }
        if let Some(slot) = sets.get_mut(i) {
            *slot = Some(SourceSetId::Selector(number));
        }
    }
    sets
}

/// FNV-1a of 32 bits: it spreads names over numbers and protects nothing.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
