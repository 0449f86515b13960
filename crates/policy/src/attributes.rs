//! `nodeAttrs` and tenant options → what nodes carry.

use std::net::IpAddr;

use wire::net::Prefix;

use crate::{
    class::ClassKey,
    compile::{Compiled, TermId, rule::Capabilities, term::Terms},
    directory::NodeFacts,
    document::Document,
};

/// Takes the IPv4 address away.
const DISABLE_IPV4: &str = "disable-ipv4";
/// Clients listen on any port.
const RANDOMIZE_CLIENT_PORT: &str = "randomize-client-port";
/// Peers are told to offer it as an exit node.
const SUGGEST_EXIT_NODE: &str = "suggest-exit-node";
/// May serve the public Internet.
const FUNNEL: &str = "funnel";
/// What comes with [`FUNNEL`].
const FUNNEL_COMPANIONS: [&str; 2] = [
    "https://tailscale.com/cap/funnel-ports?ports=443,8443,10000",
    "https://tailscale.com/cap/warn-funnel-no-https",
];

/// The attributes of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    entries: Vec<Entry>,
    /// What every node has.
    all: Capabilities,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    targets: Vec<TermId>,
    given: Capabilities,
}

impl Attributes {
    pub(crate) fn new(document: &Document, terms: &mut Terms<'_>) -> Self {
        let mut all = Capabilities::new();
        if document.options.randomize_client_port {
            all.insert(RANDOMIZE_CLIENT_PORT.to_owned(), Vec::new());
        }
        if document.options.disable_ipv4 {
            all.insert(DISABLE_IPV4.to_owned(), Vec::new());
        }
        let entries = document.node_attrs.iter().map(|entry| {
            let plain = entry
                .attributes
                .iter()
                .map(|a| (a.text.clone(), Vec::new()));
            let app = entry.app.iter();
            let valued = app.map(|a| (a.name.text.clone(), a.values.clone()));
            let targets = entry.targets.iter();
            Entry {
                targets: targets.map(|s| terms.number(&s.kind)).collect(),
                given: plain.chain(valued).collect(),
            }
        });
        Self {
            entries: entries.collect(),
            all,
        }
    }

    /// The targets of each entry.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &[TermId]> {
        self.entries.iter().map(|e| e.targets.as_slice())
    }
}

impl Compiled {
    /// The attributes of the class's nodes, by `nodeAttrs` and the tenant's options.
    pub fn attributes(&self, class: &ClassKey) -> Capabilities {
        let mut given = self.attributes.all.clone();
        for number in class.class().attributes.iter() {
            if let Some(entry) = self.attributes.entries.get(number) {
                for (name, values) in &entry.given {
                    let into: &mut Vec<_> = given.entry(name.clone()).or_default();
                    into.extend(values.iter().cloned());
                }
            }
        }
        if given.contains_key(FUNNEL) {
            given.extend(FUNNEL_COMPANIONS.map(|name| (name.to_owned(), Vec::new())));
        }
        given
    }

    /// What peers are told of a node's attributes.
    pub fn attributes_for_peers(&self, node: &NodeFacts) -> Capabilities {
        let mut given = Capabilities::new();
        if !node.exit_routes.is_empty() {
            given.insert(SUGGEST_EXIT_NODE.to_owned(), Vec::new());
        }
        given
    }

    /// The addresses that a viewer is told of a node: `disable-ipv4` of either takes IPv4 away.
    pub fn addresses(&self, viewer: &ClassKey, class: &ClassKey, node: &NodeFacts) -> Vec<Prefix> {
        let v6_only = viewer.class().is_without_ipv4 || class.class().is_without_ipv4;
        let all = node.addresses.iter().copied();
        all.filter(|a| counts(*a, v6_only))
            .map(Prefix::host)
            .collect()
    }

    /// True when some node may have lost its IPv4 address.
    pub(crate) fn may_take_ipv4(&self) -> bool {
        let entries = self.attributes.entries.iter();
        self.attributes.all.contains_key(DISABLE_IPV4)
            || entries
                .map(|e| &e.given)
                .any(|given| given.contains_key(DISABLE_IPV4))
    }

    /// True when an entry that the node matches takes IPv4 away.
    pub(crate) fn takes_ipv4(&self, entries: &crate::bits::Bits) -> bool {
        self.attributes.all.contains_key(DISABLE_IPV4)
            || entries
                .iter()
                .filter_map(|n| self.attributes.entries.get(n))
                .any(|e| e.given.contains_key(DISABLE_IPV4))
    }
}

/// True when `address` counts for a node, given whether it lost IPv4.
pub(crate) fn counts(address: IpAddr, is_without_ipv4: bool) -> bool {
    address.is_ipv6() || !is_without_ipv4
}
