//! Names as people type them in questions, and the devices behind them.

use std::net::IpAddr;

use wire::net::Prefix;

use super::{
    Explainer, Spot,
    lead::{self, Led},
    names::Party,
    spot::joined,
};
use crate::{
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
    /// True for a device that nobody has yet ([`super::thought`]): it is behind names of people
    /// and tags alone. Such devices stand after all others.
    pub is_thought: bool,
}

/// What a typed name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The name, as answers repeat it.
    pub name: String,
    /// Where it leads: at least one, as [`joined`] leaves them.
    pub spots: Vec<Spot>,
    /// Addresses among it that no device has and no route leads to, as ranges; those of the mesh
    /// are left out.
    pub nowhere: Vec<(IpAddr, IpAddr)>,
    /// The login name or the tag, if it names a user or a tag.
    pub class: Option<String>,
    /// The device with the name, by its place, where the name is taken as a host of the policy.
    pub hides: Option<usize>,
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

impl Explainer<'_> {
    /// The devices that a typed name leads to: a login name, `group:…`, `tag:…`, `autogroup:…`,
    /// `user:*@…`, `ipset:…`, a host name of the document, a device's name (short or full), an
    /// address, a prefix, a range, `*`.
    ///
    /// # Errors
    /// In words, when the name means nothing here or no device is behind it.
    pub fn typed(&self, text: &str, devices: &[Device<'_>]) -> Result<Typed, Unclear> {
        let text = text.trim();
        let real = real(devices);
        let named = named(text, real);
        if self.document.hosts.iter().any(|h| h.name.text == text) {
            let mut host = self.behind(&SelectorKind::Host(text.to_owned()), real)?;
            let is_same = |at: &usize| host.spots.iter().all(|spot| spot.device == *at);
            host.hides = named.filter(|at| !is_same(at));
            return Ok(host);
        }
        if let Some(device) = named.and_then(|at| Typed::device(at, devices)) {
            return Ok(device);
        }
        let selector = read(text)?;
        self.must_exist(&selector.kind, real)?;
        let of_those_without = selector.kind.is_of_users() || is_tag(&selector.kind);
        self.behind(
            &selector.kind,
            if of_those_without { devices } else { real },
        )
    }

    /// The addresses that a text names, all of which lead nowhere: for texts that
    /// [`Self::typed`] finds no device behind.
    pub fn nowhere(&self, text: &str) -> Option<Typed> {
        let kind = read(text.trim()).ok()?.kind;
        let set = self.names.set(&kind)?;
        Some(Typed {
            name: kind.to_string(),
            spots: Vec::new(),
            nowhere: set.ranges().collect(),
            class: None,
            hides: None,
        })
    }

    fn behind(&self, kind: &SelectorKind, devices: &[Device<'_>]) -> Result<Typed, Unclear> {
        let set = self.names.set(kind);
        let mut led = match &set {
            Some(set) => lead::lead(set, devices),
            None if *kind == SelectorKind::Autogroup(Autogroup::Internet) => {
                Led::to(lead::everywhere(devices))
            }
            None => Led::to(self.holding(kind, devices)),
        };
        joined(&mut led.spots);
        if led.spots.is_empty() {
            return Err(nobody(kind, set.and_then(|set| set.only())));
        }
        Ok(Typed {
            name: if let Some(name) = only_thought(&led.spots, devices) {
                name
            } else if *kind == SelectorKind::Any {
                "every machine".to_owned()
            } else if *kind == SelectorKind::Autogroup(Autogroup::Internet) {
                "the Internet".to_owned()
            } else {
                kind.to_string()
            },
            nowhere: led.nowhere.ranges().collect(),
            class: if let SelectorKind::User(name) | SelectorKind::Tag(name) = kind {
                Some(name.clone())
            } else {
                None
            },
            hides: None,
            spots: led.spots,
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

/// The devices that there are; those thought of stand behind them.
fn real<'s, 'd>(devices: &'s [Device<'d>]) -> &'s [Device<'d>] {
    let end = devices.iter().position(|device| device.is_thought);
    devices
        .get(..end.unwrap_or(devices.len()))
        .unwrap_or_default()
}

fn is_tag(kind: &SelectorKind) -> bool {
    matches!(kind, SelectorKind::Tag(_))
}

/// What answers call a device that is thought of, if it is all that a name leads to.
fn only_thought(spots: &[Spot], devices: &[Device<'_>]) -> Option<String> {
    let [only] = spots else {
        return None;
    };
    let device = devices.get(only.device)?;
    device.is_thought.then(|| device.name.to_owned())
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

#[cfg(test)]
mod tests;
