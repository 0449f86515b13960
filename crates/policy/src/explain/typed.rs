//! Names as people type them in questions, and the devices behind them.

use std::net::IpAddr;

use wire::net::Prefix;

use super::{Explainer, names::Party};
use crate::{
    addresses::{AddressSet, ends},
    decide::End,
    diagnostic::{Code, Sink, Span},
    directory::NodeFacts,
    selector::{self, Selector, SelectorKind, autogroup::Autogroup},
    source::Text,
};

/// A device that questions may be about.
#[derive(Debug, Clone, Copy)]
pub struct Device<'a> {
    /// Its name in the tenant.
    pub name: &'a str,
    /// What the law knows of it.
    pub facts: &'a NodeFacts,
    /// Routes that it offers and nobody approved.
    pub offered: &'a [Prefix],
}

/// A device, and the addresses of it that a question is about: at most one of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The device's place among those given.
    pub device: usize,
    /// The IPv4 address.
    pub v4: Option<IpAddr>,
    /// The IPv6 address.
    pub v6: Option<IpAddr>,
}

impl Spot {
    fn at(device: usize, address: IpAddr) -> Self {
        Self {
            device,
            v4: Some(address).filter(IpAddr::is_ipv4),
            v6: Some(address).filter(IpAddr::is_ipv6),
        }
    }

    /// A device, with its own addresses.
    pub fn own(device: usize, facts: &NodeFacts) -> Self {
        let find = |is: fn(&IpAddr) -> bool| facts.addresses.iter().copied().find(is);
        Self {
            device,
            v4: find(IpAddr::is_ipv4),
            v6: find(IpAddr::is_ipv6),
        }
    }

    /// Its addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.into_iter().chain(self.v6)
    }
}

/// What a typed name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The name, as answers repeat it.
    pub name: String,
    /// Where it leads: at least one.
    pub spots: Vec<Spot>,
    /// True when it names one device or one address.
    pub is_single: bool,
}

/// A name that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// An address of the public Internet of each family, for `autogroup:internet`.
const ON_THE_INTERNET: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

impl Explainer<'_> {
    /// The devices that a typed name leads to: a login name, `group:…`, `tag:…`, `autogroup:…`,
    /// `user:*@…`, `ipset:…`, a host name of the document, a device's name (short or full), an
    /// address, a prefix, a range, `*`.
    ///
    /// # Errors
    /// In words, when the name means nothing here or no device is behind it.
    pub fn typed(&self, text: &str, devices: &[Device<'_>]) -> Result<Typed, Unclear> {
        let text = text.trim();
        if self.document.hosts.iter().any(|h| h.name.text == text) {
            return self.behind(&SelectorKind::Host(text.to_owned()), devices);
        }
        if let Some(at) = named(text, devices) {
            let device = devices.get(at);
            let spot = device.map(|d| Spot::own(at, d.facts));
            return Ok(Typed {
                name: device.map_or(text, |d| d.name).to_owned(),
                spots: spot.into_iter().collect(),
                is_single: true,
            });
        }
        let selector = read(text)?;
        self.must_exist(&selector.kind, devices)?;
        self.behind(&selector.kind, devices)
    }

    fn behind(&self, kind: &SelectorKind, devices: &[Device<'_>]) -> Result<Typed, Unclear> {
        let single = self.names.set(kind).and_then(|set| set.only());
        let spots = match (single, self.names.set(kind)) {
            (Some(address), _) => whose(address, devices).into_iter().collect(),
            (None, Some(set)) => in_set(&set, devices),
            (None, None) if *kind == SelectorKind::Autogroup(Autogroup::Internet) => exits(devices),
            (None, None) => self.holding(kind, devices),
        };
        if spots.is_empty() {
            return Err(nobody(kind, single));
        }
        Ok(Typed {
            name: if *kind == SelectorKind::Any {
                "every machine".to_owned()
            } else if *kind == SelectorKind::Autogroup(Autogroup::Internet) {
                "the Internet".to_owned()
            } else {
                kind.to_string()
            },
            is_single: single.is_some(),
            spots,
        })
    }

    fn holding(&self, kind: &SelectorKind, devices: &[Device<'_>]) -> Vec<Spot> {
        let holds = |facts: &NodeFacts| {
            facts.addresses.first().is_some_and(|address| {
                let party: Party<'_> = self.names.party(End {
                    node: facts,
                    address: *address,
                });
                self.names.has_own(kind, &party)
            })
        };
        let all = devices.iter().enumerate();
        all.filter(|(_, device)| holds(device.facts))
            .map(|(at, device)| Spot::own(at, device.facts))
            .collect()
    }

    /// Refuses names that nothing has.
    fn must_exist(&self, kind: &SelectorKind, devices: &[Device<'_>]) -> Result<(), Unclear> {
        let document = self.document;
        let groups = || document.groups.iter().map(|g| g.name.text.as_str());
        let users = || self.directory.users.iter().map(|u| u.email.as_str());
        let worn = || devices.iter().flat_map(|d| &d.facts.tags);
        let tags = || {
            let defined = document.tag_owners.iter().map(|t| &t.tag.text);
            defined.chain(worn()).map(String::as_str)
        };
        let ipsets = || document.ipsets.iter().map(|s| s.name.text.as_str());
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match kind {
            SelectorKind::User(email) if !users().any(|u| same(u, email)) => Err(unknown(
                format!("`{email}` is no user of this tenant"),
                email,
                users(),
            )),
            SelectorKind::Group(name) if !groups().any(|g| g == name) => Err(unknown(
                format!("the policy has no group `{name}`"),
                name,
                groups(),
            )),
            SelectorKind::Tag(tag) if !tags().any(|t| t == tag) => Err(unknown(
                format!("the policy has no tag `{tag}`"),
                tag,
                tags(),
            )),
            SelectorKind::IpSet(name) if !ipsets().any(|s| s == name) => Err(unknown(
                format!("the policy has no set of addresses `{name}`"),
                name,
                ipsets(),
            )),
            SelectorKind::Host(name) => {
                let hosts = document.hosts.iter().map(|h| h.name.text.as_str());
                let names = devices.iter().map(|d| d.name).chain(hosts).chain(users());
                let message = format!("`{name}` is neither a machine nor a host of the policy");
                let whole = |known: &&str| known.split(['@', ':']).any(|part| same(part, name));
                let known = || groups().chain(tags()).chain(users());
                Err(match known().find(whole) {
                    Some(meant) => Unclear {
                        message,
                        help: Some(format!("did you mean `{meant}`?")),
                    },
                    None => unknown(message, name, names.chain(known())),
                })
            }
            SelectorKind::Service(name) => Err(Unclear {
                message: format!("`{name}` is a service, and services have no effect yet"),
                help: None,
            }),
            SelectorKind::Autogroup(
                group @ (Autogroup::SelfDevices | Autogroup::Nonroot | Autogroup::Shared),
            ) => Err(Unclear {
                message: format!("`{}` alone names no machine", group.as_str()),
                help: Some("name a user, a group, a tag, a machine or an address".to_owned()),
            }),
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Tag(_)
            | SelectorKind::IpSet(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Range(..)
            | SelectorKind::Autogroup(_) => Ok(()),
        }
    }
}

/// The device with this name, short or full.
fn named(text: &str, devices: &[Device<'_>]) -> Option<usize> {
    let short = text.split('.').next().unwrap_or_default();
    let is = |name: &str| {
        devices
            .iter()
            .position(|d| d.name.eq_ignore_ascii_case(name))
    };
    is(text).or_else(|| is(short).filter(|_| text.parse::<IpAddr>().is_err()))
}

fn read(text: &str) -> Result<Selector, Unclear> {
    let text = Text {
        span: Span::default(),
        text: text.to_owned(),
    };
    let mut sink = Sink::default();
    selector::read(&text, &mut sink).ok_or_else(|| first(sink))
}

fn first(sink: Sink) -> Unclear {
    match sink.finish().into_iter().next() {
        Some(found) => Unclear {
            message: found.message,
            help: found.help,
        },
        None => Unclear {
            message: "it cannot be read".to_owned(),
            help: None,
        },
    }
}

fn unknown<'k>(message: String, name: &str, known: impl Iterator<Item = &'k str>) -> Unclear {
    let mut sink = Sink::default();
    sink.error(Code::Undefined, Span::default(), message)
        .did_you_mean(name, known);
    first(sink)
}

fn nobody(kind: &SelectorKind, address: Option<IpAddr>) -> Unclear {
    let message = match address {
        Some(address) => {
            format!("no machine has the address {address}, and no approved route leads to it")
        }
        None if kind.is_of_users() => format!("no machine belongs to `{kind}`"),
        None => format!("no machine is behind `{kind}`"),
    };
    Unclear {
        message,
        help: None,
    }
}

/// The device that takes packets to the address; else one that offers a route to it.
fn whose(address: IpAddr, devices: &[Device<'_>]) -> Option<Spot> {
    let find = |is: &dyn Fn(&Device<'_>) -> bool| devices.iter().position(is);
    let own = || find(&|d| d.facts.addresses.contains(&address));
    let router = || {
        let all = devices.iter().enumerate();
        let routes = all.flat_map(|(at, d)| d.facts.routes.iter().map(move |r| (at, r)));
        let leading = routes.filter(|(_, route)| route.contains(address));
        // Of those alike, the first: it was created first.
        let best = leading.min_by_key(|(_, route)| std::cmp::Reverse(route.bits));
        best.map(|(at, _)| at)
    };
    let exit = || find(&|d| d.facts.is_exit_for(address));
    let offering = || find(&|d| d.offered.iter().any(|r| r.contains(address)));
    let device = own().or_else(router).or_else(exit).or_else(offering)?;
    Some(Spot::at(device, address))
}

/// The devices with an address in the set, and an address of it behind each router.
fn in_set(set: &AddressSet, devices: &[Device<'_>]) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (at, device) in devices.iter().enumerate() {
        let own = device.facts.addresses.iter();
        spots.extend(own.filter(|a| set.contains(**a)).map(|a| Spot::at(at, *a)));
        for route in &device.facts.routes {
            spots.extend(shared(set, *route).map(|address| Spot::at(at, address)));
        }
    }
    spots
}

/// An address that both hold.
fn shared(set: &AddressSet, route: Prefix) -> Option<IpAddr> {
    let (first, last) = ends(route);
    let mut ranges = set.ranges();
    ranges.find_map(|(from, to)| {
        let same = from.is_ipv4() == first.is_ipv4();
        (same && from <= last && first <= to).then(|| from.max(first))
    })
}

/// The exit nodes, each with what they take to the Internet.
fn exits(devices: &[Device<'_>]) -> Vec<Spot> {
    let all = devices.iter().enumerate();
    all.filter_map(|(at, device)| {
        let mut way = ON_THE_INTERNET
            .iter()
            .filter(|address| device.facts.is_exit_for(**address));
        let first = Spot::at(at, *way.next()?);
        Some(match way.next() {
            Some(other) => Spot {
                v6: Some(*other),
                ..first
            },
            None => first,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests;
