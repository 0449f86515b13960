//! Addresses behind subnet routers, as sources: a rule may name them, and no device has them.

use wire::net::Prefix;

use super::Explainer;
use crate::{
    addresses::AddressSet,
    decide::End,
    directory::NodeFacts,
    selector::{SelectorKind, autogroup::Autogroup},
};

/// Addresses behind a router.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Behind {
    /// The router's place among the nodes given.
    pub device: usize,
    /// The addresses, as the fewest prefixes.
    pub prefixes: Vec<Prefix>,
}

/// A router, and what of one family lies behind it.
#[derive(Debug)]
pub(super) struct Router<'n> {
    device: usize,
    node: &'n NodeFacts,
    routed: AddressSet,
}

impl<'n> Router<'n> {
    /// The routers among the nodes, but for `target`, which packets go to.
    pub(super) fn all(nodes: &'n [NodeFacts], target: End<'_>) -> Vec<Self> {
        let ipv4 = target.address.is_ipv4();
        let routers = nodes.iter().enumerate().filter_map(|(device, node)| {
            let own = AddressSet::of_ranges(node.addresses.iter().map(|a| (*a, *a)));
            let routed = AddressSet::of_all(&node.routes).of_family(ipv4);
            let routed = routed.without(&own);
            let is_router = !routed.is_empty() && node != target.node;
            is_router.then_some(Self {
                device,
                node,
                routed,
            })
        });
        routers.collect()
    }

    /// What lies behind it of the source; and one address of that, from which all fare alike.
    pub(super) fn behind(
        &self,
        explainer: &Explainer<'_>,
        source: &SelectorKind,
    ) -> Option<(Behind, End<'n>)> {
        let all = explainer.as_source(source)?;
        let outside = self.routed.without(&all);
        let common = self.routed.without(&outside);
        let (address, _) = common.ranges().next()?;
        let behind = Behind {
            device: self.device,
            prefixes: common.prefixes(),
        };
        let end = End {
            node: self.node,
            address,
        };
        Some((behind, end))
    }
}

impl Explainer<'_> {
    /// The addresses that a source stands for, whoever has them.
    fn as_source(&self, kind: &SelectorKind) -> Option<AddressSet> {
        if *kind == SelectorKind::Any {
            return Some(AddressSet::of_all(&self.directory.routes));
        }
        if *kind == SelectorKind::Autogroup(Autogroup::DangerAll) {
            return Some(AddressSet::of_all(&[Prefix::ALL_IPV4, Prefix::ALL_IPV6]));
        }
        self.names.set(kind).map(std::borrow::Cow::into_owned)
    }
}
