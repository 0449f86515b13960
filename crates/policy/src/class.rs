//! Classes of nodes: nodes of one class are alike before the law.

use std::sync::Arc;

use wire::UserId;

use crate::{
    bits::Bits,
    compile::{Compiled, TermId, TermKind},
    directory::NodeFacts,
};

/// What the law sees of a node. Nodes with equal keys have the same filter
/// ([`Compiled::class_filter`]), see the same classes ([`Compiled::visible`])
/// and carry the same source sets ([`Compiled::source_sets`]).
///
/// A key has a meaning only to the [`Compiled`] that made it. The user is part
/// of it only where a rule with `autogroup:self` makes him matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassKey(Arc<Class>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Class {
    /// The terms that the node matches, each with the address families it matches by.
    pub(crate) terms: Vec<(TermId, Families)>,
    /// The user whose own devices this one may reach by `autogroup:self`.
    pub(crate) user: Option<UserId>,
    /// By family: rules in which it is a source.
    source: PerFamily<Bits>,
    /// By family: rules in which it is a destination.
    target: PerFamily<Bits>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
struct PerFamily<T> {
    v4: T,
    v6: T,
}

/// The address families that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Families {
    v4: bool,
    v6: bool,
}

impl Families {
    fn of(addresses: impl Iterator<Item = std::net::IpAddr>) -> Self {
        addresses.fold(Self::default(), |f, a| Self {
            v4: f.v4 || a.is_ipv4(),
            v6: f.v6 || a.is_ipv6(),
        })
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
    pub(crate) fn class(&self) -> &Class {
        &self.0
    }
}

impl Class {
    pub(crate) fn has(&self, id: TermId) -> bool {
        self.terms.binary_search_by_key(&id, |(t, _)| *t).is_ok()
    }

    /// True when it is a destination of the rule with this number.
    pub(crate) fn is_target_of(&self, rule: usize) -> bool {
        self.target.v4.contains(rule) || self.target.v6.contains(rule)
    }

    fn reaches(&self, other: &Self) -> bool {
        self.source.v4.meets(&other.target.v4) || self.source.v6.meets(&other.target.v6)
    }
}

impl Compiled {
    /// The class of a node.
    pub fn class_of(&self, node: &NodeFacts) -> ClassKey {
        let own = Families::of(node.addresses.iter().copied());
        let mut class = Class::default();
        self.add_named_terms(node, own, &mut class);
        self.add_literal_terms(node, &mut class);
        class.terms.sort_unstable();
        if let Some(user) = node.owner()
            && class.terms.iter().any(|(id, _)| self.leads_to_self(*id))
        {
            class.user = Some(user);
        }
        for (id, families) in &class.terms {
            let Some(uses) = self.index.uses(*id) else {
                continue;
            };
            if families.v4 {
                class.source.v4.union(&uses.source);
                class.target.v4.union(&uses.target);
            }
            if families.v6 {
                class.source.v6.union(&uses.source);
                class.target.v6.union(&uses.target);
            }
        }
        ClassKey(Arc::new(class))
    }

    fn add_named_terms(&self, node: &NodeFacts, own: Families, class: &mut Class) {
        let index = &self.index;
        if let Some(any) = index.any {
            let routes = node.routes.iter().map(|r| r.addr);
            let all = Families::of(node.addresses.iter().copied().chain(routes));
            class.terms.push((any, all));
        }
        if node.tags.is_empty() {
            let member = index.member.filter(|_| node.user.is_some());
            let user = node.user.and_then(|u| index.by_user.get(&u));
            let ids = member
                .into_iter()
                .chain(user.into_iter().flatten().copied());
            class.terms.extend(ids.map(|id| (id, own)));
        } else {
            let tags: std::collections::BTreeSet<_> = node.tags.iter().collect();
            let ids = tags
                .into_iter()
                .filter_map(|t| index.by_tag.get(t).copied());
            class
                .terms
                .extend(index.tagged.into_iter().chain(ids).map(|id| (id, own)));
        }
    }

    fn add_literal_terms(&self, node: &NodeFacts, class: &mut Class) {
        for (id, set) in &self.index.literals {
            let meets = node.addresses.iter().any(|a| set.contains(*a))
                || node.routes.iter().any(|r| set.overlaps(r));
            if meets {
                class.terms.push((
                    *id,
                    Families {
                        v4: set.has_v4(),
                        v6: set.has_v6(),
                    },
                ));
            }
        }
    }

    /// True when a rule with this source, a group of people, reaches `autogroup:self`.
    pub(crate) fn leads_to_self(&self, id: TermId) -> bool {
        self.index.uses(id).is_some_and(|u| u.with_self) && self.is_of_people(id)
    }

    /// True for terms whose nodes `autogroup:self` can be taken of.
    pub(crate) fn is_of_people(&self, id: TermId) -> bool {
        self.term(id).is_some_and(|t| match t.kind {
            TermKind::Any | TermKind::Users(_) | TermKind::Member => true,
            TermKind::Tag(_) | TermKind::Tagged | TermKind::Addresses(_) | TermKind::Nothing => {
                false
            }
        })
    }

    /// True when some rule allows traffic between nodes of the two classes, either way.
    pub fn visible(&self, a: &ClassKey, b: &ClassKey) -> bool {
        let (a, b) = (a.class(), b.class());
        (a.user.is_some() && a.user == b.user) || a.reaches(b) || b.reaches(a)
    }

    /// The source sets that nodes of the class belong to, sorted. Each becomes a
    /// capability in the node's `CapMap` where peers see it.
    pub fn source_sets(&self, class: &ClassKey) -> Vec<SourceSetId> {
        let class = class.class();
        let mut sets: Vec<SourceSetId> = class
            .terms
            .iter()
            .filter(|(id, _)| self.index.uses(*id).is_some_and(|u| !u.source.is_empty()))
            .filter_map(|(id, _)| self.set_of(*id))
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
pub(crate) fn number_sets(terms: &[crate::compile::Term]) -> Vec<Option<SourceSetId>> {
    let mut order: Vec<(&str, usize)> = terms
        .iter()
        .enumerate()
        .filter(|(_, t)| {
            !matches!(
                t.kind,
                TermKind::Any | TermKind::Addresses(_) | TermKind::Nothing
            )
        })
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
