//! The addresses of `ipsets` and `hosts`.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::Prefix;

use crate::{
    addresses::{AddressSet, ends},
    diagnostic::Span,
    document::{Change, Document, IpSet},
    internet::internet,
    selector::{SelectorKind, autogroup::Autogroup},
};

/// The addresses of a set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resolved {
    pub(crate) addresses: AddressSet,
    /// True for what is left of `autogroup:internet`: exit nodes lead there.
    pub(crate) through_exits: bool,
}

/// Names for addresses.
pub(crate) struct Sets<'a> {
    hosts: BTreeMap<&'a str, Prefix>,
    ipsets: BTreeMap<&'a str, &'a IpSet>,
}

impl<'a> Sets<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        let hosts = document.hosts.iter();
        let ipsets = document.ipsets.iter();
        Self {
            hosts: hosts.map(|h| (h.name.text.as_str(), h.prefix)).collect(),
            ipsets: ipsets.map(|s| (s.name.text.as_str(), s)).collect(),
        }
    }

    pub(crate) fn host(&self, name: &str) -> Option<Prefix> {
        self.hosts.get(name).copied()
    }

    /// Every set that is used, those it is made of first.
    fn order(&self) -> (Vec<&'a str>, Vec<(&'a str, Span)>) {
        let (mut done, mut circles) = (Vec::new(), Vec::new());
        let mut state: BTreeMap<&str, bool> = BTreeMap::new();
        for start in self.ipsets.keys().copied() {
            // Its own stack: a chain of sets costs no call stack.
            let mut stack = vec![(start, false)];
            while let Some((name, leave)) = stack.pop() {
                if leave {
                    state.insert(name, true);
                    done.push(name);
                    continue;
                }
                if state.contains_key(name) {
                    continue;
                }
                state.insert(name, false);
                stack.push((name, true));
                for (part, span) in self.parts(name) {
                    match state.get(part) {
                        Some(false) => circles.push((part, span)),
                        Some(true) => {}
                        None => stack.push((part, false)),
                    }
                }
            }
        }
        (done, circles)
    }

    /// The sets that a set is made of.
    fn parts(&self, name: &str) -> impl Iterator<Item = (&'a str, Span)> + '_ {
        let set = self.ipsets.get(name).copied();
        let entries = set.into_iter().flat_map(|s| &s.entries);
        entries.filter_map(|e| {
            let SelectorKind::IpSet(part) = &e.selector.kind else {
                return None;
            };
            let (known, _) = self.ipsets.get_key_value(part.as_str())?;
            Some((*known, e.selector.span))
        })
    }

    /// Sets that are parts of themselves, and where.
    pub(crate) fn circles(&self) -> BTreeSet<(String, Span)> {
        let circles = self.order().1;
        circles
            .into_iter()
            .map(|(n, s)| (n.to_owned(), s))
            .collect()
    }

    /// The addresses of every set; one in a circle lacks what closes it. What the
    /// entries of a set do is done in their order.
    pub(crate) fn resolve(&self) -> BTreeMap<&'a str, Resolved> {
        let mut all: BTreeMap<&'a str, Resolved> = BTreeMap::new();
        for name in self.order().0 {
            let Some(set) = self.ipsets.get(name) else {
                continue;
            };
            let mut made = Resolved::default();
            for like in set.entries.chunk_by(|a, b| a.change == b.change) {
                let mut part = Resolved::default();
                let parts = like.iter().map(|e| self.entry(&e.selector.kind, &all));
                part.addresses = AddressSet::of_ranges(parts.flat_map(|one| {
                    part.through_exits |= one.through_exits;
                    one.addresses.ranges().collect::<Vec<_>>()
                }));
                match like.first().map(|e| e.change) {
                    Some(Change::Add) => {
                        let both = made.addresses.ranges().chain(part.addresses.ranges());
                        made.addresses = AddressSet::of_ranges(both);
                        made.through_exits |= part.through_exits;
                    }
                    Some(Change::Remove) | None => {
                        made.addresses = made.addresses.without(&part.addresses);
                    }
                }
            }
            made.through_exits &= made.addresses.meets(internet());
            all.insert(name, made);
        }
        all
    }

    /// The addresses that one entry is about.
    fn entry(&self, kind: &SelectorKind, known: &BTreeMap<&'a str, Resolved>) -> Resolved {
        let of = |ranges: Option<_>| Resolved {
            addresses: AddressSet::of_ranges(ranges),
            through_exits: false,
        };
        match kind {
            SelectorKind::Prefix(prefix) => of(Some(ends(*prefix))),
            SelectorKind::Range(first, last) => of(Some((*first, *last))),
            SelectorKind::Host(host) => of(self.host(host).map(ends)),
            SelectorKind::IpSet(part) => known.get(part.as_str()).cloned().unwrap_or_default(),
            SelectorKind::Autogroup(Autogroup::Internet) => Resolved {
                addresses: internet().clone(),
                through_exits: true,
            },
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Tag(_)
            | SelectorKind::Service(_)
            | SelectorKind::Autogroup(_) => Resolved::default(),
        }
    }
}
