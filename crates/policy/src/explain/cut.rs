//! Ranges of addresses, cut where a rule begins or ends to be about them: within a
//! part, no two addresses are judged otherwise.

use std::{borrow::Cow, collections::BTreeSet, net::IpAddr};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

use super::{Device, Explainer, Spot, spot::next};
use crate::{addresses::AddressSet, decide::ANY_IPV4, internet::internet, routes::VIA_IPV6};

/// The sets of addresses that tell the addresses of a question apart.
#[derive(Debug)]
pub(super) struct Cuts<'a> {
    sets: Vec<Cow<'a, AddressSet>>,
}

/// What an address behind a device is judged by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    is_ipv4: bool,
    /// The route that leads there.
    route: Option<Prefix>,
    /// The sets that it is in.
    sets: Vec<usize>,
}

impl Explainer<'_> {
    /// The parts of ranges; no two addresses of a part are judged otherwise.
    pub fn parts(&self, devices: &[Device<'_>], spots: &[Spot]) -> Vec<Spot> {
        self.cuts(devices, spots.iter()).cut(spots)
    }

    /// What may tell addresses behind devices apart.
    pub(super) fn cuts<'s>(
        &self,
        devices: &[Device<'_>],
        spots: impl Iterator<Item = &'s Spot>,
    ) -> Cuts<'_> {
        let is_behind = |spot: &&Spot| {
            let device = devices.get(spot.device);
            device.is_some_and(|device| !spot.is_own(device.facts))
        };
        let ends: Vec<(IpAddr, IpAddr)> = spots.filter(is_behind).filter_map(Spot::ends).collect();
        if ends.is_empty() {
            return Cuts { sets: Vec::new() };
        }
        let asked = AddressSet::of_ranges(ends);
        let selectors = self.rules.iter().flat_map(|rule| {
            let places = rule.places.iter().map(|place| place.selector);
            rule.sources.iter().chain(places)
        });
        let named = selectors.filter_map(|selector| self.names.set(&selector.kind));
        let sets: BTreeSet<Cow<'_, AddressSet>> = named
            .chain(self.always())
            .filter(|set| set.meets(&asked))
            .collect();
        Cuts {
            sets: sets.into_iter().collect(),
        }
    }

    /// What rules tell apart without naming it: the mesh, the Internet, and what `*` holds.
    fn always(&self) -> impl Iterator<Item = Cow<'_, AddressSet>> {
        let mesh = ANY_IPV4.map(|(first, last)| (first.into(), last.into()));
        let any = [
            AddressSet::of_ranges(mesh),
            AddressSet::of(MESH_IPV4),
            AddressSet::of(MESH_IPV6),
            AddressSet::of(VIA_IPV6),
            AddressSet::of_all(&self.directory.routes),
        ];
        let internet = std::iter::once(Cow::Borrowed(internet()));
        any.map(Cow::Owned).into_iter().chain(internet)
    }
}

impl Cuts<'_> {
    /// The parts of the spots.
    pub(super) fn cut(&self, spots: &[Spot]) -> Vec<Spot> {
        let mut parts = Vec::with_capacity(spots.len());
        for spot in spots {
            let Some((first, last)) = spot.ends().filter(|(first, last)| first != last) else {
                parts.push(*spot);
                continue;
            };
            let mut start = first;
            for (before, at) in self.starts(first, last) {
                parts.push(Spot::range(spot.device, start, before));
                start = at;
            }
            parts.push(Spot::range(spot.device, start, last));
        }
        parts
    }

    /// Where parts of a range start, after its first; each with the address before it.
    fn starts(&self, first: IpAddr, last: IpAddr) -> BTreeSet<(IpAddr, IpAddr)> {
        let mut starts = BTreeSet::new();
        let same = |address: IpAddr| address.is_ipv4() == first.is_ipv4();
        for (from, to) in self.sets.iter().flat_map(|set| set.ranges()) {
            if same(from) && first < from && from <= last {
                starts.extend(previous(from).map(|before| (before, from)));
            }
            if same(to) && first <= to && to < last {
                starts.extend(next(to).map(|after| (to, after)));
            }
        }
        starts
    }

    /// What the first address of a spot behind a device is judged by.
    pub(super) fn mark(&self, device: &Device<'_>, spot: &Spot) -> Option<Mark> {
        let (address, _) = spot.ends()?;
        let routes = device.facts.routes.iter();
        let leading = routes.filter(|route| route.contains(address));
        let sets = self.sets.iter().enumerate();
        Some(Mark {
            is_ipv4: address.is_ipv4(),
            route: leading.max_by_key(|route| route.bits).copied(),
            sets: sets
                .filter(|(_, set)| set.contains(address))
                .map(|(at, _)| at)
                .collect(),
        })
    }
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(a) => Some(IpAddr::V4(a.to_bits().checked_sub(1)?.into())),
        IpAddr::V6(a) => Some(IpAddr::V6(a.to_bits().checked_sub(1)?.into())),
    }
}
