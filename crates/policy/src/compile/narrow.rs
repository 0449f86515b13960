//! Selectors narrowed to devices that meet postures.

use std::{collections::BTreeMap, sync::LazyLock};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

use super::{Compiled, TermId, TermKind};
use crate::{
    addresses::AddressSet,
    class::{self, Families},
    decide::End,
    directory::NodeFacts,
    document::Document,
    posture::{self, Requirement},
    routes::VIA_IPV6,
    source::Text,
};

/// The number of a [`Requirement`].
pub(crate) type RequirementId = usize;

/// How a term is narrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Narrow {
    /// The selector as it is.
    pub(crate) base: TermId,
    /// What its devices must meet.
    pub(crate) requirement: RequirementId,
    /// Its addresses that are no device's: hosts behind routers have no attributes
    /// and are not asked.
    pub(crate) unasked: AddressSet,
    /// The families of its addresses that are devices'.
    pub(crate) families: Families,
}

impl Narrow {
    pub(super) fn new(base: TermId, requirement: RequirementId, kind: &TermKind) -> Self {
        let unasked = unasked(kind);
        let families = match kind {
            TermKind::Addresses(set) => {
                let asked = set.without(&unasked);
                let firsts = asked.ranges().map(|(first, _)| first);
                Families::of(firsts)
            }
            TermKind::Any
            | TermKind::Everything
            | TermKind::Users(_)
            | TermKind::Tag(_)
            | TermKind::Member
            | TermKind::Tagged => Families::BOTH,
            TermKind::Internet | TermKind::Nothing => Families::default(),
        };
        Self {
            base,
            requirement,
            unasked,
            families,
        }
    }
}

/// Devices have their addresses here, and nothing else has.
static DEVICES: LazyLock<AddressSet> = LazyLock::new(|| {
    let mesh = AddressSet::of_all(&[MESH_IPV4, MESH_IPV6]);
    mesh.without(&AddressSet::of(VIA_IPV6))
});

/// The addresses that devices have.
pub(crate) fn of_devices() -> &'static AddressSet {
    &DEVICES
}

/// The addresses of a selector that are no device's; of `*`, also those that no route leads to.
fn unasked(kind: &TermKind) -> AddressSet {
    match kind {
        TermKind::Any | TermKind::Everything => {
            let all = AddressSet::of_all(&[Prefix::ALL_IPV4, Prefix::ALL_IPV6]);
            all.without(&DEVICES)
        }
        TermKind::Addresses(set) => set.without(&DEVICES),
        TermKind::Users(_)
        | TermKind::Tag(_)
        | TermKind::Member
        | TermKind::Tagged
        | TermKind::Internet
        | TermKind::Nothing => AddressSet::default(),
    }
}

/// The distinct requirements of a document's rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Requirements {
    all: Vec<Requirement>,
    /// The same, as source sets of `autogroup:self` name them.
    names: Vec<u32>,
}

/// Numbers requirements.
pub(super) struct Numbering<'d> {
    document: &'d Document,
    known: BTreeMap<String, RequirementId>,
    all: Vec<Requirement>,
}

impl<'d> Numbering<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self {
            document,
            known: BTreeMap::new(),
            all: Vec::new(),
        }
    }

    /// What a rule with these postures of its own asks for; `None`: nothing.
    pub(super) fn of(&mut self, own: &[Text]) -> Option<RequirementId> {
        let names = posture::asks(self.document, own)?;
        let requirement = Requirement::new(self.document, names);
        let next = self.all.len();
        let id = *self.known.entry(requirement.to_string()).or_insert(next);
        if id == next {
            self.all.push(requirement);
        }
        Some(id)
    }

    /// The words that tell narrowed selectors apart.
    pub(super) fn text(&self, id: RequirementId) -> String {
        self.all
            .get(id)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    pub(super) fn finish(self) -> Requirements {
        let texts: Vec<String> = self.all.iter().map(ToString::to_string).collect();
        let named = texts.iter().enumerate().map(|(i, text)| (text.as_str(), i));
        Requirements {
            names: class::spread(named.collect(), self.all.len(), 0, |n| n),
            all: self.all,
        }
    }
}

impl Compiled {
    /// True when some rule asks for postures.
    pub(crate) fn asks_for_postures(&self) -> bool {
        !self.requirements.all.is_empty()
    }

    /// True when the device meets what the number asks for.
    pub(crate) fn meets(&self, id: RequirementId, node: &NodeFacts) -> bool {
        let requirement = self.requirements.all.get(id);
        requirement.is_some_and(|r| r.is_met(&node.posture))
    }

    /// The number by which source sets name a requirement.
    pub(crate) fn name_of(&self, id: RequirementId) -> Option<u32> {
        self.requirements.names.get(id).copied()
    }

    pub(crate) fn narrow(&self, id: TermId) -> Option<&Narrow> {
        self.term(id)?.narrow.as_ref()
    }

    /// The selector as it is without postures.
    pub(crate) fn base(&self, id: TermId) -> TermId {
        self.narrow(id).map_or(id, |n| n.base)
    }

    /// True when the end, which the selector holds, meets what it is narrowed to.
    pub(crate) fn passes_narrow(&self, id: TermId, end: End<'_>) -> bool {
        self.narrow(id).is_none_or(|narrow| {
            narrow.unasked.contains(end.address)
                || (end.node.addresses.contains(&end.address)
                    && self.meets(narrow.requirement, end.node))
        })
    }
}
