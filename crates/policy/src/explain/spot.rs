//! A device and what of it, or behind it, a question is about.

use std::net::IpAddr;

use crate::{addresses::AddressSet, directory::NodeFacts, internet::internet};

/// A device, and the addresses that a question is about: one of its own of each family,
/// or a range of addresses behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The device's place among those given.
    pub device: usize,
    /// The IPv4 address, or the first of the range.
    pub v4: Option<IpAddr>,
    /// The IPv6 address, or the first of the range.
    pub v6: Option<IpAddr>,
    /// The last address of a range, which has one family and more than one address.
    pub last: Option<IpAddr>,
}

impl Spot {
    /// One address.
    pub fn at(device: usize, address: IpAddr) -> Self {
        Self {
            device,
            v4: Some(address).filter(IpAddr::is_ipv4),
            v6: Some(address).filter(IpAddr::is_ipv6),
            last: None,
        }
    }

    /// The addresses from `first` to `last`, which are of one family.
    pub fn range(device: usize, first: IpAddr, last: IpAddr) -> Self {
        Self {
            last: Some(last).filter(|last| *last != first),
            ..Self::at(device, first)
        }
    }

    /// A device, with its own addresses.
    pub fn own(device: usize, facts: &NodeFacts) -> Self {
        let find = |is: fn(&IpAddr) -> bool| facts.addresses.iter().copied().find(is);
        Self {
            device,
            v4: find(IpAddr::is_ipv4),
            v6: find(IpAddr::is_ipv6),
            last: None,
        }
    }

    /// Its addresses, IPv4 first; of a range the first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.into_iter().chain(self.v6)
    }

    /// The first and the last address, if it has one family.
    pub fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        match (self.v4, self.v6) {
            (Some(one), None) | (None, Some(one)) => Some((one, self.last.unwrap_or(one))),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// True when all its addresses are the device's own.
    pub fn is_own(&self, facts: &NodeFacts) -> bool {
        let mut addresses = self.addresses();
        self.last.is_none() && addresses.all(|address| facts.addresses.contains(&address))
    }

    /// What it is in one family.
    pub(super) fn narrowed(self, ipv4: bool) -> Self {
        Self {
            v4: self.v4.filter(|_| ipv4),
            v6: self.v6.filter(|_| !ipv4),
            ..self
        }
    }
}

/// Sorts spots, and joins ranges of one device that touch.
pub fn joined(spots: &mut Vec<Spot>) {
    spots.sort_unstable();
    spots.dedup();
    let mut all: Vec<Spot> = Vec::with_capacity(spots.len());
    for spot in spots.drain(..) {
        if let Some(open) = all.last_mut()
            && open.device == spot.device
            && let (Some((_, end)), Some((first, last))) = (open.ends(), spot.ends())
            && next(end) == Some(first)
        {
            open.last = Some(last);
        } else {
            all.push(spot);
        }
    }
    // What is told whole is not told by one family again.
    let whole: Vec<Spot> = all
        .iter()
        .filter(|s| s.v4.is_some() && s.v6.is_some())
        .copied()
        .collect();
    let is_told = |spot: &Spot| {
        let same = |w: &&Spot| {
            w.device == spot.device && spot.addresses().all(|a| w.addresses().any(|b| a == b))
        };
        spot.last.is_none() && spot.ends().is_some() && whole.iter().any(|w| same(&w))
    };
    all.retain(|spot| !is_told(spot));
    *spots = all;
}

/// The address after this one.
pub(super) fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(a) => Some(IpAddr::V4(a.to_bits().checked_add(1)?.into())),
        IpAddr::V6(a) => Some(IpAddr::V6(a.to_bits().checked_add(1)?.into())),
    }
}

/// Ranges of addresses as people write them: the Internet by its name, prefixes, or both ends.
pub fn written(ranges: &[(IpAddr, IpAddr)]) -> Vec<String> {
    let set = AddressSet::of_ranges(ranges.iter().copied());
    let mut all = Vec::new();
    let mut rest = set.clone();
    let families = [true, false].map(|ipv4| internet().of_family(ipv4));
    if families.iter().any(|family| set.covers(family)) {
        all.push("the Internet".to_owned());
        rest = set.without(internet());
    }
    let ranges = rest.ranges().map(|(first, last)| {
        if first == last {
            return first.to_string();
        }
        match AddressSet::of_ranges([(first, last)]).prefixes().as_slice() {
            [prefix] => prefix.to_string(),
            _ => format!("{first}-{last}"),
        }
    });
    all.extend(ranges);
    all
}
